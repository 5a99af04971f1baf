"""Every week: on some weekdays, or from one moment of the week to another."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from policies.strict import Block
from policies.window.clock import DAYS, Span, at, days, parse_day, parse_time, span
from policies.window.recurrence import Hours

_WEEK = timedelta(days=7)
_MINUTES = 7 * 24 * 60


def _parse_days(value: Any) -> tuple[int, ...]:
    """``[mon, wed]``, ``fri``, ``mon-fri`` or ``[mon-wed, sat]``: weekdays, sorted. Raises ValueError."""
    items = value if isinstance(value, list | tuple) else [value]
    found: set[int] = set()
    for item in items:
        if isinstance(item, int) and not isinstance(item, bool) and 0 <= item <= 6:
            found.add(item)  # our own form, read again
            continue
        first, dash, last = str(item).partition("-")
        start, end = parse_day(first), parse_day(last) if dash else parse_day(first)
        found.update((start + i) % 7 for i in range((end - start) % 7 + 1))
    if not found:
        raise ValueError("no weekday is named — write them like [mon, wed] or mon-fri")
    return tuple(sorted(found))


def _parse_day_time(value: Any) -> int:
    """``fri 18:00``: minutes since Monday's midnight. Raises ValueError."""
    words = value.split() if isinstance(value, str) else []
    if len(words) != 2:
        raise ValueError(f"{str(value)[:40]!r} is not a weekday and a time — write it like fri 18:00")
    return parse_day(words[0]) * 24 * 60 + parse_time(words[1])


Weekdays = Annotated[
    tuple[int, ...],
    BeforeValidator(_parse_days),
    PlainSerializer(lambda found: [DAYS[d] for d in found]),
    WithJsonSchema(
        {
            "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}],
            "examples": ["mon-fri", ["mon", "wed"]],
        }
    ),
]
DayTime = Annotated[
    int,
    BeforeValidator(_parse_day_time),
    PlainSerializer(lambda minutes: f"{DAYS[minutes // 1440 % 7]} {minutes % 1440 // 60:02}:{minutes % 60:02}"),
    WithJsonSchema({"type": "string", "examples": ["fri 18:00"]}),
]


class Weekly(Hours):
    """On some weekdays. `weekly: {days: mon-fri, from: "09:00", to: "17:00"}`"""

    stride: ClassVar[timedelta] = timedelta(days=32)

    days: Weekdays = Field(description="weekdays on which it begins: `mon-fri`, `[tue, thu]`")

    def spans(self, zone: ZoneInfo, after: datetime, before: datetime) -> Iterator[Span]:
        for day in days(after, before, zone, margin=self.longest):
            if day.weekday() in self.days:
                yield self.on(at(day, 0), zone)


class WeeklyRange(Block):
    """From one moment of the week to another. `weekly: {from: fri 18:00, to: mon 06:00}`"""

    stride: ClassVar[timedelta] = timedelta(days=64)

    from_: DayTime = Field(alias="from", description="weekday and time when it begins: `fri 18:00`")
    to: DayTime = Field(description="weekday and time when it ends (exclusive): `mon 06:00`")

    @model_validator(mode="after")
    def not_empty(self) -> WeeklyRange:
        if self.from_ % _MINUTES == self.to % _MINUTES:
            raise ValueError("`from` and `to` are the same moment of the week — a window needs a beginning and an end")
        return self

    def spans(self, zone: ZoneInfo, after: datetime, before: datetime) -> Iterator[Span]:
        length = timedelta(minutes=(self.to - self.from_) % _MINUTES)
        # It begins up to a week after its Monday, and lasts up to a week.
        for day in days(after, before, zone, margin=2 * _WEEK):
            if day.weekday() == 0:
                start = at(day, self.from_)
                yield span(start, start + length, zone)
