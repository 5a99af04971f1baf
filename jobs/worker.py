"""What a worker process does with one job: reconcile a subject, or carry out a run, and leave the queue as it must be.

It decides nothing about deliveries, releases or promotions, and keeps no state between two jobs besides connections.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import rq
from redis import Redis
from rq.serializers import JSONSerializer
from rq.utils import import_attribute

from ghapp.git import GitError
from ghapp.github import errors
from jobs import counters, leases
from jobs.leases import Leases
from jobs.queue import Queue, rq_queue
from jobs.reconcile import Context, reconciler
from jobs.subjects import Again, Subject

if TYPE_CHECKING:
    from ghapp.github.app import GitHubApp
    from ghapp.settings import Settings

log = logging.getLogger(__name__)

_LONGEST_BACKOFF = 900.0  # seconds between tries, however often something fails
_AWAY_BACKOFF = 120.0  # seconds between tries while GitHub is away


@dataclass(frozen=True, slots=True)
class Here:
    """What a worker process has: its connections and its place among the workers."""

    settings: Settings
    redis: Redis
    queue: Queue
    github: GitHubApp
    leases: Leases

    @classmethod
    def at(cls, settings: Settings, redis: Redis, place: str) -> Here:
        from ghapp.github.app import GitHubApp

        return cls(settings, redis, Queue(redis), GitHubApp(settings, redis), Leases(redis, place))

    def context(self, subject: Subject | None = None) -> Context:
        asks = tuple(self.queue.asks(subject)) if subject else ()
        return Context(self.settings, self.github, self.queue, datetime.now(UTC), self.settings.data_dir, asks)


# RQ calls a function by its name; this is how that function finds the process's connections.
here: ContextVar[Here] = ContextVar("here")


class Carrier(rq.SimpleWorker):
    """RQ's worker, in whose process the jobs run, so that connections, tokens and modules are there already.

    What a job leaves to be done is done after RQ has forgotten it: before, no other with its id could be made.
    """

    log_result_lifespan = False

    def execute_job(self, job: rq.job.Job, queue: rq.Queue) -> None:
        super().execute_job(job, queue)
        queue_ = here.get().queue
        if job.func_name == "jobs.worker.reconcile_subject":
            carry_on(queue_, Subject.parse(job.args[0]))
        elif job.func_name == "jobs.worker.run_pipeline" and not leases.held(queue_.redis, f"run/{job.id}"):
            queue_.end(job.id)


def carry_on(queue: Queue, subject: Subject) -> None:
    """Make a new job for a subject that is wanted and that nobody is reconciling."""
    if queue.wanted(subject) and not leases.held(queue.redis, str(subject)):
        queue.carry(subject, reason="wanted again meanwhile")


# --- reconciles ------------------------------------------------------------------------------------
def reconcile_subject(text: str) -> None:
    """The job of one subject. Never raises for what a reconcile may meet; a crash leaves the subject wanted."""
    subject, at = Subject.parse(text), here.get()
    with at.leases.holding(text) as ours:
        if not ours:
            return  # another worker is at it, and looks again when it ends
        seen, asked = at.queue.wanted(subject), at.queue.asked(subject)
        if not seen:
            return
        began = time.monotonic()
        again = _reconcile(at, subject, seen)
        failed = isinstance(again, _Failed)
        _count(at, subject.kind, "failed" if failed else "done", time.monotonic() - began)
        if isinstance(again, _Failed):
            return
        if again is not None:
            at.queue.enqueue(subject, at=again.at, reason=again.reason)
        at.queue.settle(subject, seen, asked)


class _Failed:
    """The reconcile failed and will be tried again."""


def _reconcile(at: Here, subject: Subject, seen: int) -> Again | _Failed | None:
    try:
        return reconciler(subject.kind)(subject, at.context(subject))
    except errors.NotInstalled as e:
        log.info("%s: %s Nothing is left to do.", subject, e)
        if subject.kind != "installation":
            at.github.directory.forget(subject.repository)  # it may be elsewhere; the next look asks GitHub
        return None
    except errors.RateLimited as e:
        log.warning("%s: %s", subject, e)
        # A little apart, so that all of an installation's subjects do not come back in the same moment.
        moment = e.until + timedelta(seconds=random.uniform(0.5, 10))  # noqa: S311
        at.queue.failed(subject, seen, e.sentence, datetime.now(UTC), moment)
    except Exception as e:
        away = isinstance(e, errors.GitHubAway)
        wait = backoff(at.queue.attempts(subject), most=_AWAY_BACKOFF if away else _LONGEST_BACKOFF)
        if isinstance(e, errors.GitHubError | GitError):
            log.warning("%s: %s Tried again in %.0f s.", subject, e, wait)
        else:
            log.exception("%s failed; tried again in %.0f s", subject, wait)
        now = datetime.now(UTC)
        at.queue.failed(subject, seen, f"{type(e).__name__}: {e}", now, now + timedelta(seconds=wait))
    return _Failed()


def backoff(attempts: int, *, most: float, uniform: Callable[[float, float], float] = random.uniform) -> float:
    """Seconds to wait after ``attempts`` failures in a row: 1, 2, 4 …, at most ``most``, each somewhat apart."""
    return min(most, 2.0 ** min(attempts, 20)) * uniform(0.75, 1.25)


def _count(at: Here, kind: str, outcome: str, seconds: float) -> None:
    calls = [("github_calls", (call.partition(" ")[0],), float(n)) for call, n in at.github.calls.items()]
    at.github.calls.clear()  # counted; and a process that lives for weeks must not remember every path
    done = [("reconciles", (kind, outcome), 1.0), ("reconcile_seconds", (kind,), seconds)]
    counters.count(at.redis, [*done, *calls])


# --- runs ------------------------------------------------------------------------------------------
def run_pipeline(run_id: str, function: str, arguments: Mapping[str, Any]) -> None:
    """The job of one run; it never raises for what a run may meet. Its subject is reconciled when it has ended."""
    at = here.get()
    with at.leases.holding(f"run/{run_id}") as ours:
        if not ours:
            return  # it runs already; its own end is what counts
        try:
            import_attribute(function)(at.context(), **arguments)
        except Exception:
            log.exception("run %s failed", run_id)


# --- the process -----------------------------------------------------------------------------------
def work(settings: Settings, queues: tuple[str, ...], place: str, incarnation: int) -> None:
    """Be one worker until told to stop. ``place`` stays the same when a dead worker is replaced by a new one."""
    from jobs.connect import connect, wait_for

    redis = connect(settings)
    wait_for(redis)  # the clock says that it is away
    at = Here.at(settings, redis, place)
    here.set(at)
    if (left := at.leases.left_behind()) is not None:
        from jobs.recovery import take_over

        take_over(at.queue, left)
    worker = Carrier(
        [rq_queue(redis, name) for name in queues],
        name=f"{place}-{incarnation}",
        connection=redis,
        serializer=JSONSerializer,
    )
    worker.work(logging_level="WARNING", max_jobs=1_000)
