"""What an evaluation says: a tree of nodes, each with its outcome, its sentence and what led to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum
from typing import Any

from policies.approval.facts import Login


class Outcome(StrEnum):
    """The state of one node. ``SKIPPED`` takes the node out of its parent's sum; ``ERROR`` needs a repair."""

    APPROVED = "approved"
    PENDING = "pending"
    SKIPPED = "skipped"
    DISAPPROVED = "disapproved"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one predicate found: its key in the policy file, whether it holds, and why."""

    key: str
    satisfied: bool
    sentence: str


class Source(Enum):
    COMMENT = "comment"
    BODY = "description"
    REVIEW = "review"


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something a person did that may count. ``commit_oid`` is known for reviews alone."""

    source: Source
    login: Login
    created_at: datetime
    edited: bool = False
    commit_oid: str | None = None
    order: int = 0  # the place among the pull request's reviews; later is newer


@dataclass(frozen=True, slots=True)
class Rejection:
    """A candidate that does not count, and why, as the end of a sentence about their approval."""

    candidate: Candidate
    reason: str


@dataclass(frozen=True)
class Result:
    """One node. ``kind`` is ``policy``, ``approval``, ``disapproval``, ``and``, ``or`` or ``rule``."""

    kind: str
    name: str
    outcome: Outcome
    sentence: str
    description: str = ""
    children: tuple[Result, ...] = ()
    findings: tuple[Finding, ...] = ()
    conditions: tuple[Finding, ...] = ()
    required: int = 0
    approvers: tuple[Candidate, ...] = ()
    rejections: tuple[Rejection, ...] = ()
    rule: Any = None  # the rule itself, where the node is one

    def leaves(self) -> Iterator[Result]:
        if not self.children:
            yield self
        for child in self.children:
            yield from child.leaves()

    def to_json(self) -> dict[str, Any]:
        """The node as ``--json`` prints it: kind, name, state, sentence, and what is below."""
        shown: dict[str, Any] = {"kind": self.kind, "name": self.name, "state": str(self.outcome)}
        shown["sentence"] = self.sentence
        if self.description:
            shown["description"] = self.description
        for key, findings in (("if", self.findings), ("conditions", self.conditions)):
            if findings:
                shown[key] = [{"key": f.key, "satisfied": f.satisfied, "sentence": f.sentence} for f in findings]
        if self.approvers:
            shown["approved_by"] = [c.login for c in self.approvers]
        if self.rejections:
            shown["not_counted"] = [{"login": r.candidate.login, "reason": r.reason} for r in self.rejections]
        if self.children:
            shown["children"] = [child.to_json() for child in self.children]
        return shown
