"""Keeps secrets out of everything that leaves a step: logs, check texts, annotations, outputs, evidence.

A secret is found in plain, base64 (at any offset) and URL-encoded form, also where it is split between two chunks or
overlaps another one. Redaction cannot find what a step has transformed in another way; it is the last defence.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable
from urllib.parse import quote, quote_plus

MASK = b"***"


class Redactor:
    """Redacts whole texts (:meth:`text`) for a set of secrets; :meth:`stream` makes one for chunks."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets for form in _forms(secret)}
        self.patterns = tuple(sorted(forms, key=lambda form: (-len(form), form)))  # longest first

    def data(self, data: bytes) -> bytes:
        stream = self.stream()
        return stream.feed(data) + stream.finish()

    def text(self, text: str) -> str:
        if not self.patterns:
            return text
        return self.data(text.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")

    def stream(self) -> Stream:
        return Stream(self.patterns)


class Stream:
    """Redacts chunk by chunk. What might be the beginning of a secret is held back until it is known."""

    def __init__(self, patterns: tuple[bytes, ...]) -> None:
        self._patterns = patterns
        self._held = b""
        self._hidden = 0  # leading bytes of what is held that belong to a secret already masked

    def feed(self, chunk: bytes) -> bytes:
        if not self._patterns:
            return chunk
        data = self._held + chunk
        return self._emit(data, len(data) - self._open_end(data))

    def finish(self) -> bytes:
        return self._emit(self._held, len(self._held))

    def _emit(self, data: bytes, until: int) -> bytes:
        out, at = [], 0
        hidden = self._hidden
        for start, end in self._spans(data):
            if start >= until:
                break
            out.append(data[at:start])
            if start >= hidden or not hidden:
                out.append(MASK)
            at = max(at, end)
        out.append(data[at:until])
        self._held, self._hidden = data[until:], max(0, at - until, hidden - until)
        return b"".join(out)

    def _spans(self, data: bytes) -> list[tuple[int, int]]:
        """Where secrets are, overlapping ones joined, in order."""
        found = [(0, self._hidden)] if self._hidden else []
        for pattern in self._patterns:
            at = data.find(pattern)
            while at >= 0:
                found.append((at, at + len(pattern)))
                at = data.find(pattern, at + 1)
        joined: list[tuple[int, int]] = []
        for start, end in sorted(found):
            if joined and start < joined[-1][1]:
                joined[-1] = (joined[-1][0], max(joined[-1][1], end))
            else:
                joined.append((start, end))
        return joined

    def _open_end(self, data: bytes) -> int:
        """The length of the longest end of ``data`` that a pattern begins with."""
        longest = 0
        for pattern in self._patterns:
            start = max(0, len(data) - len(pattern) + 1)
            at = data.find(pattern[:1], start)
            while 0 <= at < len(data) - longest:
                if pattern.startswith(data[at:]):
                    longest = len(data) - at
                    break
                at = data.find(pattern[:1], at + 1)
        return longest


def _forms(secret: str) -> set[bytes]:
    """How a secret may appear. An empty one appears nowhere; of one with several lines each line counts too."""
    stripped = secret.strip("\r\n")
    if not stripped:
        return set()
    forms = {stripped, quote(stripped, safe=""), quote(stripped), quote_plus(stripped), json.dumps(stripped)[1:-1]}
    forms |= {_lower_percent(form) for form in set(forms) if "%" in form}
    found = {form.encode("utf-8", "surrogateescape") for form in forms}
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for value in {secret, stripped}:
            found |= _base64_forms(value.encode("utf-8", "surrogateescape"), encode)
    lines = [line for line in stripped.splitlines() if len(line) >= 8]
    if len(lines) > 1:
        found |= {line.encode("utf-8", "surrogateescape") for line in lines}
    return {form for form in found if form}


def _base64_forms(value: bytes, encode: Callable[[bytes], bytes]) -> set[bytes]:
    """The whole value encoded, and the part that stays the same wherever it stands inside something longer."""
    found = {encode(value), encode(value).rstrip(b"=")}
    for offset in range(3):
        inner = encode(b"\0" * offset + value)
        skip = (0, 2, 3)[offset]
        keep = len(inner.rstrip(b"=")) - (0 if (offset + len(value)) % 3 == 0 else 1)
        part = inner[skip:keep]
        if len(part) >= 8:
            found.add(part)
    return found


def _lower_percent(text: str) -> str:
    parts = text.split("%")
    return parts[0] + "".join(f"%{part[:2].lower()}{part[2:]}" for part in parts[1:])
