"""The one shape of every decision: a state, a sentence a person can act on, and when it may change.

Every policy's ``evaluate`` returns a :class:`Verdict`; nothing that gives a decision returns anything else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class State(StrEnum):
    """What a verdict says. ``PENDING`` may still become ``PASS`` by itself or by a person; ``ERROR`` needs a repair."""

    PASS = "pass"  # noqa: S105 - a state, not a password
    PENDING = "pending"
    FAIL = "fail"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One decision, explained.

    ``sentence`` is one line a person can act on. ``details`` is Markdown (untrusted text in it is already
    escaped) and may be empty. ``until`` is the moment, in UTC, at which time alone may change the verdict;
    ``None`` means that only a person or an event can.
    """

    state: State
    sentence: str
    details: str = ""
    until: datetime | None = None

    @property
    def passed(self) -> bool:
        return self.state is State.PASS


def passed(sentence: str, *, details: str = "", until: datetime | None = None) -> Verdict:
    return Verdict(State.PASS, sentence, details, until)


def pending(sentence: str, *, details: str = "", until: datetime | None = None) -> Verdict:
    return Verdict(State.PENDING, sentence, details, until)


def failed(sentence: str, *, details: str = "", until: datetime | None = None) -> Verdict:
    return Verdict(State.FAIL, sentence, details, until)


def error(sentence: str, *, details: str = "", until: datetime | None = None) -> Verdict:
    return Verdict(State.ERROR, sentence, details, until)


_SEVERITY = {State.PASS: 0, State.PENDING: 1, State.FAIL: 2, State.ERROR: 3}


def worst(verdicts: Iterable[Verdict]) -> Verdict | None:
    """The most severe verdict (error > fail > pending > pass), the first of equals; ``None`` for none at all."""
    return max(verdicts, key=lambda v: _SEVERITY[v.state], default=None)
