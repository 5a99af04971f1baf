"""The conditions on a promotion, in one list, and what they say together.

:func:`judge` asks every gate; :func:`ready` sums their verdicts up, and is the only one that branch protection needs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime

from policies.gates import (
    approval,
    bypass,
    checks,
    external,
    filter,  # noqa: A004 - the gate's name
    hold,
    http,
    job,
    metric,
    plugins,
    upstream,
    vulnerability,
    window,
)
from policies.gates.exemptions import without_exempt
from policies.gates.facts import Promotion
from policies.gates.interface import Gate
from policies.markdown import plain
from policies.policy import PolicySet
from policies.verdict import State, Verdict, passed, worst

# In the order in which they are shown.
GATES: tuple[Gate, ...] = (
    hold,
    upstream,
    window,
    bypass,
    approval,
    checks,
    filter,
    vulnerability,
    plugins,
    http,
    job,
    metric,
    external,
)
_MOST = 600  # characters of a sentence


def judge(facts: Promotion, policies: PolicySet, now: datetime) -> dict[str, Verdict]:
    """The verdict of every gate that asks something of this promotion, by the gate's name. ``now`` is aware."""
    facts, policies = without_exempt(facts, policies)
    found = {gate.NAME: gate.evaluate(facts, policies, now) for gate in GATES}
    return {name: _one_line(verdict) for name, verdict in found.items() if verdict is not None}


def _one_line(verdict: Verdict) -> Verdict:
    """Reasons, messages and summaries come from people and other Apps; a sentence is one line all the same."""
    sentence = " ".join(plain(verdict.sentence).split())
    return verdict if sentence == verdict.sentence else dataclasses.replace(verdict, sentence=sentence)


def ready(verdicts: Mapping[str, Verdict]) -> Verdict:
    """Their sum: passes when all do, else says which are missing. ``until`` is the earliest of theirs."""
    missing = {name: verdict for name, verdict in verdicts.items() if not verdict.passed}
    until = min((v.until for v in verdicts.values() if v.until), default=None)
    worst_one = worst(missing.values())
    if worst_one is None:
        count = len(verdicts)
        said = "there are no gates" if not count else "the one gate passes" if count == 1 else f"all {count} gates pass"
        return passed(said, until=until)
    order = sorted(missing.items(), key=lambda item: (State.ERROR, State.FAIL, State.PENDING).index(item[1].state))
    said = f"{len(missing)} of {len(verdicts)} gates missing — " + "; ".join(f"{n}: {v.sentence}" for n, v in order)
    return Verdict(worst_one.state, said if len(said) <= _MOST else f"{said[: _MOST - 1]}…", until=until)


__all__ = ["GATES", "Gate", "judge", "ready"]
