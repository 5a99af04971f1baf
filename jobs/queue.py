"""The queue: what wants to be reconciled, when, and which runs of pipelines are under way. RQ carries the jobs.

A subject that is wanted stands in ``ghapp:wanted`` with a count of its wishes until a reconcile has begun after the
last of them and ended well; the RQ job, unique by its id, only carries it to a worker. So an event that arrives while
its subject is being reconciled is never lost, and whatever dies, the entry remains and a job is made for it again.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import orjson
import rq
from redis import Redis
from rq.exceptions import DuplicateJobError, NoSuchJobError
from rq.executions import Execution
from rq.job import Job, validate_job_id
from rq.serializers import JSONSerializer

from jobs.connect import text
from jobs.subjects import Ask, Subject

RECONCILE = "reconcile"  # what someone waits for
BACKGROUND = "background"  # what the sweep looks at; waits behind the former
PIPELINE = "pipeline"  # runs of pipelines: long

WANTED = "ghapp:wanted"  # hash: subject → how often it was wanted
DUE = "ghapp:due"  # sorted set: subject → when it shall be reconciled by itself (seconds since the epoch)
RUNS = "ghapp:runs"  # hash: run id → its subject
FAILURES = "ghapp:failures"  # hash: subject → {"error", "at", "attempts"}

RECONCILE_TIMEOUT = 300  # seconds
_ASKS_KEPT = 100
_CANCEL_KEPT = 86_400

# KEYS: wanted · ARGV: subject, the count that was seen at the start. Removes the wish unless there was another since.
_SETTLE = """
if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then return redis.call('HDEL', KEYS[1], ARGV[1]) end
return 0
"""

# KEYS: due · ARGV: now, how many at most. Takes what is due; no two clocks get the same.
_TAKE_DUE = """
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
for _, subject in ipairs(due) do
  redis.call('HINCRBY', KEYS[2], subject, 1)
  redis.call('ZREM', KEYS[1], subject)
end
return due
"""


class Queue:
    """Everything that enqueues uses this. Safe for threads; cheap to make."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self._settle = redis.register_script(_SETTLE)
        self._take_due = redis.register_script(_TAKE_DUE)

    # --- subjects -----------------------------------------------------------------------------------
    def enqueue(
        self,
        subject: Subject,
        *,
        at: datetime | None = None,
        delay: timedelta | None = None,
        reason: str = "",
        ask: Ask | None = None,
        background: bool = False,
    ) -> None:
        """Have ``subject`` reconciled: now, ``at`` a moment (UTC), or after ``delay``; the earliest moment wins.

        Many wishes become one reconcile; one that arrives during a reconcile is met by one more after it. ``reason`` is
        what the log says. ``ask`` reaches the next reconcile's context. ``background`` lets others go first.
        """
        if ask is not None:
            self.redis.rpush(_asks(subject), orjson.dumps(asdict(ask)))
        moment = at.timestamp() if at else time.time() + delay.total_seconds() if delay else 0.0
        if moment > time.time():
            self.redis.zadd(DUE, {str(subject): moment}, lt=True)
            return
        self.redis.hincrby(WANTED, str(subject), 1)
        self.carry(subject, reason=reason, background=background)

    def carry(self, subject: Subject, *, reason: str = "", background: bool = False) -> bool:
        """Make the job that carries a wanted subject to a worker; whether there was none before."""
        try:
            rq_queue(self.redis, BACKGROUND if background else RECONCILE).enqueue(
                "jobs.worker.reconcile_subject",
                str(subject),
                job_id=subject.job_id,
                unique=True,
                job_timeout=RECONCILE_TIMEOUT,
                result_ttl=0,
                failure_ttl=60,
                description=f"{subject}: {reason}" if reason else str(subject),
            )
        except DuplicateJobError:
            return False
        return True

    def take_due(self, now: datetime, most: int = 500) -> list[Subject]:
        """Subjects whose moment has come; they are wanted from now on, and the caller carries them."""
        taken = self._take_due(keys=[DUE, WANTED], args=[now.timestamp(), most])
        return [Subject.parse(text(raw)) for raw in taken]

    def due_at(self, subject: Subject) -> datetime | None:
        """When a subject shall be reconciled by itself; for pages and tests."""
        score = self.redis.zscore(DUE, str(subject))
        return None if score is None else datetime.fromtimestamp(score).astimezone()

    def wanted(self, subject: Subject) -> int:
        """How often a subject was wanted since its last settled reconcile; 0 when it is not."""
        return int(self.redis.hget(WANTED, str(subject)) or 0)

    def asks(self, subject: Subject) -> list[Ask]:
        """What was asked about a subject, oldest first, each delivery once."""
        found: dict[str, Ask] = {}
        for index, raw in enumerate(self.redis.lrange(_asks(subject), -_ASKS_KEPT, -1)):
            ask = Ask(**orjson.loads(raw))
            found.setdefault(ask.delivery or str(index), ask)
        return list(found.values())

    def asked(self, subject: Subject) -> int:
        """How many asks are kept now; what :meth:`settle` is given to drop those that were seen."""
        return int(self.redis.llen(_asks(subject)))

    def settle(self, subject: Subject, seen: int, asked: int = 0) -> None:
        """A reconcile that began when ``seen`` wishes and ``asked`` asks were there has ended well."""
        if asked:
            self.redis.ltrim(_asks(subject), asked, -1)
        self._settle(keys=[WANTED], args=[str(subject), seen])
        self.redis.hdel(FAILURES, str(subject))

    def failed(self, subject: Subject, seen: int, error: str, at: datetime, again: datetime) -> None:
        """A reconcile has failed: remember it where people look, and have it tried ``again``."""
        self.redis.hset(
            FAILURES,
            str(subject),
            orjson.dumps({"error": error[:2000], "at": at.isoformat(), "attempts": self.attempts(subject) + 1}),
        )
        self.redis.zadd(DUE, {str(subject): again.timestamp()}, lt=True)
        self._settle(keys=[WANTED], args=[str(subject), seen])

    def attempts(self, subject: Subject) -> int:
        """How many reconciles of a subject have failed in a row."""
        raw = self.redis.hget(FAILURES, str(subject))
        return int(orjson.loads(raw)["attempts"]) if raw else 0

    def failures(self) -> dict[Subject, dict[str, Any]]:
        """Every subject whose last reconcile failed: ``error``, ``at``, ``attempts``."""
        return {Subject.parse(text(k)): orjson.loads(v) for k, v in self.redis.hgetall(FAILURES).items()}

    # --- runs of pipelines --------------------------------------------------------------------------
    def start(
        self, run_id: str, function: str, arguments: Mapping[str, Any], *, subject: Subject, timeout: timedelta
    ) -> bool:
        """Have ``function`` (``"module.function"``) run on a pipeline worker as ``function(context, **arguments)``.

        ``run_id`` (letters, digits, ``-`` and ``_``) is unique: starting one that is queued or running changes nothing
        and returns ``False``. However the run ends, and when its worker dies too, ``subject`` is reconciled afterwards.
        ``arguments`` must be JSON.
        """
        validate_job_id(run_id)
        self.redis.hset(RUNS, run_id, str(subject))
        try:
            rq_queue(self.redis, PIPELINE).enqueue(
                "jobs.worker.run_pipeline",
                run_id,
                function,
                dict(arguments),
                job_id=run_id,
                unique=True,
                job_timeout=int(timeout.total_seconds()),
                result_ttl=0,
                failure_ttl=60,
                description=f"run {run_id} of {subject}",
            )
        except DuplicateJobError:
            return False
        return True

    def alive(self, run_id: str) -> bool:
        """Whether a run is queued or running. A run whose worker died stops being alive within a minute."""
        return bool(self.redis.hexists(RUNS, run_id))

    def cancel(self, run_id: str, reason: str) -> None:
        """Stop a run: one in the queue is removed, one that runs sees :meth:`cancelled` and stops by itself."""
        self.redis.set(_cancel(run_id), reason, ex=_CANCEL_KEPT)
        if self.redis.lrem(rq_queue(self.redis, PIPELINE).key, 0, run_id):
            self.end(run_id)

    def cancelled(self, run_id: str) -> str | None:
        """Why a run shall stop; ``None`` while it need not. A run asks about once a second."""
        reason = self.redis.get(_cancel(run_id))
        return text(reason) if reason is not None else None

    def end(self, run_id: str, reason: str = "the run has ended") -> None:
        """A run is over, well or not: forget it, and look at its subject."""
        subject = self.redis.hget(RUNS, run_id)
        self.forget_job(run_id)
        self.redis.hdel(RUNS, run_id)
        if subject is not None:
            self.enqueue(Subject.parse(text(subject)), reason=reason)

    # --- RQ's records -------------------------------------------------------------------------------
    def forget_job(self, job_id: str) -> None:
        """Remove a job from all of RQ's registries, so that one with the same id can be made."""
        try:
            job = Job.fetch(job_id, connection=self.redis, serializer=JSONSerializer)
        except NoSuchJobError:
            return
        self._forget_lost(job)
        job.delete()

    def _forget_lost(self, job: Job) -> None:
        """Drop executions of killed workers: their records expire a minute before RQ's index of them, and RQ's own
        delete fails over such an entry."""
        for number in job.execution_registry.get_execution_ids():
            lost = Execution(number, job.id, self.redis)
            if not self.redis.exists(lost.key):
                self.redis.zrem(job.execution_registry.key, number)
                self.redis.zrem(job.started_job_registry.key, lost.composite_key)


def rq_queue(redis: Redis, name: str) -> rq.Queue:
    """RQ's queue of that name. JSON, not pickle: what stands in Redis must not be able to run code of its own."""
    return rq.Queue(name, connection=redis, serializer=JSONSerializer)


def _asks(subject: Subject) -> str:
    return f"ghapp:asks:{subject}"


def _cancel(run_id: str) -> str:
    return f"ghapp:cancel:{run_id}"
