"""Predicates on the branches of a pull request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from policies.approval.case import Case
from policies.approval.patterns import Pattern
from policies.approval.result import Finding
from policies.approval.shapes import Expression, Record, Shape


@dataclass(frozen=True)
class TargetsBranch:
    """True when the base branch matches; without a pattern it never does, with an empty one always."""

    key: ClassVar[str] = "targets_branch"
    shape: ClassVar[Shape] = Record({"pattern": Expression()}, "The branch that the pull request goes into.")
    pattern: Pattern | None

    @classmethod
    def of(cls, value: Any) -> Self:
        return cls(value.get("pattern"))

    def judge(self, case: Case) -> Finding:
        return _judge(self.key, self.pattern, "target", case.facts.base_branch)


@dataclass(frozen=True)
class FromBranch:
    """True when the head branch matches; a fork's reads ``owner:branch``."""

    key: ClassVar[str] = "from_branch"
    shape: ClassVar[Shape] = Record({"pattern": Expression()}, "The branch it comes from; a fork's is owner:branch.")
    pattern: Pattern | None

    @classmethod
    def of(cls, value: Any) -> Self:
        return cls(value.get("pattern"))

    def judge(self, case: Case) -> Finding:
        return _judge(self.key, self.pattern, "source", case.facts.head_name)


def _judge(key: str, pattern: Pattern | None, which: str, branch: str) -> Finding:
    if pattern is None:
        return Finding(key, False, "no pattern is given")
    matches = pattern.matches(branch)
    verb = "matches" if matches else "does not match"
    return Finding(key, matches, f"the {which} branch {branch} {verb} `{pattern}`")
