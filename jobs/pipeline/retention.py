"""What is kept of runs goes when its time is over: logs, artifacts, folders that a dead worker left behind.

Looked after once a day by whichever run ends then; nothing depends on when.
"""

from __future__ import annotations

import logging
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from redis import Redis

from ghapp.store import Store, StoreError
from jobs.pipeline import record

log = logging.getLogger(__name__)

_EVERY = 86_400  # seconds
_ABANDONED = timedelta(days=2)  # longer than any run may take


def look_after(redis: Redis, store: Store, work: Path, days: int, now: datetime) -> None:
    """Drop what is over, unless somebody has done so today. Never raises."""
    if not redis.set("ghapp:retention", now.isoformat(), nx=True, ex=_EVERY):
        return
    try:
        gone = store.expire(now - timedelta(days=days)) + artifacts(store, now)
        log.info("%d logs and artifacts were dropped, their time being over", gone)
    except StoreError as e:
        log.warning("what is kept of runs could not be looked through: %s", e)
    abandoned(work, now)


def artifacts(store: Store, now: datetime) -> int:
    """Drop artifacts whose own time is over; returns how many."""
    gone = 0
    for key in store.keys("runs/"):
        parts = key.split("/")
        if parts[-1] != "run.json" or (data := record.read(store, parts[1])) is None:
            continue
        for kept in data.get("artifacts", ()):
            until = kept.get("until")
            if until and datetime.fromisoformat(until) <= now and store.size(kept["key"]) is not None:
                store.delete(kept["key"])
                gone += 1
    return gone


def abandoned(work: Path, now: datetime) -> None:
    """Remove checkouts that no run can be using any more."""
    for folder in work.iterdir() if work.is_dir() else ():
        if datetime.fromtimestamp(folder.lstat().st_mtime, UTC) < now - _ABANDONED:
            shutil.rmtree(folder, ignore_errors=True)
