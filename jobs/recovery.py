"""Finding what a dead worker left behind: wanted subjects that no job carries, runs that nobody carries out.

It is safe to do at any time, by any number of processes: what is alive has a lease or stands in a queue.
"""

from __future__ import annotations

import logging

from jobs import leases
from jobs.connect import text
from jobs.queue import BACKGROUND, PIPELINE, RECONCILE, RUNS, WANTED, Queue, rq_queue
from jobs.subjects import Subject

log = logging.getLogger(__name__)


class Recovery:
    """Looks again and again. What has no lease and stands in no queue twice in a row is abandoned.

    Once could be the moment between a worker's taking a job from the queue and taking its lease.
    """

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._suspects: set[str] = set()

    def look(self) -> int:
        """One look; returns how many abandoned subjects and runs were brought back."""
        redis = self._queue.redis
        waiting = {
            text(job_id)
            for name in (RECONCILE, BACKGROUND, PIPELINE)
            for job_id in redis.lrange(rq_queue(redis, name).key, 0, -1)
        }
        subjects = [Subject.parse(text(raw)) for raw in redis.hkeys(WANTED)]
        orphans = {str(subject) for subject in subjects if subject.job_id not in waiting}
        orphans |= {f"run/{run}" for run in map(text, redis.hkeys(RUNS)) if run not in waiting}
        orphans = {name for name in orphans if not leases.held(redis, name)}
        abandoned = orphans & self._suspects
        self._suspects = orphans - abandoned
        for name in abandoned:
            take_over(self._queue, name)
        return len(abandoned)


def take_over(queue: Queue, name: str) -> None:
    """Bring back what a lease called ``name`` stood for; its holder is dead."""
    kind, _, rest = name.partition("/")
    if kind == "run":
        log.warning("run %s lost its worker", rest)
        queue.end(rest, "its worker died")
        return
    subject = Subject.parse(name)
    log.warning("%s lost its worker; it is reconciled again", subject)
    queue.forget_job(subject.job_id)
    if queue.wanted(subject):
        queue.carry(subject, reason="its worker died")
