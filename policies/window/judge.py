"""May it go now? Blackouts win over maintenance windows; without any maintenance window it may always go.

A promotion that may not go waits, and the verdict says until when. Reads no clock and no calendar of anyone's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime

from policies.markdown import escape
from policies.policy import Origin, Policy
from policies.scope import Place
from policies.verdict import Verdict, passed, pending
from policies.window.calendar import HORIZON, Calendar, calendar_of
from policies.window.clock import MONTHS, zone_named
from policies.window.model import Window

_MOST_STEPS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What wants to go, where, and who asked for it (``None``: it came by itself). ``kind`` is a promotion's.

    ``automatic``: it merges by itself once it may.
    """

    place: Place
    kind: str = "promotion"
    requested_by: str | None = None
    team_members: Mapping[str, Set[str]] = field(default_factory=dict)
    permissions: Mapping[str, str] = field(default_factory=dict)
    automatic: bool = True


@dataclass(frozen=True, eq=False)
class _One:
    policy: Policy
    window: Window
    calendar: Calendar
    exempt: str  # why it does not bind; "" when it does

    @property
    def title(self) -> str:
        said = f" ({self.window.message})" if self.window.message else ""
        kind = "blackout" if self.window.type == "blackout" else "maintenance window"
        return f"{kind} {self.policy.name!r}{said}"

    @property
    def ends_it(self) -> str:
        return f"{self.title} begins" if self.window.type == "blackout" else f"the {self.title} ends"


def evaluate(windows: Iterable[Policy], asked: Asked, now: datetime) -> Verdict:
    """Whether ``asked`` may go at ``now`` (aware): pass or pending.

    ``windows`` are policies of the kind Window; those whose scope is elsewhere are left aside. ``until`` is when the
    answer changes next, found up to two years ahead.
    """
    every = [_one(p, asked) for p in windows if p.scope.covers(asked.place)]
    if not every:
        return passed("no window applies here")
    now = now.astimezone(UTC)
    blackouts = [w for w in every if w.window.type == "blackout" and not w.exempt]
    maintenance = [w for w in every if w.window.type == "maintenance"]
    # One who need not wait for a maintenance window may still use it; without any that binds, all times are good. The
    # organisation's and the repository's are asked apart, so that a repository's window opens nothing that is closed.
    groups = [[w for w in maintenance if w.policy.origin is origin] for origin in Origin]
    confined = [g for g in groups if not all(w.exempt for w in g)]
    details = "\n".join(_line(w, now) for w in every)
    active = [w for w in blackouts if w.calendar.at(now)]
    if active or _shut(confined, now):
        opening = _opening(blackouts, confined, now)
        return pending(_waiting(active, confined, opening, now, asked), details=details, until=opening)
    return _open(blackouts, confined, [w for w in every if w.exempt and w.calendar.at(now)], now, details)


# The maintenance windows of one origin; each group has to be open.
_Groups = Sequence[Sequence["_One"]]


def _shut(confined: _Groups, moment: datetime) -> list[Sequence[_One]]:
    """The groups of which no window is open."""
    return [group for group in confined if not any(w.calendar.at(moment) for w in group)]


def _one(policy: Policy, asked: Asked) -> _One:
    window: Window = policy.body
    why = ""
    if asked.kind in window.exempt.kinds:
        why = f"a {asked.kind} may pass"
    elif window.exempt.include(asked.requested_by, teams=asked.team_members, permissions=asked.permissions):
        why = f"{asked.requested_by} may pass"
    return _One(policy, window, calendar_of(window), why)


def _opening(blackouts: Sequence[_One], confined: _Groups, now: datetime) -> datetime | None:
    """The first moment from ``now`` on that no blackout covers and of every group some maintenance window does."""
    moment, horizon = now, now + HORIZON
    for _ in range(_MOST_STEPS):
        if moment >= horizon:
            return None
        if closing := [w.calendar.end_after(moment, horizon) for w in blackouts if w.calendar.at(moment)]:
            moment = max(closing)
        elif shut := _shut(confined, moment):
            starts = [s for w in shut[0] if (s := w.calendar.start_after(moment, horizon))]
            if not starts:
                return None
            moment = min(starts)
        else:
            return moment
    return None


def _closing(blackouts: Sequence[_One], confined: _Groups, now: datetime) -> tuple[datetime, _One] | None:
    """When it may not go any more, and because of which window."""
    horizon = now + HORIZON
    found = [(s, w) for w in blackouts if (s := w.calendar.start_after(now, horizon))]
    for group in confined:
        end, last = now, group[0]
        while end < horizon and (
            reach := [(w.calendar.end_after(end, horizon), w) for w in group if w.calendar.at(end)]
        ):
            end, last = max(reach, key=lambda r: r[0])
        if end < horizon:
            found.append((end, last))
    return min(found, key=lambda f: f[0], default=None)


def _waiting(active: Sequence[_One], confined: _Groups, opening: datetime | None, now: datetime, asked: Asked) -> str:
    then = "merges by itself then" if asked.automatic else "may be merged from then on"
    if not active:
        shut = _shut(confined, now)[0]
        if opening is None:
            return f"outside every maintenance window ({_names(shut)}), and none opens within two years"
        first = next((w for w in shut if w.calendar.at(opening)), shut[0])
        return f"outside the {first.title}, which opens {say(opening, first.window.timezone)}; {then}"
    ends = {w: w.calendar.end_after(now, now + HORIZON) for w in active}
    last = max(active, key=lambda w: ends[w])
    end, zone = ends[last], last.window.timezone
    if end >= now + HORIZON:
        return f"{last.title} has no end within two years; change the window, or ask someone it exempts"
    if opening is None:
        return f"{last.title} until {say(end, zone)}, and nothing opens after it within two years"
    if end == opening:
        return f"{last.title} until {say(end, zone)}; {then}"
    return f"{last.title} until {say(end, zone)}; the next opening is {say(opening, zone)}, and it {then}"


def _open(
    blackouts: Sequence[_One], confined: _Groups, passed_by: Sequence[_One], now: datetime, details: str
) -> Verdict:
    closing = _closing(blackouts, confined, now)
    inside = [w for group in confined for w in group if w.calendar.at(now)]
    if inside:
        sentence = f"inside the {inside[0].title}"
    elif passed_by:
        sentence = f"{passed_by[0].title} does not bind: {passed_by[0].exempt}"
    else:
        sentence = "outside every blackout" if blackouts else "no window is in the way"
    if closing is None:
        return passed(sentence, details=details)
    moment, window = closing
    until = say(moment, window.window.timezone)
    sentence += f" until {until}" if window in inside[:1] else f"; {window.ends_it} {until}"
    return passed(sentence, details=details, until=moment)


def _names(windows: Sequence[_One]) -> str:
    return ", ".join(repr(w.policy.name) for w in windows)


def _line(one: _One, now: datetime) -> str:
    horizon = now + HORIZON
    zone = one.window.timezone
    if one.calendar.at(now):
        end = one.calendar.end_after(now, horizon)
        when = f"now, until {say(end, zone)}" if end < horizon else "now, without end"
    else:
        start = one.calendar.start_after(now, horizon)
        when = f"next {say(start, zone)}" if start else "not within two years"
    bound = f"; does not bind: {one.exempt}" if one.exempt else ""
    return "- " + escape(f"{one.title}: {when}{bound} — {one.policy.title}, {one.policy.where}")


def say(moment: datetime, zone: str) -> str:
    """``2 Jan 2027 06:00 Europe/Berlin (05:00 UTC)``; the date is said again where it is another day in UTC."""
    local, utc = moment.astimezone(zone_named(zone)), moment.astimezone(UTC)
    text = f"{_date(local)} {local:%H:%M} {zone}"
    if zone in ("UTC", "Etc/UTC"):
        return text
    other = f"{_date(utc)} " if utc.date() != local.date() else ""
    return f"{text} ({other}{utc:%H:%M} UTC)"


def _date(moment: datetime) -> str:
    return f"{moment.day} {MONTHS[moment.month - 1].capitalize()} {moment.year}"
