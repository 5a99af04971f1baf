"""By an iCalendar text, as every calendar program exports it: each event that is not cancelled is a window.

Repetitions, exceptions and moved instances are expanded by recurring-ical-events; which moments are meant by an event's
times is decided by :mod:`clock`, like everything else's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events

from policies.strict import Block
from policies.window.clock import Span, at, span
from policies.window.rrule import check_happens, check_rrule

_EXAMPLE = "export the calendar again as iCalendar (.ics)"
_MOST_EVENTS = 5000
_MARGIN = timedelta(days=2)


def check_ics(text: str) -> str:
    """A calendar with events. Raises ValueError that names the event which is wrong."""
    events = _events(text)
    if not events:
        raise ValueError(f"the calendar has no events — {_EXAMPLE}")
    if len(events) > _MOST_EVENTS:
        raise ValueError(f"the calendar has more than {_MOST_EVENTS} events — leave out those of past years")
    for event in events:
        _check_event(event)
    return text


def _check_event(event: Any) -> None:
    title = str(event.get("SUMMARY") or event.get("UID") or "without a name")[:60]
    try:
        start, end = event.start, event.end
        if (isinstance(start, datetime) and _naive(end) < _naive(start)) or _naive(start).year < 1970:
            raise ValueError("it ends before it starts, or lies before 1970")
        rules = event.get("RRULE", [])
        for rule in rules if isinstance(rules, list) else [rules]:
            check_happens(check_rrule(rule.to_ical().decode()), _naive(start))
    except (ValueError, TypeError, AttributeError, KeyError, OverflowError) as e:
        raise ValueError(f"the event {title!r} cannot be used: {e}") from None


def _naive(moment: date) -> datetime:
    return moment.replace(tzinfo=None) if isinstance(moment, datetime) else at(moment, 0)


def _events(text: str) -> list[Any]:
    return list(_calendar(text).walk("VEVENT"))


@lru_cache(maxsize=128)
def _calendar(text: str) -> Any:
    try:
        found = icalendar.Calendar.from_ical(text)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as e:
        raise ValueError(f"not a calendar: {str(e)[:100] or type(e).__name__} — {_EXAMPLE}") from None
    if found.name != "VCALENDAR":
        raise ValueError(f"not a calendar but a {found.name} — {_EXAMPLE}")
    return found


@dataclass(frozen=True)
class _Events:
    """``single`` happen once, by start and end; ``series`` answers for those that repeat, with their exceptions."""

    single: tuple[tuple[date, date], ...]
    series: Any


@lru_cache(maxsize=128)
def _sorted_out(text: str) -> _Events:
    """Most calendars are long lists of single events, which need no expanding."""
    events = [e for e in _events(text) if str(e.get("STATUS", "")).upper() != "CANCELLED" or "RECURRENCE-ID" in e]
    repeated = {e.get("UID") for e in events if any(key in e for key in ("RRULE", "RDATE", "RECURRENCE-ID"))}
    series = icalendar.Calendar()
    for event in (e for e in events if e.get("UID") in repeated):
        series.add_component(event)
    single = tuple((e.start, e.end) for e in events if e.get("UID") not in repeated)
    return _Events(single, recurring_ical_events.of(series) if repeated else None)


class Ics(Block):
    """A calendar's text."""

    text: str

    @property
    def stride(self) -> timedelta:
        return timedelta(days=366)

    def spans(self, zone: ZoneInfo, after: datetime, before: datetime) -> Iterator[Span]:
        events = _sorted_out(self.text)
        for start, end in events.single:
            yield _span(start, end, zone)
        if events.series is None:
            return
        for event in events.series.between(after - _MARGIN, before + _MARGIN):
            if str(event.get("STATUS", "")).upper() != "CANCELLED":
                yield _span(event.start, event.end, zone)


def _span(start: date, end: date, zone: ZoneInfo) -> Span:
    if not isinstance(start, datetime) or not isinstance(end, datetime):
        return span(_naive(start), _naive(end), zone)
    ours = start.tzinfo or zone
    if isinstance(ours, ZoneInfo):
        return span(start.replace(tzinfo=None), end.replace(tzinfo=None), ours)
    return Span(start.astimezone(UTC), end.astimezone(UTC))
