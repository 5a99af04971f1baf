"""What is kept of runs goes when its time is over, once a day."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from redis import Redis

from ghapp.store import store
from jobs.pipeline import record, retention
from jobs.pipeline.artifacts import Kept
from jobs.pipeline.order import Order
from jobs.pipeline.triggers import Occasion

NOW = datetime.now(UTC)
ORDER = Order(7, "acme/web", "a" * 40, "web", 1, ".ghapp.yml", "a" * 40, Occasion("push", branch="main"))


def age(path: Path, days: float) -> None:
    then = (NOW - timedelta(days=days)).timestamp()
    os.utime(path, (then, then))


def test_logs_artifacts_and_checkouts_go_when_their_time_is_over(redis: Redis, tmp_path: Path) -> None:
    kept, work = store(str(tmp_path / "store")), tmp_path / "work"
    run = f"runs/{ORDER.run}"
    for name in ("old.log", "new.log", "artifacts/0", "artifacts/1"):
        kept.put(f"{run}/{name}", b"x")
    age(tmp_path / "store" / run / "old.log", 91)
    files = [
        Kept(f"{run}/artifacts/0", "report", "a", 1, NOW - timedelta(hours=1)),
        Kept(f"{run}/artifacts/1", "report", "b", 1, NOW + timedelta(hours=1)),
    ]
    record.write(kept, ORDER, stages=[], running=None, artifacts=files, started_at=NOW, now=NOW)
    for name, days in (("dead", 3.0), ("alive", 0.1)):
        (work / name / "checkout").mkdir(parents=True)
        age(work / name, days)
    retention.look_after(redis, kept, work, 90, NOW)
    assert list(kept.keys(f"{run}/")) == [f"{run}/artifacts/1", f"{run}/new.log", f"{run}/run.json"]
    assert [p.name for p in work.iterdir()] == ["alive"]
    kept.put(f"{run}/old.log", b"x")
    age(tmp_path / "store" / run / "old.log", 91)
    retention.look_after(redis, kept, work, 90, NOW)
    assert kept.size(f"{run}/old.log") == 1
