"""What holds only for a while: exceptions and waivers, each with a reason, an owner and an end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pydantic import Field

from policies.strict import Block
from policies.window.clock import MONTHS, Moment, resolve, zone_named

WARNING = timedelta(days=14)


class Expiring(Block):
    """Something that is allowed for a reason, answered for by someone, until a date."""

    reason: str = Field(min_length=1, max_length=500)
    owner: str = Field(min_length=1, description="who answers for it: a login or `organisation/team`")
    expires: Moment = Field(description="from then on it counts as absent; a date alone is its midnight, in UTC")

    @property
    def expires_at(self) -> datetime:
        return resolve(self.expires, zone_named("UTC"))

    @property
    def expires_text(self) -> str:
        return date_text(self.expires_at)

    def expired(self, now: datetime) -> bool:
        return now >= self.expires_at


def date_text(moment: datetime) -> str:
    """``2 Jan 2027``, with the time where it is not midnight; in UTC."""
    moment = moment.astimezone(UTC)
    text = f"{moment.day} {MONTHS[moment.month - 1].capitalize()} {moment.year}"
    return text if (moment.hour, moment.minute) == (0, 0) else f"{text} {moment:%H:%M} UTC"


def soon(end: datetime, now: datetime) -> str:
    """A warning to put behind a sentence in the last fourteen days before ``end``; else nothing."""
    left = end - now
    if not timedelta() < left <= WARNING:
        return ""
    days = left.days
    when = f"in {days} day{'s' if days != 1 else ''}" if days else "today or tomorrow"
    return f"; it ends {when}, on {date_text(end)}"
