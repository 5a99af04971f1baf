"""The further gates that are demanded of a promotion: by `.ghapp.yml` and by every Promotion policy that applies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from policies.demands import BadDemand, Demand, read_demands
from policies.gates.facts import Promotion
from policies.gates.interface import broken
from policies.markdown import escape
from policies.policy import PolicySet
from policies.verdict import State, Verdict, error, passed, worst

_MARKS = {State.PASS: "✓", State.PENDING: "…", State.FAIL: "✗", State.ERROR: "‼"}


@dataclass(frozen=True)
class Demanded:
    """One demand and who makes it."""

    demand: Demand
    by: str


def demanded(facts: Promotion, policies: PolicySet, what: str) -> Sequence[Demanded] | Verdict:
    """The demands with the field ``what`` (checks, http …) that bind this promotion; an error where one is broken."""
    if problem := broken(policies, "Promotion"):
        return problem
    environment = facts.environment
    where = f"{environment.file}{f':{environment.line}' if environment.line else ''}, environment {environment.name}"
    try:
        own = read_demands(environment.checks, environment.gates, where)
    except BadDemand as e:
        return error(str(e))
    found = [Demanded(d, environment.file) for d in own]
    found += [Demanded(d, p.title) for p in policies.of("Promotion", facts.place) for d in p.body.gates]
    return [d for d in found if getattr(d.demand, what) and facts.kind in d.demand.kinds]


def judge_each(
    facts: Promotion, policies: PolicySet, what: str, judge: Callable[[Demanded], Sequence[Verdict]]
) -> Verdict | None:
    """The worst verdict of every demand of one sort, with a line for each; ``None`` where there is none.

    Two demands of one name are an error: a result could not be told to belong to either.
    """
    found = demanded(facts, policies, what)
    if isinstance(found, Verdict):
        return found
    names = [d.demand.name for d in found if d.demand.name]
    if twice := next((n for n in names if names.count(n) > 1), None):
        by = " and ".join(d.by for d in found if d.demand.name == twice)
        return error(f"two gates are called {twice!r} ({by}); give one of them another name")
    verdicts = [v for d in found for v in judge(d)]
    chosen = worst(verdicts)
    if chosen is None:
        return None
    until = min((v.until for v in verdicts if v.until), default=None)
    details = "\n".join(f"- {_MARKS[v.state]} {escape(v.sentence)}" for v in verdicts)
    if chosen.passed:
        said = verdicts[0].sentence if len(verdicts) == 1 else f"all {len(verdicts)} pass"
        return passed(said, details=details, until=until)
    others = sum(not v.passed for v in verdicts) - 1
    return Verdict(chosen.state, chosen.sentence + (f" (and {others} more)" if others else ""), details, until)
