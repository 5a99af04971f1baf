"""Glob patterns over names and paths, compiled to RE2 so that no pattern can be slow.

``*`` and ``?`` stay within one segment of a path, ``**`` crosses segments. A leading ``!`` excludes. Touches no file.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import re2

_TOKENS = re2.compile(r"\*\*/|\*\*|\*|\?|[^*?]+")


@lru_cache(maxsize=4096)
def _compiled(pattern: str, fold: bool) -> re2._Regexp[str]:
    parts = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    body = "".join(parts.get(token) or re2.escape(token) for token in _TOKENS.findall(pattern))
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
