"""Passes when a Prometheus query has stayed within its bounds for long enough. Judges recorded samples; asks nobody."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

from policies.demands import Metric
from policies.gates.demanded import Demanded, judge_each
from policies.gates.facts import Promotion
from policies.gates.results import newest
from policies.policy import PolicySet
from policies.quantity import format_duration
from policies.verdict import Verdict, error, passed, pending

NAME = "metric"


def evaluate(facts: Promotion, policies: PolicySet, now: datetime) -> Verdict | None:
    """Every metric gate, by its newest samples for this head."""

    def judge(demanded: Demanded) -> list[Verdict]:
        metric = demanded.demand.metric
        return [_one(demanded.demand.name, metric, facts, now)] if metric else []

    return judge_each(facts, policies, "metric", judge)


def _one(name: str, metric: Metric, facts: Promotion, now: datetime) -> Verdict:
    answer = newest(name, facts)
    if isinstance(answer, Verdict):
        return answer
    if answer is None:
        return pending(f"{name}: has not been measured yet")
    if answer.result.error:
        return error(f"{name}: cannot be measured: {answer.result.error}")
    samples = sorted(s for s in answer.result.samples if now - metric.for_ <= s[0] <= now)
    outside = [(at, value) for at, value in samples if not _within(value, metric)]
    length = format_duration(metric.for_)
    if outside:
        at, value = outside[-1]
        moment = f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        return pending(
            f"{name}: was {value:g} at {moment}; has to be {_bounds(metric)} for {length}", until=at + metric.for_
        )
    # A gap hides what happened in it: no two samples, nor the ends, may be further apart than two measurements.
    moments = [now - metric.for_, *(at for at, _ in samples), now]
    gap = max(b - a for a, b in pairwise(moments))
    if gap > 2 * metric.every:
        have = f"{len(samples)} sample{'s' if len(samples) != 1 else ''} of the last {length}"
        return pending(
            f"{name}: has only {have}, one is needed every {format_duration(metric.every)}", until=now + metric.every
        )
    return passed(f"{name}: has been {_bounds(metric)} for {length}")


def _within(value: float, metric: Metric) -> bool:
    """A value that is not a number is within nothing."""
    if value != value:
        return False
    return (metric.above is None or value > metric.above) and (metric.below is None or value < metric.below)


def _bounds(metric: Metric) -> str:
    above = f"above {metric.above:g}" if metric.above is not None else ""
    below = f"below {metric.below:g}" if metric.below is not None else ""
    return " and ".join(b for b in (above, below) if b)
