"""What reading a report means: findings with bounded, printable texts and paths inside of the checkout, or an error.

A report may be malformed, cut off, huge or hostile: code of strangers may have produced it.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from jobs.pipeline.files import Outside, inside
from jobs.pipeline.matchers import strip_escapes
from policies.finding import Finding, Severity
from policies.markdown import plain

MOST_FINDINGS = 100_000
_MOST_LINES = 50_000_000  # bytes of a file in which lines are looked up


class BadReport(ValueError):
    """A report that cannot be understood; nothing may be concluded from it."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a scanner said: its findings, its version and its database's date (``None``: it has none)."""

    scanner: str
    findings: Sequence[Finding]
    version: str = ""
    database_at: datetime | None = None


class Checkout:
    """The checkout that a report speaks of: paths made relative, lines recognised. ``roots`` are its other names."""

    def __init__(self, root: Path, *roots: str) -> None:
        self._root = root
        self._roots = tuple(r.rstrip("/") for r in roots)
        self._lines: dict[str, list[bytes]] = {}

    def path(self, name: object, directory: str = ".") -> str:
        """A reported path relative to the checkout; ``""`` for one that leads elsewhere."""
        text = clean(name, 1_000).removeprefix("file://")
        for root in self._roots:
            if text == root or text.startswith(f"{root}/"):
                text = text[len(root) :].lstrip("/")
                directory = "."
        if not text or text.startswith("/"):
            return ""
        normal = posixpath.normpath(posixpath.join(directory, text))
        return "" if normal.startswith("..") or normal == "." else normal

    def context(self, path: str, line: int) -> str:
        """The digest of a line's text without its indentation: what a finding is recognised by when it moves."""
        if not path or line < 1:
            return ""
        if path not in self._lines:
            self._lines[path] = self._read(path)
        lines = self._lines[path]
        if line > len(lines):
            return ""
        return hashlib.sha256(lines[line - 1].strip()).hexdigest()[:16]

    def _read(self, path: str) -> list[bytes]:
        try:
            real = inside(self._root, path)
            if not real.is_file() or real.stat().st_size > _MOST_LINES:
                return []
            return real.read_bytes().split(b"\n")
        except (Outside, OSError):
            return []


def load(data: bytes | None, scanner: str) -> Any:
    """A JSON report. Raises :class:`BadReport`."""
    if not data or not data.strip():
        raise BadReport(f"{scanner} wrote no report")
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise BadReport(f"{scanner} wrote a report that is not JSON, or is cut off") from None


def items(value: Any, scanner: str, what: str) -> list[dict[str, Any]]:
    """A list of objects, ``None`` being an empty one. Raises :class:`BadReport`."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise BadReport(f"{scanner} wrote {what} that is not a list of objects")
    if len(value) > MOST_FINDINGS:
        raise BadReport(f"{scanner} reports more than {MOST_FINDINGS} findings")
    return value


def clean(value: object, limit: int = 500) -> str:
    """A scanner's text: printable, on one line, bounded."""
    if not isinstance(value, str | int | float):
        return ""
    return " ".join(plain(strip_escapes(str(value)[: 4 * limit])).split())[:limit]


def number(value: object) -> int:
    """A line number; 0 for what is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10_000_000 else 0


def link(value: object) -> str:
    """An address that may be shown as a link."""
    text = clean(value, 500)
    return text if text.startswith("https://") and not set(text) & set(" <>\"'`|\\") else ""


def severity(value: object) -> Severity:
    """A severity by any of its usual names."""
    return _SEVERITIES.get(str(value).strip().lower(), Severity.UNKNOWN)


_SEVERITIES = {
    "critical": Severity.CRITICAL,
    "blocker": Severity.CRITICAL,
    "defcon1": Severity.CRITICAL,
    "high": Severity.HIGH,
    "error": Severity.HIGH,
    "major": Severity.HIGH,
    "important": Severity.HIGH,
    "medium": Severity.MEDIUM,
    "moderate": Severity.MEDIUM,
    "warning": Severity.MEDIUM,
    "low": Severity.LOW,
    "minor": Severity.LOW,
    "info": Severity.LOW,
    "note": Severity.LOW,
    "style": Severity.LOW,
    "negligible": Severity.LOW,
}
