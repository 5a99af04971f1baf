"""Pipelines that start by the clock: a branch's head is built when a cron moment has passed since it was last built.

When it was last built is told by its evidence, so that neither a lost moment nor a lost queue builds twice or never.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from ghapp.config.model import Schedule
from ghapp.evidence.statement import Statement

MISSED = timedelta(hours=6)  # a moment at which nobody was there still counts this long


def due(
    schedules: Sequence[Schedule], known: Sequence[Statement], app: str, committed: datetime, now: datetime
) -> datetime | None:
    """The moment of ``schedules`` that has passed lately, if neither the commit nor the evidence is younger."""
    passed = [moment for one in schedules if now - (moment := _before(one, now)) < MISSED]
    if not passed:
        return None
    newest = max(passed)
    built = [str(s.predicate.get("at", "")) for s in known if s.predicate.get("app") == app]
    waits = committed < newest and all(text < newest.isoformat(timespec="seconds") for text in built)
    return newest if waits else None


def next_moment(schedules: Sequence[Schedule], now: datetime) -> datetime | None:
    """The next moment of any of ``schedules``, in UTC."""
    return min((_after(one, now) for one in schedules), default=None)


def problem(schedule: Schedule) -> str:
    """What is wrong with a schedule; ``""`` if nothing is."""
    try:
        _after(schedule, datetime(2026, 1, 1, tzinfo=UTC))
    except (CronSimError, StopIteration):
        return f"{schedule.cron!r} is not a cron expression of five fields, like 0 3 * * 1-5"
    except (KeyError, ValueError, OSError):
        return f"{schedule.timezone!r} is not a time zone, like Europe/Berlin"
    return ""


def _after(schedule: Schedule, now: datetime) -> datetime:
    return next(CronSim(schedule.cron, now.astimezone(ZoneInfo(schedule.timezone)))).astimezone(UTC)


def _before(schedule: Schedule, now: datetime) -> datetime:
    return next(CronSim(schedule.cron, now.astimezone(ZoneInfo(schedule.timezone)), reverse=True)).astimezone(UTC)
