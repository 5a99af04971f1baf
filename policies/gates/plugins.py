"""Passes when every plugin that is required has run on what is released, by the policies of that kind."""

from __future__ import annotations

from datetime import datetime

from policies.gates.facts import Promotion
from policies.gates.interface import broken
from policies.policy import PolicySet
from policies.required_plugins import Ran
from policies.required_plugins import evaluate as judge
from policies.verdict import Verdict

NAME = "plugins"


def evaluate(facts: Promotion, policies: PolicySet, now: datetime) -> Verdict | None:
    """Judged on the release's signed evidence. Each policy stands for itself, so none can weaken another."""
    if problem := broken(policies, "RequiredPlugins"):
        return problem
    applying = policies.of("RequiredPlugins", facts.place)
    if not any(p.body.on in ("promotions", "both") for p in applying):
        return None
    ran = Ran(
        place=facts.place,
        commit=facts.release.commit,
        digests=tuple(facts.release.images.values()),
        evidence=facts.release.evidence,
    )
    return judge(applying, ran, now)
