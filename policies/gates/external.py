"""Passes when another App's check run on the promotion's head is green: any App can be a gate."""

from __future__ import annotations

from datetime import datetime

from policies.demands import CheckDemand
from policies.gates.checks import green
from policies.gates.demanded import Demanded, judge_each
from policies.gates.facts import Promotion
from policies.policy import PolicySet
from policies.verdict import Verdict

NAME = "external"


def evaluate(facts: Promotion, policies: PolicySet, now: datetime) -> Verdict | None:  # noqa: ARG001 - a Gate
    """Every external gate; its answer is the check run of that name by that App."""

    def judge(demanded: Demanded) -> list[Verdict]:
        external = demanded.demand.external
        if external is None:
            return []
        check = CheckDemand(name=external.check, app=external.app, on="head", allow=external.allow)
        verdict = green(check, facts.checks, facts.head_sha, f"the head {facts.head_sha[:7]}")
        return [Verdict(verdict.state, f"{demanded.demand.name}: {verdict.sentence}")]

    return judge_each(facts, policies, "external", judge)
