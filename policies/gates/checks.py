"""Passes when the demanded check runs and statuses are green, by whose they are and not by name alone.

A check of the right name from another App is named and does not count; a missing one is waited for.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from policies.demands import AppName, CheckDemand
from policies.gates.demanded import Demanded, judge_each
from policies.gates.facts import Check, Promotion
from policies.policy import PolicySet
from policies.verdict import Verdict, error, failed, passed, pending

NAME = "checks"


def evaluate(facts: Promotion, policies: PolicySet, now: datetime) -> Verdict | None:  # noqa: ARG001 - a Gate
    """Every demanded check, on the promotion's head and on the source commit."""

    def judge(demanded: Demanded) -> list[Verdict]:
        return [
            green(check, facts.checks, sha, f"{where} {sha[:7]}")
            for check in demanded.demand.checks
            for where, sha in (("the head", facts.head_sha), ("the source commit", facts.release.commit))
            if check.on in ("both", "head" if sha == facts.head_sha else "source")
        ]

    return judge_each(facts, policies, "checks", judge)


def green(demand: CheckDemand, checks: Sequence[Check], sha: str, where: str) -> Verdict:
    """One demanded check on one commit. Two answers that disagree are an error that names both."""
    whose = f"by {demand.app or demand.creator}"
    named = [c for c in checks if c.commit == sha and c.name == demand.name]
    own = [c for c in named if _is_theirs(c, demand.app, demand.creator)]
    if not own:
        others = sorted({c.app or c.creator or "someone unknown" for c in named})
        note = f"; the one by {' and '.join(others)} does not count" if others else ""
        return pending(f"waiting for {demand.name!r} {whose} on {where}{note}")
    running = [c for c in own if not c.conclusion]
    if running:
        return pending(f"{demand.name!r} {whose} is still running on {where}")
    good = [c for c in own if c.conclusion in demand.allow]
    bad = [c for c in own if c.conclusion not in demand.allow]
    if good and bad:
        both = f"{good[0].conclusion} ({good[0].url or whose}) and {bad[0].conclusion} ({bad[0].url or whose})"
        return error(f"{demand.name!r} {whose} has two answers on {where}: {both}; run it again so that they agree")
    if bad:
        said = f": {bad[0].summary}" if bad[0].summary else ""
        return failed(f"{demand.name!r} {whose} ended with {bad[0].conclusion} on {where}{said}")
    return passed(f"{demand.name!r} {whose} is {good[0].conclusion} on {where}")


def _is_theirs(check: Check, app: AppName | None, creator: str) -> bool:
    """Whether a check run is the App's, or a status the creator's; one of unknown origin is nobody's."""
    if isinstance(app, int):
        return check.app_id == app
    if app:
        return bool(check.app) and check.app.lower() == app
    return not check.app and check.app_id is None and bool(creator) and check.creator.lower() == creator.lower()
