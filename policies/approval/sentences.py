"""One line for each node that tells a person what to do next. Logins and names are written as GitHub writes them.

Plain text: whoever shows a sentence on a page escapes it and takes the sting out of mentions (:mod:`explain`).
"""

from __future__ import annotations

from collections.abc import Sequence

from policies.approval.approvals import Approval
from policies.approval.result import Candidate, Finding, Outcome, Rejection, Result
from policies.approval.rules import Disapproval, Rule


def of_rule(rule: Rule, approval: Approval, conditions: Sequence[Finding], *, approved: bool) -> str:
    if approved:
        return _approved(rule, approval, conditions)
    parts = []
    if not approval.enough(rule):
        parts.append(_waiting(rule, approval))
    if unmet := [condition.sentence for condition in conditions if not condition.satisfied]:
        parts.append("waiting for conditions: " + ", ".join(unmet))
    if not approval.enough(rule):
        if approval.hidden is not None:
            oid = approval.hidden.oid[:7]
            parts.append(
                f"GitHub knows no account for somebody behind {oid}: have its email added to theirs, or amend it"
            )
        parts.extend(of_rejection(rejection) for rejection in _telling(approval.rejections))
    return "; ".join(parts)


def _approved(rule: Rule, approval: Approval, conditions: Sequence[Finding]) -> str:
    by = [f"@{candidate.login}" for candidate in approval.approvers] if rule.count > 0 else []
    if conditions:
        by.append("its conditions")
    return f"approved by {_joined(by)}" if by else "no approval required"


def _waiting(rule: Rule, approval: Approval) -> str:
    missing = rule.count - len(approval.approvers)
    listed = rule.actors.listed()
    if not listed:
        return "nobody can approve: `requires` names no users, teams, organizations or permissions"
    have = f" ({len(approval.approvers)} of {rule.count} given)" if approval.approvers else ""
    whom = f"one of {' or '.join(listed)}" if missing == 1 else f"{missing} of {' or '.join(listed)}"
    if approval.open_to is None:
        return f"waiting for {whom}{have}"
    able = len(approval.open_to)
    can = "nobody is left who can" if able == 0 else f"{able} {'person' if able == 1 else 'people'} can"
    return f"waiting for {whom} ({can}){have}"


def _telling(rejections: Sequence[Rejection]) -> Sequence[Rejection]:
    """The few that a sentence has room for, the latest first; the tree shows all."""
    return sorted(rejections, key=lambda r: r.candidate.created_at, reverse=True)[:3]


def of_rejection(rejection: Rejection) -> str:
    who = f"@{rejection.candidate.login}" if rejection.candidate.login else "a deleted account"
    return f"{who}'s approval {rejection.reason}"


def of_disapproval(policy: Disapproval, candidate: Candidate) -> str:
    can = " or ".join(policy.actors.listed())
    return f"disapproved by @{candidate.login}; any of {can} can revoke it"


def of_operator(operator: str, outcome: Outcome, children: Sequence[Result]) -> str:
    """The sentence of `and` and `or`: that of the child to act on, or how many there are."""
    telling = [child for child in children if child.outcome is outcome]
    if outcome is Outcome.SKIPPED:
        return "no rule applies"
    if outcome is Outcome.APPROVED:
        if operator == "or" or len(telling) == 1:
            return telling[0].sentence
        return f"all {len(telling)} rules that apply are approved"
    told = "; ".join(
        f"{child.name}: {child.sentence}" if child.kind == "rule" else child.sentence for child in telling[:2]
    )
    more = f"; and {len(telling) - 2} more" if len(telling) > 2 else ""
    return ("any of: " if operator == "or" and len(telling) > 1 else "") + told + more


def _joined(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else words[0]
