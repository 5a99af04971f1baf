"""The predicate on the labels of a pull request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from policies.approval.case import Case
from policies.approval.result import Finding
from policies.approval.shapes import ListOf, Shape, Text


def lowered(text: str) -> str:
    """Lower case as Go has it: letter by letter, without regard to the neighbours."""
    return "".join("i" if letter == "İ" else letter.lower() for letter in text)


@dataclass(frozen=True)
class HasLabels:
    """True when all labels are there, whatever their case."""

    key: ClassVar[str] = "has_labels"
    shape: ClassVar[Shape] = ListOf(Text(), "All of these labels are set; case does not matter.")
    labels: tuple[str, ...]

    @classmethod
    def of(cls, value: Any) -> Self:
        return cls(tuple(value or ()))

    def judge(self, case: Case) -> Finding:
        present = {lowered(label) for label in case.facts.labels}
        if missing := [label for label in self.labels if lowered(label) not in present]:
            return Finding(self.key, False, f"the label {missing[0]} is missing")
        return Finding(self.key, True, f"has the labels {', '.join(self.labels) or '(none asked for)'}")
