"""Every day, at the same time on the wall clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import ClassVar
from zoneinfo import ZoneInfo

from policies.window.clock import Span, at, days
from policies.window.recurrence import Hours


class Daily(Hours):
    """Every day. `daily: {from: "22:00", to: "06:00"}`"""

    stride: ClassVar[timedelta] = timedelta(days=32)

    def spans(self, zone: ZoneInfo, after: datetime, before: datetime) -> Iterator[Span]:
        for day in days(after, before, zone, margin=self.longest):
            yield self.on(at(day, 0), zone)
