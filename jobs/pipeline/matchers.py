"""Problem matchers: remarks at a file and line, found in what a step prints. Understands compilers' common form, Python
tracebacks' last own line, and ``::error file=…,line=…::message``. Paths outside of the checkout are passed over.
"""

from __future__ import annotations

import posixpath
import re
from typing import Literal
from urllib.parse import unquote

from ghapp.github.checks import Annotation

MOST = 200  # remarks of one step; what prints more is better served by SARIF
_MOST_LINE = 2_000

Level = Literal["notice", "warning", "failure"]
_LEVELS: dict[str, Level] = {
    "error": "failure",
    "fatal error": "failure",
    "fatal": "failure",
    "warning": "warning",
    "note": "notice",
    "notice": "notice",
    "info": "notice",
}
# path:line[:column]: [level:] message — gcc, clang, go vet, mypy, ruff, shellcheck -f gcc, eslint -f unix …
_COMMON = re.compile(
    r"(?P<path>[^\s:()\[\]'\"<>|*?]{1,300}):(?P<line>[1-9][0-9]{0,6})(?::[0-9]{1,6})?:?\s+"
    r"(?:(?P<level>fatal error|error|warning|note|info|fatal)(?:\[[^\]]{1,40}\])?:?\s+)?(?P<message>\S.{0,1000})\Z",
    re.IGNORECASE,
)
_COMMAND = re.compile(r"::(?P<level>error|warning|notice)(?:\s+(?P<what>[^:]{0,500}))?::(?P<message>.{0,1500})\Z")
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]{0,200}(?:\x07|\x1b\\)|[\x00-\x08\x0b-\x1f\x7f]")


def strip_escapes(text: str) -> str:
    """Text without terminal escapes and control characters; tabs and line breaks stay."""
    return _ESCAPES.sub("", text)


class Matcher:
    """Collects the remarks of one step. ``root`` is how the step saw its checkout, ``directory`` where it started."""

    def __init__(self, root: str, directory: str = ".", files: frozenset[str] | None = None) -> None:
        self._root, self._directory, self._files = root.rstrip("/"), directory, files
        self._rest = b""
        self._found: dict[tuple[str, int, str], Annotation] = {}

    @property
    def annotations(self) -> list[Annotation]:
        return list(self._found.values())

    def feed(self, data: bytes) -> None:
        """Look at (redacted) output; lines may be split between chunks."""
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()[-_MOST_LINE:]
        for line in lines:
            if len(self._found) >= MOST:
                return
            if b":" in line and len(line) <= _MOST_LINE:
                self._look(line.decode("utf-8", "replace"))

    def _look(self, raw: str) -> None:
        line = strip_escapes(raw).strip()
        if line.startswith("::"):
            self._command(line)
        elif (match := _COMMON.match(line)) and (match["level"] or self._named(match["path"])):
            level = _LEVELS[(match["level"] or "error").lower()]
            self._add(match["path"], int(match["line"]), level, match["message"])

    def _command(self, line: str) -> None:
        match = _COMMAND.match(line)
        if not match:
            return
        what = dict(part.split("=", 1) for part in (match["what"] or "").split(",") if "=" in part)
        number = what.get("line", "1")
        if "file" in what and number.isdecimal() and len(number) < 8:
            title = unquote(what.get("title", ""))
            self._add(unquote(what["file"]), int(number), _LEVELS[match["level"]], unquote(match["message"]), title)

    def _named(self, path: str) -> bool:
        """Without a level a line counts only if it names a file that there is: times and addresses look alike."""
        inside = self._inside(path)
        return inside is not None and self._files is not None and inside in self._files

    def _add(self, path: str, line: int, level: Level, message: str, title: str = "") -> None:
        inside = self._inside(path)
        if inside is not None and (self._files is None or inside in self._files):
            key = (inside, line, message)
            self._found.setdefault(key, Annotation(inside, max(1, line), max(1, line), level, message, title))

    def _inside(self, path: str) -> str | None:
        """The path relative to the checkout, or ``None`` if it is not in there."""
        if path.startswith(f"{self._root}/"):
            path = path.removeprefix(f"{self._root}/")
        elif path.startswith("/"):
            return None
        else:
            path = posixpath.join(self._directory, path)
        normal = posixpath.normpath(path)
        return None if normal.startswith("..") or normal in (".", "") else normal
