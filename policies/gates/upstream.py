"""Passes when the environments before this one run the release, and have been healthy for their soak.

A soak is counted from *healthy* and begins again with every unhealthy moment. Reads no clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from policies.gates.facts import Kind, Order, Promotion, Strategy, Upstream
from policies.markdown import escape
from policies.policy import PolicySet
from policies.quantity import format_duration
from policies.verdict import Verdict, passed, pending, worst

NAME = "upstream"


def evaluate(facts: Promotion, policies: PolicySet, now: datetime) -> Verdict | None:  # noqa: ARG001 - a Gate
    """A rollback waits for no environment; a hotfix not for those it passes by."""
    if not facts.environment.after:
        return None
    if facts.kind is Kind.ROLLBACK:
        return passed("a rollback waits for no other environment")
    known = {u.environment: u for u in facts.upstreams}
    verdicts = {
        name: _one(known.get(name) or Upstream(environment=name), facts, now) for name in facts.environment.after
    }
    details = "\n".join(f"- {'✓' if v.passed else '…'} {escape(v.sentence)}" for v in verdicts.values())
    chosen = _any(list(verdicts.values())) if facts.environment.after_any else _all(list(verdicts.values()))
    return Verdict(chosen.state, chosen.sentence, details, chosen.until)


def _all(verdicts: Sequence[Verdict]) -> Verdict:
    waiting = [v for v in verdicts if not v.passed]
    if not waiting:
        return passed("; ".join(v.sentence for v in verdicts))
    until = min((v.until for v in waiting if v.until), default=None)
    first = worst(waiting) or waiting[0]
    more = f" (and {len(waiting) - 1} more)" if len(waiting) > 1 else ""
    return Verdict(first.state, first.sentence + more, until=until)


def _any(verdicts: Sequence[Verdict]) -> Verdict:
    if good := next((v for v in verdicts if v.passed), None):
        return good
    until = min((v.until for v in verdicts if v.until), default=None)
    return pending(f"one of these is enough: {'; or '.join(v.sentence for v in verdicts)}", until=until)


def _one(upstream: Upstream, facts: Promotion, now: datetime) -> Verdict:
    name, release = upstream.environment, facts.release.id
    if facts.kind is Kind.HOTFIX and name in facts.skipped:
        by = f" by @{facts.requested_by}" if facts.requested_by else ""
        return passed(f"{name} is passed by: a hotfix{by}")
    if upstream.release is None:
        return pending(f"{name} runs nothing yet; it has to run {release} first")
    if not upstream.no_op:
        if upstream.order is Order.NEWER and facts.environment.strategy is Strategy.MATCH:
            return pending(f"{name} already runs {upstream.release}, and this environment matches it; not {release}")
        if upstream.order not in (Order.SAME, Order.NEWER):
            return pending(f"{name} still runs {upstream.release}; it has to run {release} first")
    runs = f"{name} runs {upstream.release}"
    if upstream.healthy_since is None:
        said = f" ({upstream.message})" if upstream.message else ""
        state = {"failure": "is unhealthy", "error": "could not be deployed"}.get(upstream.state, "is not healthy yet")
        return pending(f"{runs}, which {state}{said}")
    ready = upstream.healthy_since + upstream.soak
    since = _moment(upstream.healthy_since)
    if now < ready:
        soak = format_duration(upstream.soak)
        return pending(f"{runs}, healthy since {since}; its soak of {soak} ends {_moment(ready)}", until=ready)
    soaked = f", longer than its soak of {format_duration(upstream.soak)}" if upstream.soak else ""
    return passed(f"{runs}, healthy since {since}{soaked}")


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
