"""Passes outside every blackout and, where there are maintenance windows, inside one; never in an emergency stop."""

from __future__ import annotations

from datetime import UTC, datetime

from policies.gates.facts import Promotion, Stop
from policies.gates.interface import broken
from policies.markdown import escape
from policies.policy import PolicySet
from policies.verdict import Verdict, pending
from policies.window import Asked
from policies.window import evaluate as judge

NAME = "window"


def evaluate(facts: Promotion, policies: PolicySet, now: datetime) -> Verdict | None:
    """An emergency stop stops everything, rollbacks and hotfixes too."""
    if stops := [s for s in facts.stops if _reaches(s, facts)]:
        details = "\n".join(f"- {escape(_say(s))}" for s in stops)
        return pending(f"{_say(stops[0])}; goes on when the stop is lifted", details=details)
    if problem := broken(policies, "Window"):
        return problem
    windows = policies.of("Window", facts.place)
    if not windows:
        return None
    asked = Asked(
        place=facts.place,
        kind=facts.kind,
        requested_by=facts.requested_by,
        team_members=facts.team_members,
        permissions=facts.permissions,
        automatic=facts.automatic,
    )
    return judge(windows, asked, now)


def _reaches(stop: Stop, facts: Promotion) -> bool:
    return stop.environment in ("", facts.environment.name) and stop.app in ("", facts.app)


def _say(stop: Stop) -> str:
    what = " of ".join(part for part in (stop.app, stop.environment and f"{stop.environment}") if part) or "everything"
    by = f" by @{stop.by}" if stop.by else ""
    since = f" since {stop.since.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if stop.since else ""
    return f"emergency stop of {what}{by}{since}" + (f": {stop.reason}" if stop.reason else "")
