"""The body of ``kind: Window``: what a platform engineer writes, checked, and turned into something that recurs."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from policies.people import Actors
from policies.quantity import Duration
from policies.scope import Scope
from policies.strict import Block
from policies.window.clock import Moment, Zone, parse_moment, resolve, zone_named
from policies.window.cron import Cron, check_cron
from policies.window.daily import Daily
from policies.window.ics import Ics, check_ics
from policies.window.monthly import Monthly
from policies.window.once import Once
from policies.window.recurrence import Recurrence, check_duration
from policies.window.rrule import RRule, check_happens, check_rrule, in_zone
from policies.window.weekly import Weekly, WeeklyRange

# Every way to say when; exactly one of them is written in a window.
RECURRENCES = ("once", "daily", "weekly", "monthly", "cron", "rrule", "ics")


def _one_weekly(value: Any) -> Any:
    """Which of the two shapes of `weekly` is meant, so that what is wrong is said of that one alone."""
    if not isinstance(value, dict):
        return value
    return Weekly.model_validate(value) if "days" in value else WeeklyRange.model_validate(value)


def _check_day(value: Any) -> date:
    return parse_moment(value).date()


Day = Annotated[date, BeforeValidator(_check_day), WithJsonSchema({"type": "string", "examples": ["2026-12-24"]})]
CronText = Annotated[str, BeforeValidator(check_cron), WithJsonSchema({"type": "string", "examples": ["0 18 * * fri"]})]
RRuleText = Annotated[
    str, BeforeValidator(check_rrule), WithJsonSchema({"type": "string", "examples": ["FREQ=MONTHLY;BYDAY=2TU"]})
]


class Exempt(Actors):
    """Who and what the window does not bind: the person who asks for the promotion, and kinds of promotion."""

    kinds: tuple[Literal["rollback", "hotfix"], ...] = Field(
        (), description="promotions that may pass: rollback, hotfix"
    )


class Window(Block):
    """When promotions may go (`maintenance`) or must not (`blackout`)."""

    type: Literal["blackout", "maintenance"] = Field(
        description="`blackout`: not within it; `maintenance`: only within it"
    )
    message: str = Field("", max_length=500, description="shown wherever the window makes someone wait")
    timezone: Zone = Field("UTC", description="IANA time zone of every time in this window")
    once: Once | None = None
    daily: Daily | None = None
    weekly: Annotated[Weekly | WeeklyRange, BeforeValidator(_one_weekly)] | None = None
    monthly: Monthly | None = None
    cron: CronText | None = Field(None, description="a window begins whenever this fires, and lasts `duration`")
    rrule: RRuleText | None = Field(None, description="RFC 5545; the first is at `start`, each lasts `duration`")
    ics: str | None = Field(None, description="an iCalendar text, or the path of an .ics file beside this one")
    start: Moment | None = Field(None, description="`rrule` only: the first time")
    duration: Duration | None = Field(None, description="`cron` and `rrule` only: how long each lasts: `2h30m`, `3d`")
    starts: Moment | None = Field(None, description="before this, the window does not exist")
    ends: Moment | None = Field(None, description="from this on, the window does not exist any more")
    except_: tuple[Day, ...] = Field((), alias="except", description="dates on which it does not begin")
    exempt: Exempt = Exempt()
    scope: Scope = Scope()

    @model_validator(mode="after")
    def one_recurrence(self) -> Window:
        given = [name for name in RECURRENCES if getattr(self, name) is not None]
        if len(given) != 1:
            said = f"{' and '.join(given)} are given" if given else "none is given"
            raise ValueError(
                f"a window has exactly one of {', '.join(RECURRENCES)}; {said} — write one document a window"
            )
        timed = self.cron is not None or self.rrule is not None
        if timed and self.duration is None:
            raise ValueError(f"`{given[0]}` needs `duration` — write how long each window lasts: duration: 2h")
        if not timed and self.duration is not None:
            raise ValueError(f"`duration` stands within `{given[0]}` — move it there")
        if (self.rrule is None) != (self.start is None):
            raise ValueError("`start` and `rrule` go together — `starts` limits any other window")
        if self.duration is not None:
            check_duration(self.duration)
        if self.starts and self.ends and resolve(self.ends, self.zone) <= resolve(self.starts, self.zone):
            raise ValueError("`ends` is not after `starts` — swap them, or correct the year")
        if self.rrule is not None and self.start is not None:
            check_happens(in_zone(self.rrule, self.zone), self._local(self.start))
        if self.ics is not None:
            if "BEGIN:VCALENDAR" not in self.ics:
                raise ValueError(
                    f"there is no calendar {self.ics.strip()[:80]!r} beside this file — add it, or write its text"
                )
            check_ics(self.ics)
        return self

    @cached_property
    def zone(self) -> ZoneInfo:
        return zone_named(self.timezone)

    @cached_property
    def recurrence(self) -> Recurrence:
        if self.cron is not None:
            return Cron(expression=self.cron, duration=self.duration or timedelta())
        if self.rrule is not None and self.start is not None:
            text = in_zone(self.rrule, self.zone)
            return RRule(text=text, start=self._local(self.start), duration=self.duration or timedelta())
        if self.ics is not None:
            return Ics(text=self.ics)
        written = self.once or self.daily or self.weekly or self.monthly
        assert written is not None, "one_recurrence() has made sure"  # noqa: S101
        return written

    def _local(self, moment: datetime) -> datetime:
        return moment.astimezone(self.zone).replace(tzinfo=None) if moment.tzinfo else moment
