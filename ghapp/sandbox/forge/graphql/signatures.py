"""Signatures on commits as GraphQL tells them: which kind, which key, and in what state. Verifies nothing itself."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re

# REST's reasons under GraphQL's names; others are the same word in capitals.
_STATES = {
    "malformed_signature": "MALFORMED_SIG",
    "unknown_signature_type": "UNKNOWN_SIG_TYPE",
    "no_user": "NO_USER",
    "bad_email": "BAD_EMAIL",
    "unverified_email": "UNVERIFIED_EMAIL",
}

# The key that GitHub signs with what is committed through its pages and API.
WEB_FLOW_KEY = "B5690EEEBB952194"

# https://www.rfc-editor.org/rfc/rfc9580#section-5.2.3.7
_ISSUER, _ISSUER_FINGERPRINT = 16, 33


def kind(signature: str) -> str:
    """The GraphQL type of an armored signature."""
    for mark, name in (("PGP", "GpgSignature"), ("SSH", "SshSignature"), ("SIGNED MESSAGE", "SmimeSignature")):
        if signature.lstrip().startswith(f"-----BEGIN {mark}"):
            return name
    return "UnknownSignature"


def state(reason: str) -> str:
    """``GitSignatureState`` for the reason of a REST ``verification``."""
    return _STATES.get(reason, reason.upper())


def gpg_key_id(signature: str) -> str | None:
    """The sixteen hexadecimal digits of the key that made an OpenPGP signature, if it says so."""
    packet = _armored(signature)
    if len(packet) < 12 or packet[0] & 0x80 == 0:
        return None
    body = packet[_header_length(packet) :]
    if body[:1] != b"\x04":
        return None
    hashed = int.from_bytes(body[4:6], "big")
    unhashed_at = 6 + hashed
    unhashed = int.from_bytes(body[unhashed_at : unhashed_at + 2], "big")
    found = _subpackets(body[6:unhashed_at] + body[unhashed_at + 2 : unhashed_at + 2 + unhashed])
    identifier = found.get(_ISSUER) or found.get(_ISSUER_FINGERPRINT, b"")[-8:]
    return identifier.hex().upper() or None


def ssh_fingerprint(signature: str) -> str | None:
    """The SHA-256 fingerprint of the key in an SSH signature, without the ``SHA256:``."""
    blob = _armored(signature)
    if not blob.startswith(b"SSHSIG"):
        return None
    length = int.from_bytes(blob[10:14], "big")
    digest = hashlib.sha256(blob[14 : 14 + length]).digest()
    return base64.b64encode(digest).decode().rstrip("=")


def _armored(signature: str) -> bytes:
    """What stands between the armor's lines, without headers and checksum."""
    text = re.sub(r"\r\n?", "\n", signature)
    match = re.search(r"-----BEGIN [^-]+-----\n(?:(?:[\w-]+: .*\n)*\n)?(?P<data>[^-=]+={0,2}\n?)", text)
    try:
        return base64.b64decode("".join(match["data"].split())) if match else b""
    except binascii.Error:
        return b""


def _header_length(packet: bytes) -> int:
    if packet[0] & 0x40:
        return 2 if packet[1] < 192 else 3 if packet[1] < 224 else 6
    return 1 + (1, 2, 4, 0)[packet[0] & 3]


def _subpackets(data: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    while data:
        if data[0] < 192:
            length, start = data[0], 1
        elif data[0] < 255 and len(data) > 1:
            length, start = ((data[0] - 192) << 8) + data[1] + 192, 2
        else:
            length, start = int.from_bytes(data[1:5], "big"), 5
        if length == 0:
            break
        found.setdefault(data[start] & 0x7F if start < len(data) else 0, data[start + 1 : start + length])
        data = data[start + length :]
    return found
