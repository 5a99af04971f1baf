"""What can be measured about the work of all processes: what the queue holds now, and what was counted so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from redis import Redis

from jobs.counters import COUNTERS, counted
from jobs.deliveries import STREAM
from jobs.queue import BACKGROUND, DUE, FAILURES, PIPELINE, RECONCILE, RUNS, WANTED, rq_queue


@dataclass(frozen=True, slots=True)
class Measured:
    """``gauges``: name, help, label (empty for none), values. ``counters``: name, help, labels, values."""

    gauges: list[tuple[str, str, str, Mapping[str, float]]]
    counters: list[tuple[str, str, list[str], Mapping[tuple[str, ...], float]]]


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
    values = counted(redis)
    return Measured(gauges, [(name, *COUNTERS[name], values[name]) for name in COUNTERS])
