"""Runs in worker processes of their own: stopped while they run, and killed."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jobs import subjects
from tests.jobs.pipeline.conftest import Lane

BEFORE = "ghapp / web / before"
SLOW = (
    "version: 1\napp: web\npipeline:\n  before:\n"
    "    - {name: wait, secrets: [HOW_LONG], run: 'echo begun; sleep $HOW_LONG; echo done'}\n"
)


@pytest.fixture
def start(lane: Lane, redis_url: str) -> Iterator[Callable[[str], subprocess.Popen[bytes]]]:
    running: list[subprocess.Popen[bytes]] = []

    def one(place: str) -> subprocess.Popen[bytes]:
        running.append(lane.worker(place, redis_url))
        return running[-1]

    yield one
    for process in running:
        kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)


def until(lane: Lane, condition: Callable[[], object], seconds: float = 60) -> None:
    give_up = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > give_up:
            logs = "\n".join(p.read_text(errors="replace")[-3000:] for p in lane.folder.glob("worker-*.log"))
            pytest.fail(f"it did not happen in time\n{logs}")
        time.sleep(0.1)


def how_long(lane: Lane, seconds: str) -> None:
    folder = lane.secrets / lane.full_name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "HOW_LONG").write_text(seconds)


def sleepers(seconds: str) -> list[str]:
    wanted = b"sleep\0" + seconds.encode()
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and wanted in (entry / "cmdline").read_bytes():
                found.append(entry.name)
        except OSError:
            continue
    return found


def begin(lane: Lane, seconds: str) -> str:
    how_long(lane, seconds)
    sha = lane.push({".ghapp.yml": SLOW}, look=False)
    lane.queue.enqueue(subjects.commit(lane.id, sha))
    until(lane, lambda: sleepers(seconds))
    return sha


def test_a_running_step_is_stopped_by_a_newer_push(lane: Lane, start: Callable[[str], subprocess.Popen[bytes]]) -> None:
    start("a")
    start("b")
    seconds = f"9{os.getpid()}1"
    older = begin(lane, seconds)
    assert lane.ends(older) == {BEFORE: "in_progress"}
    how_long(lane, "0")
    newer = lane.push({"x": "1"}, look=False)
    lane.queue.enqueue(subjects.commit(lane.id, newer))
    until(lane, lambda: lane.ends(older) == {BEFORE: "cancelled"})
    assert sleepers(seconds) == []
    assert lane.checks(older)[BEFORE]["output"]["title"] == f"superseded by {newer[:7]} on main"
    until(lane, lambda: lane.ends(newer) == {BEFORE: "success"})


def test_a_worker_killed_mid_step_takes_the_step_along_and_another_finishes_the_run(
    lane: Lane, start: Callable[[str], subprocess.Popen[bytes]]
) -> None:
    seconds = f"9{os.getpid()}2"
    worker = start("a")
    sha = begin(lane, seconds)
    kill(worker)
    until(lane, lambda: not sleepers(seconds))
    assert lane.ends(sha) == {BEFORE: "in_progress"}
    how_long(lane, "0")
    start("a")  # what the supervisor does: a new worker in the dead one's place
    until(lane, lambda: lane.ends(sha) == {BEFORE: "success"})
    assert len(lane.releases(sha)) == 1
    assert lane.checks(sha)[BEFORE]["external_id"].endswith("-web-1")


def test_a_redis_that_is_flushed_while_a_step_runs_costs_nothing(
    lane: Lane, start: Callable[[str], subprocess.Popen[bytes]]
) -> None:
    start("a")
    start("b")
    sha = begin(lane, f"3.0{os.getpid()}")
    lane.redis.flushall()
    lane.queue.enqueue(subjects.commit(lane.id, sha))  # as the sweep does
    until(lane, lambda: lane.ends(sha) == {BEFORE: "success"})
    assert len(lane.releases(sha)) == 1
