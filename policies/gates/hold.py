"""Passes when nothing holds the promotion: no hold on the environment, no label, no rejection of its release."""

from __future__ import annotations

from datetime import UTC, datetime

from policies.gates.facts import Hold, Promotion
from policies.markdown import escape
from policies.policy import PolicySet
from policies.verdict import Verdict, failed, passed, pending

NAME = "hold"


def evaluate(facts: Promotion, policies: PolicySet, now: datetime) -> Verdict | None:  # noqa: ARG001 - a Gate
    """A rejected release fails for good; a hold waits for whoever lifts it."""
    if facts.release.rejected:
        return failed(f"release {facts.release.id} was rejected: {facts.release.rejected}")
    if not facts.holds:
        return passed("nothing holds it")
    details = "\n".join(f"- {escape(_say(hold))}" for hold in facts.holds)
    return pending(f"{_say(facts.holds[0])}; {_lift(facts.holds[0])}", details=details)


def _say(hold: Hold) -> str:
    by = f" by @{hold.by}" if hold.by else f" by {hold.what}" if hold.what else ""
    since = f" since {hold.since.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if hold.since else ""
    return f"held{by}{since}" + (f": {hold.reason}" if hold.reason else "")


def _lift(hold: Hold) -> str:
    return "goes on when the label is removed" if hold.what.startswith("the label") else "goes on after /unhold"
