"""What a gate is: a name, and a function from facts, policies and a moment to a verdict."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from policies.gates.facts import Promotion
from policies.policy import PolicySet
from policies.verdict import Verdict, error


class Gate(Protocol):
    """A module of this package. ``NAME`` is how checks, trailers and policies call it."""

    NAME: str

    def evaluate(self, facts: Promotion, policies: PolicySet, now: datetime) -> Verdict | None:
        """The verdict; ``None`` where nothing is asked of this promotion. Never raises for what people wrote."""
        ...


def broken(policies: PolicySet, *kinds: str) -> Verdict | None:
    """An error where a policy of one of these kinds cannot be read: it may have said no."""
    problems = list(dict.fromkeys(p for kind in kinds for p in policies.problems(kind)))
    if not problems:
        return None
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return error(f"a policy cannot be read: {problems[0]}{more}", details="\n".join(f"- {p}" for p in problems[:50]))
