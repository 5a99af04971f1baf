"""How many runs of an app go on at once, first come, first served; and which run each ref started last.

Kept in Redis, and only there: losing it lets a few runs start too early, or a path filter hold nothing back.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from redis import Redis

from jobs.connect import text
from jobs.queue import Queue

_YOUNG = 30.0  # seconds in which a run that was let in must have been queued
_WAITING_KEPT = 120  # seconds after which one who waits and does not ask again is forgotten
_REFS_KEPT = 180 * 86_400
_RUNS_KEPT = 2 * 86_400

# KEYS: holders, waiting · ARGV: run, limit, now. Lets the run in if as many are free as stand before it.
_ENTER = """
if redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 1 end
redis.call('ZADD', KEYS[2], 'NX', ARGV[3], ARGV[1])
local free = tonumber(ARGV[2]) - redis.call('ZCARD', KEYS[1])
if redis.call('ZRANK', KEYS[2], ARGV[1]) < free then
  redis.call('ZREM', KEYS[2], ARGV[1])
  redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1])
  return 1
end
return 0
"""


class Slots:
    """The slots of one app of one repository."""

    def __init__(self, queue: Queue, repository: int, app: str) -> None:
        self._queue, self._redis = queue, queue.redis
        self._holders = f"ghapp:slots:{repository}:{app}"
        self._waiting = f"ghapp:waiting:{repository}:{app}"
        self._enter = self._redis.register_script(_ENTER)

    def enter(self, run: str, commit: str, limit: int, now: float) -> bool:
        """Whether ``run`` (of ``commit``) may start now; one that may not keeps its place by asking again."""
        if not limit:
            return True
        self._redis.set(_place(run), commit, ex=_WAITING_KEPT)
        for holder, since in self._members(self._holders):
            if now - since > _YOUNG and not self._queue.alive(holder):
                self._redis.zrem(self._holders, holder)
        for one, _ in self._members(self._waiting):
            if not self._redis.exists(_place(one)):
                self._redis.zrem(self._waiting, one)
        return bool(self._enter(keys=[self._holders, self._waiting], args=[run, limit, now]))

    def leave(self, run: str) -> str | None:
        """``run`` has ended or will not start; returns the commit of the one that waits longest, which may go now."""
        self._redis.zrem(self._holders, run)
        self._redis.zrem(self._waiting, run)
        waiting: Any = self._redis.zrange(self._waiting, 0, 0)
        commit = self._redis.get(_place(text(waiting[0]))) if waiting else None
        return text(commit) if commit is not None else None

    def under_way(self, run: str) -> bool:
        """Whether a run is queued, running, or waits for its turn."""
        return self._queue.alive(run) or bool(self._redis.exists(_place(run)))

    def _members(self, key: str) -> list[tuple[str, float]]:
        found: Any = self._redis.zrange(key, 0, -1, withscores=True)
        return [(text(member), score) for member, score in found]


def _place(run: str) -> str:
    return f"ghapp:waits:{run}"


@dataclass(frozen=True, slots=True)
class Last:
    """What was decided last for an app on a ref: for which commit, and the last run that was started and its commit.

    A commit that no run was started for (its paths are excluded) leaves the run of the one before: that one goes on.
    """

    decided: str = ""
    run: str = ""
    commit: str = ""


class Memory:
    """Which commits and runs an app's refs have come to."""

    def __init__(self, redis: Redis, repository: int, app: str) -> None:
        self._redis, self._root = redis, f"ghapp:last:{repository}:{app}"

    def last(self, ref: str) -> Last:
        found = self._redis.get(f"{self._root}:{ref}")
        return Last(*json.loads(text(found))) if found is not None else Last()

    def decided(self, ref: str, sha: str, run: str = "") -> None:
        """Remember a decision: ``run`` was started for ``sha``, or, without one, none had to be."""
        before = self.last(ref)
        now = (sha, run, sha) if run else (sha, before.run, before.commit)
        if now != (before.decided, before.run, before.commit):
            self._redis.set(f"{self._root}:{ref}", json.dumps(now), ex=_REFS_KEPT)

    def refs_of(self, run: str) -> list[str]:
        """The refs for which a run was started; empty when that is not known any more."""
        found = self._redis.get(f"ghapp:refs:{run}")
        return list(json.loads(text(found))) if found is not None else []

    def remember_refs(self, run: str, refs: Sequence[str]) -> None:
        self._redis.set(f"ghapp:refs:{run}", json.dumps(list(refs)), ex=_RUNS_KEPT)
