"""Workers in processes of their own, on a real Redis, with reconciles that the tests write."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis

from jobs.queue import Queue


@pytest.fixture
def queue(redis: Redis) -> Queue:
    return Queue(redis)


class Workers:
    """Processes that were started for one test; each ends with it, whatever happens."""

    def __init__(self, redis_url: str, folder: Path) -> None:
        self.redis_url = redis_url
        self._env = {
            **os.environ,
            "GHAPP_DATA_DIR": str(folder),
            "GHAPP_LOG_FORMAT": "console",
            "PYTHONPATH": os.pathsep.join((str(Path(__file__).parents[2]), str(folder))),
        }
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []

    def reconciles(self, body: str) -> None:
        """What reconciles do in these processes: the source of ``reconcile(subject, context)``."""
        (self._folder / "reconciles.py").write_text("import time\nfrom jobs.subjects import *\n" + body)

    def start(self, code: str) -> subprocess.Popen[bytes]:
        """Run ``code``; every kind of subject is reconciled by the test's function."""
        prelude = (
            "import jobs.reconcile as r\n"
            "r.RECONCILERS.update(dict.fromkeys(r.RECONCILERS, 'reconciles:reconcile'))\n"
            "from ghapp.settings import load\n"
            "settings = load()\n"
        )
        command = [sys.executable, "-c", prelude + code]
        log = (self._folder / f"log-{len(self._processes)}").open("wb")
        process = subprocess.Popen(
            command,
            env={**self._env, "GHAPP_REDIS_URL": self.redis_url},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        self._processes.append(process)
        return process

    def worker(self, queues: str = "reconcile,background", place: str = "") -> subprocess.Popen[bytes]:
        """One worker process, with no supervisor and no clock."""
        place = place or f"w{len(self._processes)}"
        return self.start(
            f"from jobs.worker import work\nwork(settings, tuple({queues!r}.split(',')), {place!r}, {time.time_ns()})\n"
        )

    def supervisor(self, concurrency: int = 2) -> subprocess.Popen[bytes]:
        """What ``ghapp worker`` runs."""
        return self.start(
            "from ghapp import logs\nfrom jobs import workers\nlogs.configure(settings)\n"
            f"workers.run(settings, ['reconcile', 'pipeline'], {concurrency})\n"
        )

    def log(self) -> str:
        return "\n".join(path.read_text(errors="replace") for path in sorted(self._folder.glob("log-*")))

    def end(self) -> None:
        for process in self._processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)


@pytest.fixture
def workers(redis_url: str, tmp_path: Path) -> Iterator[Workers]:
    started = Workers(redis_url, tmp_path)
    yield started
    started.end()


def until(condition: Callable[[], object], *, seconds: float = 30, workers: Workers | None = None) -> None:
    """Wait for ``condition``; it is the test's failure if it does not come."""
    give_up = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > give_up:
            pytest.fail("it did not happen in time" + (f"\n{workers.log()[-4000:]}" if workers else ""))
        time.sleep(0.02)


@pytest.fixture
def wait_until(workers: Workers) -> Callable[..., None]:
    def wait(condition: Callable[[], object], seconds: float = 30) -> None:
        until(condition, seconds=seconds, workers=workers)

    return wait
