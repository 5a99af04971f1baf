"""Passes when a hotfix or rollback is asked for by someone who may, and approved as its policy demands.

Where no policy speaks of it, a hotfix needs one approval by someone else with write permission, and a rollback as many
as the environment says. Judges nothing on the usual road.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from policies.gates import filter as filter_gate
from policies.gates.approval import enough
from policies.gates.approvers import Counted, Rule, count
from policies.gates.facts import Kind, Promotion
from policies.gates.interface import broken
from policies.globs import matches_any
from policies.people import at_least
from policies.policy import PolicySet
from policies.promotion import Bypass, Hotfix, Rollback
from policies.verdict import Verdict, failed, passed, worst

NAME = "bypass"


def evaluate(facts: Promotion, policies: PolicySet, now: datetime) -> Verdict | None:
    """Every policy that speaks of this kind of promotion has to agree."""
    if facts.kind is Kind.PROMOTION:
        return None
    if problem := broken(policies, "Promotion"):
        return problem
    rules = bypasses(facts, policies)
    default: Bypass = Hotfix() if facts.kind is Kind.HOTFIX else Rollback()
    verdicts = [_one(r, facts, now, where) for r, where in (rules or [(default, "")])]
    verdict = worst(verdicts)
    if verdict is None or not verdict.passed:
        return verdict
    return passed("; ".join(dict.fromkeys(v.sentence for v in verdicts)))


def bypasses(facts: Promotion, policies: PolicySet) -> Sequence[tuple[Bypass, str]]:
    """The rules for this kind of promotion, and the sentence's name of whose they are."""
    field = "hotfix" if facts.kind is Kind.HOTFIX else "rollback"
    applying = policies.of("Promotion", facts.place)
    return [(rule, f"{p.where}: {field}") for p in applying if (rule := getattr(p.body, field)) is not None]


def _one(rule: Bypass, facts: Promotion, now: datetime, where: str) -> Verdict:
    what = "hotfix" if facts.kind is Kind.HOTFIX else "rollback"
    by = f" ({where})" if where else ""
    asker = facts.requested_by
    # A rollback that nobody asked for is the automatic one, which the environment's settings have allowed.
    automatic = facts.kind is Kind.ROLLBACK and asker is None
    if not automatic and not rule.allowed.include(asker, teams=facts.team_members, permissions=facts.permissions):
        who = f"@{asker}" if asker else "nobody known"
        return failed(f"this {what} was asked for by {who}; it may be asked for by {rule.allowed}{by}")
    if isinstance(rule, Hotfix) and (far := [e for e in facts.skipped if not matches_any(rule.may_skip, e)]):
        return failed(f"a hotfix may not pass by {', '.join(far)}{by}")
    judged = filter_gate.condition(rule.pass_ or "", rule.fail or "", filter_gate.variables(facts, now), where or what)
    if not judged.passed:
        return judged
    if not rule.approvals:
        return passed(f"{what} asked for by {f'@{asker}' if asker else 'ghapp itself'}, who may")
    verdict = enough(_counted(rule, facts), rule.approvals)
    return Verdict(verdict.state, f"{what}: {verdict.sentence}{by if not verdict.passed else ''}", verdict.details)


def _counted(rule: Bypass, facts: Promotion) -> Counted:
    whose = Rule(permission="", builders=rule.builder_may_approve, requester=rule.requester_may_approve)
    counted = count(facts, whose)
    kept = [
        login
        for login in counted.approvers
        if rule.approvers.include(login, teams=facts.team_members, permissions=facts.permissions)
    ]
    left = [
        f"@{login}'s approval does not count: it takes {rule.approvers}"
        for login in counted.approvers
        if login not in kept
    ]
    return Counted(tuple(kept), (*counted.others, *left), counted.unknown)


def approver_may_merge(facts: Promotion, policies: PolicySet, merger: str) -> bool:
    """Whether ``merger`` may merge a hotfix by hand, having approved it. Everyone else may as GitHub lets them."""
    rules = [rule for rule, _ in bypasses(facts, policies) if isinstance(rule, Hotfix)]
    approved = merger.lower() in {login.lower() for login in count(facts).approvers}
    may_write = at_least(facts.permissions.get(merger), "write")
    return may_write and (not approved or all(rule.approver_may_merge for rule in rules))
