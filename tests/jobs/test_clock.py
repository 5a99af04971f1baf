"""The clock: moments arrive, sweeps come when they are due and once for all clocks, a new Redis at once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from redis import Redis

from ghapp.cli.worker import worker
from ghapp.settings import load
from jobs import subjects
from jobs.clock import Clock
from jobs.queue import BACKGROUND, RECONCILE, Queue, rq_queue

PULL = subjects.pull(1, 2)


def clock(redis: Redis, tmp_path: Path, name: str = "c1") -> Clock:
    return Clock(load({"GHAPP_DATA_DIR": str(tmp_path), "GHAPP_SWEEP_INTERVAL": "60"}), redis, name)


def sweeps(redis: Redis, queue: str) -> int:
    return sum(job.func_name == "jobs.sweep.sweep" for job in rq_queue(redis, queue).jobs)


def test_a_subject_is_carried_when_its_moment_has_come(queue: Queue, redis: Redis, tmp_path: Path) -> None:
    ticking = clock(redis, tmp_path)
    queue.enqueue(PULL, delay=timedelta(seconds=0.2))
    ticking.tick(0.001)
    assert PULL.job_id not in rq_queue(redis, RECONCILE).job_ids
    ticking.tick(0.25)
    ticking.tick(0.001)
    assert PULL.job_id in rq_queue(redis, RECONCILE).job_ids


def test_a_new_redis_is_swept_first_and_by_one_clock(redis: Redis, tmp_path: Path) -> None:
    for name in ("c1", "c2", "c3"):
        clock(redis, tmp_path, name).tick(0.001)
    assert (sweeps(redis, RECONCILE), sweeps(redis, BACKGROUND)) == (1, 0)


def test_later_sweeps_come_by_the_interval_and_wait_behind_events(redis: Redis, tmp_path: Path) -> None:
    clock(redis, tmp_path).tick(0.001)
    assert 55 < redis.ttl("ghapp:swept") <= 60
    redis.delete("ghapp:swept")  # as after a minute
    clock(redis, tmp_path).tick(0.001)
    clock(redis, tmp_path).tick(0.001)
    assert (sweeps(redis, RECONCILE), sweeps(redis, BACKGROUND)) == (1, 1)


def test_a_worker_without_the_apps_key_says_what_to_set() -> None:
    done = CliRunner().invoke(worker, [], env={"GHAPP_APP_ID": "1"})
    assert done.exit_code == 1
    assert "set GHAPP_APP_ID and GHAPP_PRIVATE_KEY or GHAPP_PRIVATE_KEY_FILE" in done.output


@pytest.mark.parametrize("name", ["builds", "reconcile,nothing"])
def test_a_queue_that_is_not_there_is_said(name: str) -> None:
    done = CliRunner().invoke(worker, ["--queues", name])
    assert done.exit_code == 1
    assert "there is no queue" in done.output
    assert "reconcile, pipeline" in done.output
