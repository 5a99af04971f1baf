"""Version numbers and ranges: `1.4.2`, `>=1.4,<2`, `^1.4`, `~1.4.2`, `1.x`. Ordered as SemVer 2.0 says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache, total_ordering

_VERSION = re.compile(r"v?(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?\Z")
_PART = re.compile(r"(>=|<=|!=|==|=|>|<|\^|~)?\s*v?(\*|\d[^\s,]*)\Z")
_EXAMPLE = "write it like >=1.4,<2 or ^1.4"


@total_ordering
@dataclass(frozen=True, slots=True)
class Version:
    """``pre`` are the identifiers after the dash; a version with any comes before the one without."""

    numbers: tuple[int, int, int]
    pre: tuple[str, ...] = ()

    @property
    def _key(self) -> tuple[object, ...]:
        ranked = tuple((0, int(p), "") if p.isdigit() else (1, 0, p) for p in self.pre)
        return (self.numbers, not self.pre, ranked)

    def __lt__(self, other: Version) -> bool:
        return self._key < other._key


def parse_version(text: str) -> Version | None:
    """A version, missing parts being 0; ``None`` for anything else."""
    match = _VERSION.match(text.strip())
    if match is None:
        return None
    major, minor, patch = (int(n or 0) for n in match.group(1, 2, 3))
    return Version((major, minor, patch), tuple(match[4].split(".")) if match[4] else ())


@dataclass(frozen=True, slots=True)
class Range:
    """All of its bounds have to hold: (operator, version)."""

    text: str
    bounds: tuple[tuple[str, Version], ...]

    def __contains__(self, version: Version) -> bool:
        return all(_HOLDS[operator](version, bound) for operator, bound in self.bounds)


_HOLDS = {
    ">=": lambda v, b: v >= b,
    "<=": lambda v, b: v <= b,
    ">": lambda v, b: v > b,
    "<": lambda v, b: v < b,
    "=": lambda v, b: v == b,
    "!=": lambda v, b: v != b,
}


@lru_cache(maxsize=1024)
def parse_range(text: str) -> Range:
    """A range; parts are joined by commas. Raises ValueError with an example."""
    bounds: list[tuple[str, Version]] = []
    for part in text.split(","):
        match = _PART.match(part.strip())
        if match is None:
            raise ValueError(f"{text[:60]!r} is not a version range — {_EXAMPLE}")
        bounds += _bounds(match[1] or "", match[2], text)
    return Range(text, tuple(bounds))


def _bounds(operator: str, number: str, text: str) -> list[tuple[str, Version]]:
    if number == "*" and not operator:
        return []
    wild = re.fullmatch(r"(\d+)(?:\.(\d+))?\.[x*]", number)
    shown = number if wild is None else ".".join(p for p in wild.groups() if p)
    version = parse_version(shown)
    if version is None or (wild and operator):
        raise ValueError(f"{text[:60]!r} is not a version range — {_EXAMPLE}")
    given = shown.partition("-")[0].count(".") + 1
    if operator in ("", "~", "^") and (operator or wild or given < 3):
        return [(">=", version), ("<", _after(version, operator, given))]
    return [("=" if operator in ("", "==") else operator, version)]


def _after(version: Version, operator: str, given: int) -> Version:
    """The first version that ``^``, ``~`` or a version with fewer than three parts leaves out."""
    major, minor, patch = version.numbers
    if operator == "^" and major == 0 and given > 1:
        return Version((0, minor + 1, 0)) if minor or given == 2 else Version((0, 0, patch + 1))
    if operator == "^" or given == 1:
        return Version((major + 1, 0, 0))
    return Version((major, minor + 1, 0))
