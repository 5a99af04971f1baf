"""How steps and stages ended, as facts: what evidence, checks, later steps and the run's page are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ghapp.github.checks import Annotation
from policies.finding import Finding


class Outcome(StrEnum):
    """``ERROR`` means that nobody can say whether the step would have passed: it never counts as passed."""

    SUCCESS = "success"
    FAILURE = "failure"
    ERROR = "error"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Ended:
    """What one attempt at a step came to.

    ``sentence`` says why it did not succeed. ``facts`` are further JSON data for its evidence (a scanner's version, its
    database's date); ``files`` are artifacts that a plugin made: name → bytes.
    """

    outcome: Outcome
    sentence: str = ""
    exit_code: int | None = None
    outputs: Mapping[str, str] = field(default_factory=dict)
    annotations: Sequence[Annotation] = ()
    findings: Sequence[Finding] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StepResult:
    """One step of a finished or running stage. ``tail`` are its last lines, ``log`` the store's key of the whole."""

    title: str
    id: str
    ended: Ended
    seconds: float = 0
    attempts: int = 1
    tolerated: bool = False
    plugin: str = ""
    version: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    tail: str = ""
    log: str = ""

    @property
    def passed(self) -> bool:
        return self.ended.outcome in (Outcome.SUCCESS, Outcome.SKIPPED)

    @property
    def blocks(self) -> bool:
        """Whether the stage fails for it."""
        return not self.passed and not self.tolerated


@dataclass(frozen=True, slots=True)
class StageResult:
    """A stage that ended: its steps in order."""

    stage: str
    steps: tuple[StepResult, ...]
    sentence: str = ""
    outcome_override: Outcome | None = None

    @property
    def outcome(self) -> Outcome:
        """The worst that a blocking step came to; skipped when nothing ran."""
        if self.outcome_override is not None:
            return self.outcome_override
        bad = [s.ended.outcome for s in self.steps if s.blocks]
        for worst in (Outcome.CANCELLED, Outcome.TIMED_OUT, Outcome.ERROR, Outcome.FAILURE):
            if worst in bad:
                return worst
        ran = any(s.ended.outcome is not Outcome.SKIPPED for s in self.steps)
        return Outcome.SUCCESS if ran or not self.steps else Outcome.SKIPPED

    @property
    def green(self) -> bool:
        """Whether later stages may build on it. Steps that were all skipped by their own conditions are no obstacle."""
        return self.outcome in (Outcome.SUCCESS, Outcome.SKIPPED) and self.outcome_override is None
