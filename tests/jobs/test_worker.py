"""Workers, each a process: one reconcile of a subject at a time, no wake-up lost, nothing lost with who is killed."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from redis import Redis

from ghapp.github.directory import Directory, Place
from ghapp.github.shared import RedisStore
from jobs import subjects
from jobs.queue import RUNS, WANTED, Queue
from jobs.recovery import Recovery
from jobs.subjects import Ask
from jobs.worker import backoff

from .conftest import Workers

Wait = Callable[..., None]
PULL = subjects.pull(1, 2)

# Each reconcile notes that it is there, and complains if another one of the same subject is there too.
ALONE = """
def reconcile(subject, context):
    redis = context.queue.redis
    if redis.incr(f"t:inside:{subject}") != 1:
        redis.incr("t:overlaps")
    wish = redis.get(f"t:wish:{subject}")
    time.sleep(0.004)
    redis.set(f"t:done:{subject}", wish or b"")
    redis.incr(f"t:count:{subject}")
    redis.decr(f"t:inside:{subject}")
"""


def test_a_wanted_subject_is_reconciled_soon(queue: Queue, redis: Redis, workers: Workers, wait_until: Wait) -> None:
    workers.reconciles("def reconcile(subject, context):\n    context.queue.redis.rpush('t:done', str(subject))\n")
    workers.worker()
    queue.enqueue(PULL)
    wait_until(lambda: redis.lrange("t:done", 0, -1) == [str(PULL).encode()])
    wait_until(lambda: queue.wanted(PULL) == 0)


def test_no_wish_is_lost_and_no_subject_is_reconciled_twice_at_once(
    queue: Queue, redis: Redis, workers: Workers, wait_until: Wait
) -> None:
    workers.reconciles(ALONE)
    for _ in range(3):
        workers.worker()
    watched = [subjects.pull(1, number) for number in range(1, 6)]

    def wish(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(200):
            subject = chance.choice(watched)
            redis.incr(f"t:wish:{subject}")  # the fact that the reconcile must see …
            queue.enqueue(subject)  # … because it is enqueued after it changed
            time.sleep(chance.uniform(0, 0.006))

    threads = [threading.Thread(target=wish, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wait_until(lambda: redis.hlen(WANTED) == 0)
    for subject in watched:
        assert redis.get(f"t:done:{subject}") == redis.get(f"t:wish:{subject}"), f"the last wish for {subject} was lost"
    assert redis.get("t:overlaps") is None
    assert sum(int(redis.get(f"t:count:{subject}") or 0) for subject in watched) < 800  # bursts coalesced


def test_what_a_reconcile_asks_for_happens(queue: Queue, redis: Redis, workers: Workers, wait_until: Wait) -> None:
    workers.reconciles(
        "from datetime import timedelta\n"
        "def reconcile(subject, context):\n"
        "    context.queue.redis.set('t:verb', ','.join(a.verb for a in context.asks))\n"
        "    return Again(context.now + timedelta(hours=1), 'the window opens')\n"
    )
    workers.worker()
    queue.enqueue(PULL, ask=Ask("rerun", delivery="d1"))
    wait_until(lambda: queue.wanted(PULL) == 0)
    due = queue.due_at(PULL)
    assert due is not None
    assert timedelta(minutes=59) < due - datetime.now(UTC) < timedelta(minutes=61)
    assert redis.get("t:verb") == b"rerun"
    assert queue.asks(PULL) == []


@pytest.mark.parametrize(
    ("error", "shortest", "longest"),
    [
        ("RuntimeError('broken')", 0.5, 3),
        ("errors.GitHubAway('GitHub answered 502.')", 0.5, 3),
        ("errors.RateLimited('limit', until=context.now + timedelta(minutes=20))", 1200, 1215),
    ],
)
def test_a_failed_reconcile_is_tried_again_later(
    queue: Queue, workers: Workers, wait_until: Wait, error: str, shortest: float, longest: float
) -> None:
    workers.reconciles(
        "from datetime import timedelta\nfrom ghapp.github import errors\n"
        f"def reconcile(subject, context):\n    raise {error}\n"
    )
    workers.worker()
    began = datetime.now(UTC)
    queue.enqueue(PULL, ask=Ask("rerun", delivery="d1"))
    wait_until(lambda: queue.failures() and queue.wanted(PULL) == 0)
    due = queue.due_at(PULL)
    assert due is not None
    assert timedelta(seconds=shortest) < due - began < timedelta(seconds=longest + 5)
    assert queue.failures()[PULL]["attempts"] == 1
    assert [ask.verb for ask in queue.asks(PULL)] == ["rerun"]


def test_a_repository_without_the_app_is_left_alone(
    queue: Queue, redis: Redis, workers: Workers, wait_until: Wait
) -> None:
    directory = Directory(RedisStore(redis))
    directory.remember(Place(1, "acme/web", 9))
    workers.reconciles(
        "from ghapp.github import errors\n"
        "def reconcile(subject, context):\n    raise errors.NotInstalled('The app is not installed there.')\n"
    )
    workers.worker()
    queue.enqueue(PULL)
    wait_until(lambda: queue.wanted(PULL) == 0)
    assert queue.failures() == {}
    assert queue.due_at(PULL) is None
    assert (directory.find(1), directory.find("acme/web")) == (None, None)


def test_backoff_grows_to_its_limit_and_never_ends() -> None:
    def middle(low: float, high: float) -> float:
        return (low + high) / 2

    waits = [backoff(attempts, most=900, uniform=middle) for attempts in (0, 1, 2, 5, 9, 10, 1_000_000)]
    assert waits == [1, 2, 4, 32, 512, 900, 900]


def test_a_killed_workers_subject_is_taken_over_at_once_by_who_takes_its_place(
    queue: Queue, redis: Redis, workers: Workers, wait_until: Wait
) -> None:
    workers.reconciles(
        "def reconcile(subject, context):\n"
        "    if context.queue.redis.incr('t:tries') == 1:\n        time.sleep(60)\n"
        "    context.queue.redis.set('t:done', 1)\n"
    )
    first = workers.worker(place="place-1")
    queue.enqueue(PULL)
    wait_until(lambda: redis.get("t:tries") == b"1")
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    assert queue.wanted(PULL) == 1
    workers.worker(place="place-1")
    wait_until(lambda: redis.get("t:done"))
    wait_until(lambda: queue.wanted(PULL) == 0)


def test_a_dead_workers_run_is_found(queue: Queue, redis: Redis, workers: Workers, wait_until: Wait) -> None:
    workers.reconciles(
        "def reconcile(subject, context): ...\n"
        "def run(context, x):\n    context.queue.redis.set('t:running', x)\n    time.sleep(60)\n"
    )
    worker = workers.worker("pipeline")
    commit = subjects.commit(1, "a" * 40)
    queue.start("run-1", "reconciles.run", {"x": 5}, subject=commit, timeout=timedelta(minutes=5))
    wait_until(lambda: redis.get("t:running") == b"5")
    recovery = Recovery(queue)
    assert [recovery.look(), recovery.look()] == [0, 0]
    assert queue.alive("run-1")
    os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()
    redis.delete("ghapp:lease:run/run-1")  # as it is by itself 20 seconds after its worker's death
    assert [recovery.look(), recovery.look()] == [0, 1]
    assert not queue.alive("run-1")
    assert queue.wanted(commit) == 1
    assert queue.start("run-1", "reconciles.run", {"x": 5}, subject=commit, timeout=timedelta(minutes=5))


def test_a_run_that_ends_has_its_subject_looked_at(
    queue: Queue, redis: Redis, workers: Workers, wait_until: Wait
) -> None:
    workers.reconciles(
        "def reconcile(subject, context):\n    context.queue.redis.rpush('t:done', str(subject))\n"
        "def good(context): ...\n"
        "def bad(context):\n    raise RuntimeError('broken')\n"
    )
    workers.worker("pipeline")
    for name in ("good", "bad"):
        commit = subjects.commit(1, {"good": "a", "bad": "b"}[name] * 40)
        queue.start(f"run-{name}", f"reconciles.{name}", {}, subject=commit, timeout=timedelta(minutes=5))
        wait_until(lambda commit=commit: queue.wanted(commit) == 1)
    assert redis.hlen(RUNS) == 0


def test_a_subject_whose_job_was_lost_gets_a_new_one(queue: Queue, redis: Redis) -> None:
    queue.enqueue(PULL)
    redis.delete("rq:queue:reconcile")  # as when a worker dies between taking a job and its lease
    recovery = Recovery(queue)
    assert [recovery.look(), recovery.look(), recovery.look()] == [0, 1, 0]
    assert redis.llen("rq:queue:reconcile") == 1


def test_workers_killed_at_random_lose_nothing(queue: Queue, redis: Redis, workers: Workers, wait_until: Wait) -> None:
    workers.reconciles(ALONE.replace("0.004", "0.02").replace('redis.incr("t:overlaps")', "pass"))
    supervisor = workers.supervisor(concurrency=2)
    watched = [subjects.pull(1, number) for number in range(1, 31)]
    chance = random.Random(1)
    wait_until(lambda: redis.scard("rq:workers") >= 3)
    for round_ in range(6):
        for subject in watched:
            redis.incr(f"t:wish:{subject}")
            queue.enqueue(subject)
        children = [int(pid) for pid in _children(supervisor.pid)]
        if children:
            os.kill(chance.choice(children), signal.SIGKILL)
        time.sleep(0.05 * (round_ % 3))
    wait_until(lambda: redis.hlen(WANTED) == 0, 60)
    for subject in watched:
        assert redis.get(f"t:done:{subject}") == redis.get(f"t:wish:{subject}")


def _children(pid: int) -> list[str]:
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as listed:
            return listed.read().split()
    except FileNotFoundError:
        return []


def test_the_supervisor_stops_everybody_and_lets_them_finish(
    queue: Queue, redis: Redis, workers: Workers, wait_until: Wait
) -> None:
    workers.reconciles(
        "def reconcile(subject, context):\n"
        "    context.queue.redis.set('t:began', 1)\n    time.sleep(1)\n    context.queue.redis.set('t:ended', 1)\n"
    )
    supervisor = workers.supervisor(concurrency=1)
    queue.enqueue(PULL)
    wait_until(lambda: redis.get("t:began"))
    children = _children(supervisor.pid)
    supervisor.send_signal(signal.SIGTERM)
    assert supervisor.wait(20) == 0
    assert redis.get("t:ended") == b"1"
    assert queue.wanted(PULL) == 0
    assert [pid for pid in children if os.path.exists(f"/proc/{pid}")] == []


def test_redis_flushed_in_the_middle_is_swept_at_once(redis: Redis, workers: Workers, wait_until: Wait) -> None:
    workers.reconciles("def reconcile(subject, context): ...\n")
    workers.supervisor(concurrency=1)
    wait_until(lambda: redis.get("ghapp:epoch"))
    redis.flushall()
    wait_until(lambda: redis.get("ghapp:epoch"))
    wait_until(lambda: workers.log().count("Redis is empty, so everything is looked at afresh") == 2)


def test_workers_wait_for_a_redis_that_is_away_and_say_so_once(
    workers: Workers, redis_server: Path, redis: Redis, queue: Queue, wait_until: Wait, tmp_path: Path
) -> None:
    link = tmp_path / "late.sock"
    workers.redis_url = f"unix://{link}"
    workers.reconciles("def reconcile(subject, context):\n    context.queue.redis.set('t:done', 1)\n")
    workers.supervisor(concurrency=1)
    wait_until(lambda: f"Redis at unix://{link} is away" in workers.log())
    queue.enqueue(PULL)
    link.symlink_to(redis_server)
    wait_until(lambda: redis.get("t:done"))
    assert workers.log().count("is away") == 1
    assert "Traceback" not in workers.log()
