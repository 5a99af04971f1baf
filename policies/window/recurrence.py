"""What a recurrence is: something that can say when it happens between two moments."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from policies.quantity import Duration
from policies.strict import Block
from policies.window.clock import Span, TimeOfDay, at, span

# A window that would begin more often than this is no window, and would be expanded for ever.
MOST_A_DAY = 96
LONGEST = timedelta(days=366)


class Recurrence(Protocol):
    """One way to say when a window is. ``stride`` is how much time is worth expanding at once."""

    @property
    def stride(self) -> timedelta: ...

    def spans(self, zone: ZoneInfo, after: datetime, before: datetime) -> Iterator[Span]:
        """At least every occurrence that overlaps [``after``, ``before``), in any order; more does no harm."""
        ...


def check_duration(duration: timedelta) -> timedelta:
    """Between one minute and a year. Raises ValueError."""
    if not timedelta(minutes=1) <= duration <= LONGEST:
        raise ValueError("a window lasts between one minute and 366 days — write it like 2h30m or 3d")
    return duration


class Hours(Block):
    """From one time of day to another: `to` before `from` is the next day, `duration` may be longer."""

    from_: TimeOfDay = Field(0, alias="from", description="when it begins, `HH:MM` on the wall clock")
    to: TimeOfDay | None = Field(
        None, description="when it ends (exclusive), `HH:MM`; at or before `from`: the next day"
    )
    duration: Duration | None = Field(None, description="how long it lasts, instead of `to`: `2h30m`, `3d`")

    @model_validator(mode="after")
    def one_end(self) -> Hours:
        if (self.to is None) == (self.duration is None):
            raise ValueError('a window has exactly one of `to` and `duration` — write `to: "06:00"` or `duration: 8h`')
        if self.duration is not None:
            check_duration(self.duration)
        return self

    @property
    def longest(self) -> timedelta:
        return self.duration or timedelta(days=2)

    def on(self, midnight: datetime, zone: ZoneInfo) -> Span:
        """The occurrence that begins on the day of ``midnight`` (naive)."""
        start = at(midnight.date(), self.from_)
        if self.duration is not None:
            begins = span(start, start + timedelta(minutes=1), zone).start
            return Span(begins, begins + self.duration)
        to = self.to or 0
        return span(start, at(midnight.date(), to if to > self.from_ else to + 24 * 60), zone)
