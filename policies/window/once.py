"""One time only: from a date and time to another."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import ClassVar
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from policies.quantity import Duration
from policies.strict import Block
from policies.window.clock import Moment, Span, resolve, span


class Once(Block):
    """One time only. `once: {start: 2026-12-20 18:00, end: 2027-01-02 06:00}`"""

    stride: ClassVar[timedelta] = timedelta(days=366)

    start: Moment = Field(description="when it begins; a date alone is its midnight")
    end: Moment | None = Field(
        None, description="when it ends (exclusive); a date alone is the midnight that begins it"
    )
    duration: Duration | None = Field(None, description="how long it lasts, instead of `end`")

    @model_validator(mode="after")
    def ends_after_it_starts(self) -> Once:
        if (self.end is None) == (self.duration is None):
            raise ValueError("a window has exactly one of `end` and `duration` — write when it ends")
        comparable = self.end is not None and bool(self.end.tzinfo) == bool(self.start.tzinfo)
        if (comparable and self.end <= self.start) or (self.duration is not None and self.duration <= timedelta()):  # type: ignore[operator]
            raise ValueError("`end` is not after `start` — swap them, or correct the year")
        return self

    def spans(self, zone: ZoneInfo, after: datetime, before: datetime) -> Iterator[Span]:
        if self.end is not None and not self.start.tzinfo and not self.end.tzinfo:
            found = span(self.start, self.end, zone)
        else:
            start = resolve(self.start, zone)
            found = Span(start, start + self.duration if self.duration else resolve(self.end or self.start, zone))
        if found.start < before and found.end > after:
            yield found
