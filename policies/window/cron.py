"""By a cron expression: it begins whenever the expression fires, and lasts for a duration.

Expressions are read by cronsim, which treats the days of the clock change as Debian's cron does.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from policies.strict import Block
from policies.window.clock import Span
from policies.window.recurrence import MOST_A_DAY

_SOME_DAY = datetime(2024, 1, 1, tzinfo=UTC)


def check_cron(value: Any) -> str:
    """A five-field expression that fires now and then. Raises ValueError."""
    if not isinstance(value, str) or len(value.split()) != 5:
        raise ValueError('not a cron expression of five fields — write it like "0 18 * * fri"')
    try:
        fires = CronSim(value, _SOME_DAY)
        next(fires)
    except CronSimError as e:
        raise ValueError(f'not a cron expression: {str(e).lower()} — write it like "0 18 * * fri"') from None
    except StopIteration:
        raise ValueError("this cron expression never fires — correct the day or the month") from None
    if len(fires.minutes) * len(fires.hours) > MOST_A_DAY:
        raise ValueError(f"fires more than {MOST_A_DAY} times a day — write the window as `daily` or `weekly`")
    return value


class Cron(Block):
    """A cron expression and how long each window lasts."""

    expression: str
    duration: timedelta

    @property
    def stride(self) -> timedelta:
        return timedelta(days=32)

    def spans(self, zone: ZoneInfo, after: datetime, before: datetime) -> Iterator[Span]:
        for fired in CronSim(self.expression, (after - self.duration - timedelta(days=1)).astimezone(zone)):
            start = fired.astimezone(UTC)
            if start >= before:
                return
            yield Span(start, start + self.duration)
