"""By an RRULE of RFC 5545: a first time, the rule for the others, and how long each lasts. dateutil expands it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from dateutil import rrule as _rrule

from policies.strict import Block
from policies.window.clock import Span, instant
from policies.window.recurrence import MOST_A_DAY

_EXAMPLE = "write it like FREQ=MONTHLY;BYDAY=2TU"
# The Gregorian calendar repeats every 400 years. dateutil looks for the next occurrence up to the year 9999, which for
# a rule that never happens takes long; the same rule moved to the end of that time gives the same answer at once.
_TO_THE_END = 19 * 400
_UNTIL = re.compile(r"UNTIL=(\d{8}T\d{6})Z")


def check_rrule(value: Any) -> str:
    """The rule without ``RRULE:``. Raises ValueError for what is no rule, never happens or happens all the time."""
    if not isinstance(value, str) or "\n" in value.strip() or len(value) > 500:
        raise ValueError(f"not an RRULE — {_EXAMPLE}")
    text = value.strip().removeprefix("RRULE:").upper()
    parts = dict(part.partition("=")[::2] for part in text.split(";"))
    if "DTSTART" in parts or "FREQ" not in parts:
        raise ValueError(f"an RRULE begins with FREQ= and has no DTSTART (that is `start`) — {_EXAMPLE}")
    if parts["FREQ"] in ("SECONDLY", "MINUTELY") or (parts["FREQ"] == "HOURLY" and "BYSECOND" in parts):
        raise ValueError(f"happens more than {MOST_A_DAY} times a day — use FREQ=HOURLY or a longer period")
    try:
        rule = _parse(text, datetime(2024, 1, 1))  # noqa: DTZ001 - wall-clock time, as rules are
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError) as e:
        raise ValueError(f"not an RRULE: {str(e) or 'it cannot be read'} — {_EXAMPLE}") from None
    if _times_a_day(rule) > MOST_A_DAY:
        raise ValueError(f"happens more than {MOST_A_DAY} times a day — leave out BYMINUTE and BYSECOND")
    return text


def check_happens(text: str, start: datetime) -> None:
    """Raises ValueError for a rule that never happens on or after ``start`` (naive)."""
    rule = _parse(text, start)
    later: Any = rule.replace(dtstart=start.replace(year=start.year + _TO_THE_END), until=None, count=None)
    if next(iter(later), None) is None or next(iter(rule), None) is None:
        raise ValueError("this RRULE never happens — correct it, or `start`")


def in_zone(text: str, zone: ZoneInfo) -> str:
    """The rule with an UNTIL in UTC, as calendars write it, turned into wall-clock time."""

    def local(match: re.Match[str]) -> str:
        until = datetime.strptime(match[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
        return f"UNTIL={until.astimezone(zone):%Y%m%dT%H%M%S}"

    return _UNTIL.sub(local, text)


def _times_a_day(rule: Any) -> int:
    hours = 24 if rule._freq == _rrule.HOURLY and not rule._byhour else len(rule._byhour or (0,))
    return hours * len(rule._byminute or (0,)) * len(rule._bysecond or (0,))


@lru_cache(maxsize=512)
def _parse(text: str, start: datetime) -> Any:
    """dateutil's rule, which remembers what it has expanded."""
    rule: Any = _rrule.rrulestr(text, dtstart=start, ignoretz=True, cache=True)
    return rule


class RRule(Block):
    """A rule, its first time (naive, on the wall clock) and how long each window lasts."""

    text: str
    start: datetime
    duration: timedelta

    @property
    def stride(self) -> timedelta:
        return timedelta(days=366)

    def spans(self, zone: ZoneInfo, after: datetime, before: datetime) -> Iterator[Span]:
        first, last = (m.astimezone(zone).replace(tzinfo=None) for m in (after - self.duration, before))
        day = timedelta(days=1)
        for local in _parse(self.text, self.start).between(first - day, last + day, inc=True):
            begins = instant(local, zone)
            yield Span(begins, begins + self.duration)
