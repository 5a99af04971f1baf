"""Predicates on commit statuses and check runs of the head."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from policies.approval.case import Case
from policies.approval.facts import Facts
from policies.approval.result import Finding
from policies.approval.shapes import ListOf, Record, Shape, Text

SUCCESS = ("success",)
CONCLUSIONS = ListOf(Text(), "The conclusions that are allowed; success when none is given.")


def latest(facts: Facts) -> dict[str, str]:
    """The newest conclusion by name; a check run stands before a status of its name, also while it runs (``""``)."""
    results: dict[str, str] = {}
    for status in sorted(facts.statuses, key=lambda s: s.created_at):
        results[status.context] = status.state
    return results | {run.name: run.conclusion for run in reversed(facts.check_runs)}


@dataclass(frozen=True)
class HasStatus:
    """True when all statuses are there with an allowed conclusion."""

    key: ClassVar[str] = "has_status"
    shape: ClassVar[Shape] = Record(
        {"statuses": ListOf(Text(), "Names of statuses or check runs."), "conclusions": CONCLUSIONS},
        "All of these checks concluded as wanted.",
    )
    statuses: tuple[str, ...]
    conclusions: tuple[str, ...] = SUCCESS

    @classmethod
    def of(cls, value: Any) -> Self:
        return cls(tuple(value.get("statuses") or ()), tuple(value.get("conclusions") or ()) or SUCCESS)

    def judge(self, case: Case) -> Finding:
        case.require("statuses")
        results: dict[str, str] = case.memo.get("statuses") or latest(case.facts)
        case.memo["statuses"] = results
        allowed = " or ".join(self.conclusions)
        if missing := [name for name in self.statuses if name not in results]:
            return Finding(self.key, False, f"{', '.join(missing)} has not reported on this commit")
        if failing := [name for name in self.statuses if results[name] not in self.conclusions]:
            told = ", ".join(f"{name} ({results[name] or 'still running'})" for name in failing)
            return Finding(self.key, False, f"{told} has not concluded with {allowed}")
        return Finding(self.key, True, f"{', '.join(self.statuses) or 'no check'} concluded with {allowed}")


@dataclass(frozen=True)
class HasSuccessfulStatus(HasStatus):
    """The older way to write ``has_status`` with the conclusion ``success``."""

    key: ClassVar[str] = "has_successful_status"
    shape: ClassVar[Shape] = ListOf(Text(), "Deprecated: write has_status.")

    @classmethod
    def of(cls, value: Any) -> Self:
        return cls(tuple(value or ()))
