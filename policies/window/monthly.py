"""Every month, or some months: on days by number or on the n-th weekday."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Annotated, Any, ClassVar
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from policies.window.clock import DAYS, MONTHS, Span, at, days, parse_day
from policies.window.recurrence import Hours

_NTH = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "last": -1} | {
    "1st": 1,
    "2nd": 2,
    "3rd": 3,
    "4th": 4,
    "5th": 5,
}
_WORDS = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", -1: "last"}


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _parse_dates(value: Any) -> tuple[int, ...]:
    """``1``, ``last`` (-1), ``[1, 15]`` or ``-2`` (the last but one). Raises ValueError."""
    found = [-1 if v == "last" else v for v in _listed(value)]
    for day in found:
        if not isinstance(day, int) or isinstance(day, bool) or not (1 <= day <= 31 or -31 <= day <= -1):
            raise ValueError(f"{str(day)[:40]!r} is not a day of a month — write 1 to 31, or last")
    return tuple(found)


def _parse_weekdays(value: Any) -> tuple[tuple[int, int], ...]:
    """``first mon``, ``last fri`` or a list of such: (n, weekday). Raises ValueError."""
    found = []
    for item in _listed(value):
        if isinstance(item, tuple):
            found.append(item)  # our own form, read again
            continue
        words = str(item).lower().split()
        if len(words) != 2 or words[0] not in _NTH:
            raise ValueError(f"{str(item)[:40]!r} is not a weekday of a month — write it like first mon or last fri")
        found.append((_NTH[words[0]], parse_day(words[1])))
    return tuple(found)


def _parse_months(value: Any) -> tuple[int, ...]:
    found = []
    for item in _listed(value):
        name = str(item).strip().lower()[:3]
        if isinstance(item, int) and not isinstance(item, bool) and 1 <= item <= 12:
            found.append(item)
        elif name in MONTHS and isinstance(item, str):
            found.append(MONTHS.index(name) + 1)
        else:
            raise ValueError(f"{str(item)[:40]!r} is not a month — write jan to dec, or 1 to 12")
    return tuple(sorted(set(found)))


def _one_or_many(item: dict[str, Any], *examples: Any) -> WithJsonSchema:
    return WithJsonSchema(
        {"anyOf": [item, {"type": "array", "items": item, "minItems": 1}], "examples": list(examples)}
    )


Dates = Annotated[
    tuple[int, ...],
    BeforeValidator(_parse_dates),
    _one_or_many(
        {"anyOf": [{"type": "integer", "minimum": -31, "maximum": 31}, {"const": "last"}]}, 1, "last", [1, 15]
    ),
]
NthWeekdays = Annotated[
    tuple[tuple[int, int], ...],
    BeforeValidator(_parse_weekdays),
    PlainSerializer(lambda found: [f"{_WORDS[n]} {DAYS[d]}" for n, d in found]),
    _one_or_many({"type": "string"}, "first mon", ["first tue", "third tue"]),
]
Months = Annotated[
    tuple[int, ...],
    BeforeValidator(_parse_months),
    _one_or_many(
        {"anyOf": [{"type": "integer", "minimum": 1, "maximum": 12}, {"type": "string"}]}, "dec", [3, 6, 9, 12]
    ),
]


class Monthly(Hours):
    """On days of the month. `monthly: {day: last, from: "18:00", duration: 12h}`, `monthly: {weekday: first mon, …}`"""

    stride: ClassVar[timedelta] = timedelta(days=366)

    day: Dates = Field(
        (), description="1 to 31, `last`, -2 for the last but one; or a list. A day that a month lacks is skipped"
    )
    weekday: NthWeekdays = Field((), description="`first mon`, `last fri`; or a list")
    months: Months = Field(tuple(range(1, 13)), description="only in these months: `dec`, `[mar, jun, sep, dec]`")

    @model_validator(mode="after")
    def some_day(self) -> Monthly:
        if bool(self.day) == bool(self.weekday):
            raise ValueError(
                "`monthly` takes exactly one of `day` and `weekday` — write day: last, or weekday: first mon"
            )
        if self.day and not any(d <= _most_days(m) for d in map(abs, self.day) for m in self.months):
            raise ValueError("none of these months has such a day — this window would never be")
        return self

    def spans(self, zone: ZoneInfo, after: datetime, before: datetime) -> Iterator[Span]:
        for day in days(after, before, zone, margin=self.longest):
            if day.month in self.months and self._begins_on(day):
                yield self.on(at(day, 0), zone)

    def _begins_on(self, day: date) -> bool:
        last = calendar.monthrange(day.year, day.month)[1]
        if self.day:
            return day.day in self.day or day.day - last - 1 in self.day
        nth, from_end = (day.day - 1) // 7 + 1, -((last - day.day) // 7 + 1)
        return any(d == day.weekday() and n in (nth, from_end) for n, d in self.weekday)


def _most_days(month: int) -> int:
    return calendar.monthrange(2024, month)[1]
