"""What can be counted about the work of all processes: gauges read from the queue, counters kept in Redis."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from redis import Redis

from jobs.connect import text
from jobs.deliveries import STREAM
from jobs.queue import BACKGROUND, DUE, FAILURES, PIPELINE, RECONCILE, RUNS, WANTED, rq_queue

_COUNTERS = "ghapp:counted"  # hash: "name|label|label" → number

# name → what it counts, and its labels.
COUNTERS: dict[str, tuple[str, list[str]]] = {
    "deliveries": ("Webhook deliveries that were dispatched.", ["event"]),
    "reconciles": ("Reconciles that ended.", ["kind", "outcome"]),
    "reconcile_seconds": ("Seconds spent in reconciles.", ["kind"]),
    "runs": ("Runs of pipelines that ended.", ["outcome"]),
    "github_calls": ("Calls to GitHub.", ["method"]),
}


@dataclass(frozen=True, slots=True)
class Measured:
    """``gauges``: name, help, label (empty for none), values. ``counters``: name, help, labels, values."""

    gauges: list[tuple[str, str, str, Mapping[str, float]]]
    counters: list[tuple[str, str, list[str], Mapping[tuple[str, ...], float]]]


def count(redis: Redis, values: Iterable[tuple[str, tuple[str, ...], float]]) -> None:
    """Add to counters, in one round trip: (name, labels, how much)."""
    with redis.pipeline(transaction=False) as pipeline:
        for name, labels, amount in values:
            pipeline.hincrbyfloat(_COUNTERS, "|".join((name, *labels)), amount)
        pipeline.execute()


def measure(redis: Redis) -> Measured:
    queues = {name: float(redis.llen(rq_queue(redis, name).key)) for name in (RECONCILE, BACKGROUND, PIPELINE)}
    single = {
        "deliveries_waiting": ("Deliveries that no dispatcher has finished.", redis.xlen(STREAM)),
        "subjects_wanted": ("Subjects that are to be reconciled or are being reconciled.", redis.hlen(WANTED)),
        "subjects_scheduled": ("Subjects that will be reconciled at a later moment.", redis.zcard(DUE)),
        "subjects_failing": ("Subjects whose last reconcile failed.", redis.hlen(FAILURES)),
        "runs_alive": ("Runs of pipelines that are queued or running.", redis.hlen(RUNS)),
    }
    gauges: list[tuple[str, str, str, Mapping[str, float]]] = [
        ("queue_jobs", "Jobs that wait in a queue.", "queue", queues)
    ]
    gauges += [(name, sentence, "", {"": float(value)}) for name, (sentence, value) in single.items()]
    found: dict[str, dict[tuple[str, ...], float]] = {name: {} for name in COUNTERS}
    for key, value in redis.hgetall(_COUNTERS).items():
        name, *labels = text(key).split("|")
        if name in found:
            found[name][tuple(labels)] = float(value)
    return Measured(gauges, [(name, *COUNTERS[name], found[name]) for name in COUNTERS])
