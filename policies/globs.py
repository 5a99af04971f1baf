"""Glob patterns over names and paths, compiled to RE2 so that no pattern can be slow.

``*``, ``?`` and ``[a-z]`` stay within one segment of a path, ``**`` crosses segments. A leading ``!`` excludes. Touches
no file.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import re2

_TOKENS = re2.compile(r"(?s)\*\*/|\*\*|\*|\?|\[[!^]?[^\[\]/]+\]|.")


class BadGlob(ValueError):
    """A glob that cannot be meant as it is written; the message says why."""


def check(pattern: str) -> None:
    """Raises :class:`BadGlob` for an empty pattern, a ``[`` without its ``]`` and a range that runs backwards.

    Matching itself never fails: there, such a bracket stands for itself.
    """
    glob = pattern.removeprefix("!")
    if not glob:
        raise BadGlob("an empty glob fits nothing")
    for part in _TOKENS.findall(glob):
        if part == "[":
            raise BadGlob(f"the glob {pattern!r} opens a [ that it does not close")
        if part.startswith("[") and not _class(part):
            raise BadGlob(f"the glob {pattern!r} has a range that runs backwards")


def _class(token: str) -> str:
    """The pattern of a ``[…]``, ``""`` where it means nothing."""
    inner = token[1:-1]
    negative, inner = ("^", inner[1:]) if inner[0] in "!^" else ("", inner)
    escaped = "".join(c if c == "-" or c.isalnum() else re2.escape(c) for c in inner)
    backwards = any(a > b for a, dash, b in zip(inner, inner[1:], inner[2:], strict=False) if dash == "-")
    return "" if backwards or not inner else f"[{negative}{escaped}]"


@lru_cache(maxsize=4096)
def _compiled(pattern: str, fold: bool) -> re2._Regexp[str]:
    parts = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    tokens = _TOKENS.findall(pattern)
    body = "".join(
        parts.get(token) or (_class(token) if len(token) > 1 else "") or re2.escape(token) for token in tokens
    )
    return re2.compile(f"(?{'i' if fold else ''}s:{body})")


def matches(pattern: str, text: str, *, fold: bool = False) -> bool:
    """Whether the whole of ``text`` matches one pattern; ``fold`` ignores case, as GitHub does in logins and names."""
    return bool(_compiled(pattern, fold).fullmatch(text))


def matches_any(patterns: Sequence[str], text: str, *, fold: bool = False) -> bool:
    """Whether the last pattern that matches ``text`` includes it. Only exclusions given: all else is included."""
    included = bool(patterns) and all(p.startswith("!") for p in patterns)
    for pattern in patterns:
        if matches(pattern.removeprefix("!"), text, fold=fold):
            included = not pattern.startswith("!")
    return included
