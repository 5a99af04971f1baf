"""Names of images: ``host/path:tag@sha256:…``. Docker Hub's short names are written out."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PATH = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*\Z")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}\Z")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z")
_HOST = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?\Z")


class BadReference(ValueError):
    """A text that names no image; the message says why."""


@dataclass(frozen=True, slots=True)
class Reference:
    """An image. ``host`` may carry a port; ``tag`` and ``digest`` may be empty."""

    host: str
    path: str
    tag: str = ""
    digest: str = ""

    @property
    def repository(self) -> str:
        """``host/path``: the image's name in a release."""
        return f"{self.host}/{self.path}"

    def __str__(self) -> str:
        return self.repository + (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")


def parse(text: str) -> Reference:
    """Raises :class:`BadReference`."""
    rest, _, digest = text.partition("@")
    first, slash, remainder = rest.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        host, rest = first, remainder
    else:
        host, rest = "docker.io", rest if slash else f"library/{rest}"
    path, _, tag = rest.partition(":")
    if not _HOST.match(host) or not _PATH.match(path) or len(path) > 255:
        raise BadReference(f"{text!r} does not name an image; write it like ghcr.io/acme/guestbook")
    if tag and not _TAG.match(tag):
        raise BadReference(f"{tag!r} cannot be a tag: letters, digits, dots, dashes and underscores, at most 128")
    if digest and not _DIGEST.match(digest):
        raise BadReference(f"{digest!r} is not a digest; it looks like sha256:<64 hex digits>")
    return Reference(host, path, tag, digest)
