"""Passes when a Kubernetes Job has succeeded for this head. Judges the recorded end; running it is a job's part."""

from __future__ import annotations

from datetime import UTC, datetime

from policies.demands import Job
from policies.gates.demanded import Demanded, judge_each
from policies.gates.facts import Promotion
from policies.gates.results import newest
from policies.policy import PolicySet
from policies.quantity import format_duration
from policies.verdict import Verdict, failed, passed, pending

NAME = "job"


def evaluate(facts: Promotion, policies: PolicySet, now: datetime) -> Verdict | None:
    """Every job gate, by its newest result for this head."""

    def judge(demanded: Demanded) -> list[Verdict]:
        job = demanded.demand.job
        return [_one(demanded.demand.name, job, facts, now)] if job else []

    return judge_each(facts, policies, "job", judge)


def _one(name: str, job: Job, facts: Promotion, now: datetime) -> Verdict:
    answer = newest(name, facts)
    if isinstance(answer, Verdict):
        return answer
    if answer is None:
        return pending(f"{name}: has not been started yet")
    result = answer.result
    if result.error:
        return failed(f"{name}: {result.error}")
    if result.status is None:
        since = result.since or result.at
        ends = since + job.timeout
        if now >= ends:
            return failed(f"{name}: took longer than {format_duration(job.timeout)}")
        return pending(f"{name}: runs since {since.astimezone(UTC):%Y-%m-%d %H:%M} UTC", until=ends)
    if result.status:
        return failed(f"{name}: ended with exit status {result.status}")
    return passed(f"{name}: succeeded")
