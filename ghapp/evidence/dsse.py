"""DSSE envelopes: a payload and Ed25519 signatures over its type and bytes (https://github.com/secure-systems-lab/dsse).

Signs and verifies; never looks inside a payload and never reads a key from anywhere.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

Envelope = dict[str, Any]


class Untrusted(ValueError):
    """An envelope that no trusted key has signed, or that is not an envelope at all; the message says which."""


def pae(payload_type: str, payload: bytes) -> bytes:
    """What is signed: the pre-authentication encoding of type and payload."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def key_id(key: Ed25519PublicKey) -> str:
    """The SHA-256 of the public key (DER), in hex: a hint for people, never a reason to trust."""
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def sign(key: Ed25519PrivateKey, payload_type: str, payload: bytes) -> Envelope:
    """An envelope around ``payload``. The same arguments give the same envelope."""
    signature = key.sign(pae(payload_type, payload))
    return {
        "payloadType": payload_type,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [{"keyid": key_id(key.public_key()), "sig": base64.b64encode(signature).decode()}],
    }


def verify(envelope: Mapping[str, Any], keys: Iterable[Ed25519PublicKey], *, payload_type: str) -> bytes:
    """The payload, if one of ``keys`` signed it as ``payload_type``. Raises :class:`Untrusted`."""
    try:
        payload = base64.b64decode(envelope["payload"], validate=True)
        signatures = [base64.b64decode(s["sig"], validate=True) for s in envelope["signatures"]]
        kind = envelope["payloadType"]
    except (KeyError, TypeError, ValueError, binascii.Error):
        raise Untrusted("this is not a DSSE envelope") from None
    if kind != payload_type:
        raise Untrusted(f"the envelope holds {str(kind)[:100]!r}, not {payload_type!r}")
    signed = pae(payload_type, payload)
    trusted = list(keys)
    for signature in signatures:
        for key in trusted:
            try:
                key.verify(signature, signed)
            except InvalidSignature:
                continue
            return payload
    raise Untrusted("none of the trusted keys has signed this")
