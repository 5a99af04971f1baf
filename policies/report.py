"""What would be blocked today, and after each date on which a policy changes its mind by itself.

Only by policies whose answer depends on the date: deadlines of required plugins, ends of waivers and exceptions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from policies import required_plugins
from policies.gates import plugins, vulnerability
from policies.gates.record import Record
from policies.policy import PolicySet

GATES = (vulnerability, plugins)


@dataclass(frozen=True, slots=True)
class Blocked:
    """One gate that would block one promotion from ``since`` on."""

    since: datetime
    repository: str
    app: str
    environment: str
    gate: str
    sentence: str


def report(records: Iterable[Record], policies: PolicySet, now: datetime) -> list[Blocked]:
    """Every (app, environment, gate) that is blocked at ``now`` or will be, with the first date on which it is."""
    records = list(records)
    found: dict[tuple[str, str, str, str], Blocked] = {}
    for moment in [now, *coming_dates(policies, now)]:
        for record in records:
            facts = record.facts
            for gate in GATES:
                verdict = gate.evaluate(facts, policies, moment)
                if verdict is None or verdict.passed:
                    continue
                key = (facts.repository, facts.app, facts.environment.name, gate.NAME)
                found.setdefault(key, Blocked(moment, *key, verdict.sentence))
    return sorted(found.values(), key=lambda b: (b.since, b.repository, b.app, b.environment, b.gate))


def coming_dates(policies: PolicySet, now: datetime) -> Sequence[datetime]:
    """Every later moment at which one of these policies changes by itself."""
    ends = {e.expires_at for p in policies.of("Vulnerability") for e in p.body.exceptions}
    return sorted(
        {d for d in ends if d > now} | set(required_plugins.coming_dates(policies.of("RequiredPlugins"), now))
    )
