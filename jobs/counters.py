"""What was done, counted for all processes together: numbers in Redis that only grow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from redis import Redis

from jobs.connect import text

_KEY = "ghapp:counted"  # hash: "name|label|label" → number

# name → what it counts, and its labels.
COUNTERS: dict[str, tuple[str, list[str]]] = {
    "deliveries": ("Webhook deliveries that were dispatched.", ["event"]),
    "reconciles": ("Reconciles that ended.", ["kind", "outcome"]),
    "reconcile_seconds": ("Seconds spent in reconciles.", ["kind"]),
    "github_calls": ("Calls to GitHub.", ["method"]),
}


def count(redis: Redis, values: Iterable[tuple[str, tuple[str, ...], float]]) -> None:
    """Add to counters, in one round trip: (name, labels, how much)."""
    with redis.pipeline(transaction=False) as pipeline:
        for name, labels, amount in values:
            pipeline.hincrbyfloat(_KEY, "|".join((name, *labels)), amount)
        pipeline.execute()


def counted(redis: Redis) -> Mapping[str, Mapping[tuple[str, ...], float]]:
    """Every counter: its value by its labels."""
    found: dict[str, dict[tuple[str, ...], float]] = {name: {} for name in COUNTERS}
    for key, value in redis.hgetall(_KEY).items():
        name, *labels = text(key).split("|")
        if name in found:
            found[name][tuple(labels)] = float(value)
    return found
