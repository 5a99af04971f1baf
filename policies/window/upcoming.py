"""What is coming: every window between two moments in order, and the same as an iCalendar text."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from icalendar import Calendar as ICalendar
from icalendar import Event

from policies.policy import Policy
from policies.window.calendar import calendar_of
from policies.window.clock import Span


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One time that one window is: ``span`` in UTC."""

    policy: Policy
    span: Span


def upcoming(windows: Iterable[Policy], now: datetime, horizon: timedelta) -> list[Occurrence]:
    """Every occurrence that is going on at ``now`` or begins before ``now + horizon``, in order of time."""
    found = [
        Occurrence(policy, span) for policy in windows for span in calendar_of(policy.body).between(now, now + horizon)
    ]
    return sorted(found, key=lambda o: (o.span, o.policy.name))


def to_ics(occurrences: Iterable[Occurrence], *, now: datetime) -> str:
    """An iCalendar text that any calendar program can subscribe to; the same windows give the same event ids."""
    calendar = ICalendar()
    calendar.add("prodid", "-//ghapp//windows//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", "ghapp windows")
    for occurrence in occurrences:
        policy, span = occurrence.policy, occurrence.span
        event = Event()
        identity = f"{policy.origin}/{policy.file}/{policy.name}/{span.start.isoformat()}"
        event.add("uid", f"{hashlib.sha256(identity.encode()).hexdigest()[:32]}@ghapp")
        event.add("dtstamp", now)
        event.add("dtstart", span.start)
        event.add("dtend", span.end)
        event.add("summary", f"{policy.body.type}: {policy.name}")
        event.add("description", "\n".join(t for t in (policy.body.message, f"applies to {policy.scope}") if t))
        event.add("categories", [policy.body.type])
        calendar.add_component(event)
    return str(calendar.to_ical().decode())
