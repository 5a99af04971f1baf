"""Wall clocks and instants: what people write (`fri 18:00`, `2027-01-02 06:00`), and which moment in UTC is meant.

The two days a year on which the clock is changed are decided here, once, for every kind of window. Reads no clock.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Annotated, Any, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
_TIME = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)\Z")
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d)?))? ?(Z|[-+]\d\d:\d\d)?\Z")
_YEARS = range(1970, 2200)


class Span(NamedTuple):
    """From ``start`` until just before ``end``, both in UTC."""

    start: datetime
    end: datetime


def instant(local: datetime, zone: ZoneInfo) -> datetime:
    """The moment in UTC at which a clock in ``zone`` shows ``local`` (naive).

    A time that the clock jumps over is moved on by the jump, as RFC 5545 has it; of a time that comes twice, the first.
    """
    return local.replace(tzinfo=zone, fold=0).astimezone(UTC)


def span(start: datetime, end: datetime, zone: ZoneInfo) -> Span:
    """The moments between two wall-clock times (naive, ``start`` before ``end``).

    A window that lies within the hour that is jumped over is moved on, not lost: 02:00–03:00 becomes 03:00–04:00. One
    that lies within the hour that comes twice happens the first time only; any other ends when its clock says so.
    """
    begins = instant(start, zone)
    again = _repeats(start, zone)
    if again and end - start <= again and _repeats(end - MINUTE, zone):
        return Span(begins, begins + (end - start))
    ends = instant(end, zone)
    return Span(begins, ends if ends > begins else begins + (end - start))


def _repeats(local: datetime, zone: ZoneInfo) -> timedelta:
    """By how much the clock is set back so that it shows ``local`` twice; zero if it does not."""
    first, second = (local.replace(tzinfo=zone, fold=fold).utcoffset() or timedelta() for fold in (0, 1))
    return max(first - second, timedelta())


def at(day: date, minutes: int) -> datetime:
    """The wall-clock time ``minutes`` after the midnight that begins ``day``; naive."""
    return datetime.combine(day, time()) + timedelta(minutes=minutes)


def days(after: datetime, before: datetime, zone: ZoneInfo, *, margin: timedelta) -> Iterator[date]:
    """Every date, in ``zone``, between two moments, and those up to ``margin`` before."""
    day, last = (after - margin).astimezone(zone).date() - DAY, before.astimezone(zone).date() + DAY
    while day <= last:
        yield day
        day += DAY


@lru_cache(maxsize=1024)
def zone_named(name: str) -> ZoneInfo:
    """An IANA time zone. Raises ValueError with an example."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(
            f"{name[:60]!r} is not a time zone — write an IANA name such as Europe/Berlin or UTC"
        ) from None


def _check_zone(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("must be the name of a time zone — write an IANA name such as Europe/Berlin or UTC")
    zone_named(value)
    return value


def parse_time(value: Any) -> int:
    """Minutes after midnight in ``HH:MM``; ``24:00`` is the midnight that ends the day. Raises ValueError."""
    match = _TIME.match(value) if isinstance(value, str) else None
    minutes = int(match[1]) * 60 + int(match[2]) if match else -1
    if not 0 <= minutes <= 24 * 60:
        raise ValueError(f"{str(value)[:40]!r} is not a time of day — write it like 09:00, from 00:00 to 24:00")
    return minutes


def parse_day(value: Any) -> int:
    """A weekday, ``mon`` (0) to ``sun`` (6), short or in full. Raises ValueError."""
    name = str(value).strip().lower()
    full = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    if name in full:
        return full.index(name)
    if name in DAYS:
        return DAYS.index(name)
    raise ValueError(f"{str(value)[:40]!r} is not a weekday — write one of {', '.join(DAYS)}")


def parse_moment(value: Any) -> datetime:
    """``2027-01-02 06:00``, naive unless it ends in ``Z`` or an offset; a date alone is its midnight. ValueError."""
    if isinstance(value, datetime):
        return value
    match = _MOMENT.match(value) if isinstance(value, str) else None
    try:
        moment = datetime.fromisoformat(f"{match[1]}T{match[2] or '00:00'}{match[3] or ''}") if match else None
    except ValueError:
        moment = None
    if moment is None or moment.year not in _YEARS:
        raise ValueError(f"{str(value)[:40]!r} is not a date and time — write it like 2027-01-02 06:00")
    return moment


def resolve(moment: datetime, zone: ZoneInfo) -> datetime:
    """The moment in UTC that :func:`parse_moment` meant; wall-clock times are those of ``zone``."""
    return moment.astimezone(UTC) if moment.tzinfo else instant(moment, zone)


def _write_time(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


Zone = Annotated[str, BeforeValidator(_check_zone), WithJsonSchema({"type": "string", "examples": ["Europe/Berlin"]})]
TimeOfDay = Annotated[
    int,
    BeforeValidator(parse_time),
    PlainSerializer(_write_time),
    WithJsonSchema({"type": "string", "pattern": r"^([01]?\d|2[0-4]):[0-5]\d$", "examples": ["09:00", "24:00"]}),
]
Moment = Annotated[
    datetime,
    BeforeValidator(parse_moment),
    WithJsonSchema({"type": "string", "examples": ["2027-01-02", "2027-01-02 06:00", "2027-01-02T05:00Z"]}),
]
