"""The predicate on how many lines a change adds and deletes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from policies.approval.case import Case
from policies.approval.result import Finding
from policies.approval.shapes import Parsed, Record, Shape

_GRAMMAR = re.compile(r"([<>=])[ \t]*([-+]?[0-9]{1,19})\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Comparison:
    """``<``, ``>`` or ``=`` and a number."""

    operator: str
    number: int

    def holds(self, n: int) -> bool:
        if self.operator == "<":
            return n < self.number
        return n > self.number if self.operator == ">" else n == self.number

    def __str__(self) -> str:
        return f"{self.operator} {self.number}"


def comparison(text: str) -> Comparison | None:
    """``None`` for an empty text, which compares nothing. Raises ValueError."""
    text = text.strip()
    if not text:
        return None
    match = _GRAMMAR.match(text)
    if not match or not -(2**63) <= int(match[2]) < 2**63:
        raise ValueError(
            f"`{text[:40]}` is not a comparison; write `<`, `>` or `=` and a whole number, such as `> 100`"
        )
    return Comparison(match[1], int(match[2]))


_COMPARISON = Parsed(comparison, None, {"type": ["string", "null"], "pattern": "^\\s*([<>=][ \\t]*[-+]?[0-9]+)?\\s*$"})


@dataclass(frozen=True)
class ModifiedLines:
    """True when any of the given comparisons holds."""

    key: ClassVar[str] = "modified_lines"
    shape: ClassVar[Shape] = Record(
        {"additions": _COMPARISON, "deletions": _COMPARISON, "total": _COMPARISON},
        "Any of these holds for the number of lines.",
    )
    additions: Comparison | None
    deletions: Comparison | None
    total: Comparison | None

    @classmethod
    def of(cls, value: Any) -> Self:
        return cls(value.get("additions"), value.get("deletions"), value.get("total"))

    def judge(self, case: Case) -> Finding:
        case.require("files")
        added = sum(file.additions for file in case.facts.files)
        deleted = sum(file.deletions for file in case.facts.files)
        asked = (
            ("added", self.additions, added),
            ("deleted", self.deletions, deleted),
            ("modified", self.total, added + deleted),
        )
        for what, wanted, n in asked:
            if wanted is not None and wanted.holds(n):
                return Finding(self.key, True, f"{n} lines {what}, which is {wanted}")
        missed = [f"{n} lines {what}, which is not {wanted}" for what, wanted, n in asked if wanted is not None]
        return Finding(self.key, False, "; ".join(missed) or "no comparison is given")
