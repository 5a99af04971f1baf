"""The queue's promises, on a real Redis: bursts coalesce, nothing is lost, the earliest moment wins."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from redis import Redis
from rq.executions import Execution
from rq.job import JobStatus

from jobs import subjects
from jobs.queue import BACKGROUND, PIPELINE, RECONCILE, Queue, rq_queue
from jobs.subjects import Ask

PULL = subjects.pull(1, 2)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def jobs_in(redis: Redis, name: str = RECONCILE) -> list[str]:
    return list(rq_queue(redis, name).job_ids)


def test_a_burst_is_one_job(queue: Queue, redis: Redis) -> None:
    for _ in range(50):
        queue.enqueue(PULL)
    assert jobs_in(redis) == [PULL.job_id]
    assert queue.wanted(PULL) == 50


def test_a_burst_from_many_threads_is_one_job(queue: Queue, redis: Redis) -> None:
    threads = [threading.Thread(target=lambda: [queue.enqueue(PULL) for _ in range(20)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert jobs_in(redis) == [PULL.job_id]
    assert queue.wanted(PULL) == 160


def test_what_the_sweep_wants_waits_behind_what_someone_waits_for(queue: Queue, redis: Redis) -> None:
    queue.enqueue(subjects.pull(1, 3), background=True)
    queue.enqueue(PULL)
    assert jobs_in(redis) == [PULL.job_id]
    assert jobs_in(redis, BACKGROUND) == [subjects.pull(1, 3).job_id]


def test_settling_keeps_a_wish_that_came_meanwhile(queue: Queue) -> None:
    queue.enqueue(PULL)
    seen = queue.wanted(PULL)
    queue.enqueue(PULL)
    queue.settle(PULL, seen)
    assert queue.wanted(PULL) == 2
    queue.settle(PULL, queue.wanted(PULL))
    assert queue.wanted(PULL) == 0


def test_the_earliest_moment_wins(queue: Queue, redis: Redis) -> None:
    soon, later = datetime.now(UTC) + timedelta(hours=1), datetime.now(UTC) + timedelta(hours=2)
    for moment in (later, soon, later):
        queue.enqueue(PULL, at=moment)
    due = queue.due_at(PULL)
    assert due is not None
    assert abs(due - soon) < timedelta(seconds=1)
    assert jobs_in(redis) == []
    assert queue.take_due(soon - timedelta(seconds=1)) == []
    assert queue.take_due(soon + timedelta(seconds=1)) == [PULL]
    assert queue.take_due(later) == []
    assert queue.wanted(PULL) == 1


def test_a_moment_that_has_passed_is_now(queue: Queue, redis: Redis) -> None:
    queue.enqueue(PULL, at=datetime.now(UTC) - timedelta(days=1))
    assert jobs_in(redis) == [PULL.job_id]


def test_a_subject_that_is_due_is_taken_by_one_clock_alone(queue: Queue) -> None:
    for number in range(1, 201):
        queue.enqueue(subjects.pull(1, number), delay=timedelta(seconds=1))
    taken: list[str] = []

    def clock() -> None:
        while found := queue.take_due(datetime.now(UTC) + timedelta(seconds=2), most=7):
            taken.extend(map(str, found))

    threads = [threading.Thread(target=clock) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == len(set(taken)) == 200


def test_asks_reach_the_next_reconcile_once_and_stay_if_it_fails(queue: Queue) -> None:
    for delivery in ("d1", "d1", "d2"):
        queue.enqueue(PULL, ask=Ask("rerun", "run-1", "alice", delivery))
    assert [(ask.verb, ask.delivery) for ask in queue.asks(PULL)] == [("rerun", "d1"), ("rerun", "d2")]
    seen, asked = queue.wanted(PULL), queue.asked(PULL)
    queue.enqueue(PULL, ask=Ask("rerun", "run-1", "bob", "d3"))
    queue.failed(PULL, seen, "GitHub is away", NOW, NOW + timedelta(minutes=1))
    assert len(queue.asks(PULL)) == 3
    queue.settle(PULL, queue.wanted(PULL), asked)
    assert [ask.delivery for ask in queue.asks(PULL)] == ["d3"]


def test_failures_can_be_seen_until_a_reconcile_ends_well(queue: Queue) -> None:
    for _ in range(3):
        queue.enqueue(PULL)
        queue.failed(PULL, queue.wanted(PULL), "it broke", NOW, NOW + timedelta(minutes=1))
    assert queue.failures() == {PULL: {"error": "it broke", "at": NOW.isoformat(), "attempts": 3}}
    assert queue.due_at(PULL) == NOW + timedelta(minutes=1)
    queue.enqueue(PULL)
    queue.settle(PULL, queue.wanted(PULL))
    assert queue.failures() == {}


# --- runs ------------------------------------------------------------------------------------------
COMMIT = subjects.commit(1, "a" * 40)


def start(queue: Queue, run_id: str = "run-1") -> bool:
    return queue.start(run_id, "os.getcwd", {"x": 1}, subject=COMMIT, timeout=timedelta(minutes=30))


def test_a_run_is_started_once(queue: Queue, redis: Redis) -> None:
    assert start(queue)
    assert not start(queue)
    assert jobs_in(redis, PIPELINE) == ["run-1"]
    assert queue.alive("run-1")
    assert not queue.alive("run-2")


def test_a_run_in_the_queue_is_cancelled_by_removing_it(queue: Queue, redis: Redis) -> None:
    start(queue)
    queue.cancel("run-1", "superseded by 1234567")
    assert jobs_in(redis, PIPELINE) == []
    assert not queue.alive("run-1")
    assert queue.cancelled("run-1") == "superseded by 1234567"
    assert jobs_in(redis) == [COMMIT.job_id]
    assert start(queue)


def test_a_run_that_is_taken_is_told_to_stop(queue: Queue, redis: Redis) -> None:
    start(queue)
    redis.lpop(rq_queue(redis, PIPELINE).key)
    queue.cancel("run-1", "asked by alice")
    assert queue.alive("run-1")
    assert queue.cancelled("run-1") == "asked by alice"


@pytest.mark.parametrize("run_id", ["", "a/b", "a b", "a:b"])
def test_a_run_needs_an_id_that_rq_takes(queue: Queue, run_id: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        start(queue, run_id)
    assert not queue.alive(run_id)


def test_a_job_whose_worker_was_killed_long_ago_can_be_forgotten(queue: Queue, redis: Redis) -> None:
    subject = subjects.pull(1, 2)
    queue.enqueue(subject)
    job = rq_queue(redis, RECONCILE).fetch_job(subject.job_id)
    assert job
    job.set_status(JobStatus.STARTED)
    with redis.pipeline() as pipeline:
        execution = Execution.create(job, ttl=60, pipeline=pipeline, worker_name="killed")
        pipeline.execute()
    redis.delete(execution.key)  # as when its time has run out, with RQ's index of it still there
    queue.forget_job(subject.job_id)
    assert not redis.exists(job.key, job.execution_registry.key, job.started_job_registry.key)
    assert queue.carry(subject)
