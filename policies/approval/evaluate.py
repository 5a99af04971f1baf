"""A policy and a case to a tree of results: the language's rules for `if`, `and`, `or` and disapproval.

Truth tables
============
==========  ======================================================================================
rule        every `if` in order until one is false (skipped) or cannot be judged (error); then approved
            when enough approvals count *and* every condition holds, else pending
or          any approved → approved; any pending → pending (both hide errors); any error → error; skipped
and         any error → error; any pending → pending; any approved → approved; skipped
policy      error > disapproved > what the approval says
==========  ======================================================================================

Pure. Whatever cannot be judged is an error with its sentence, never a pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from policies.approval import approvals, candidates, sentences
from policies.approval.case import CannotJudge, Case
from policies.approval.facts import Facts
from policies.approval.predicates.predicate import Predicate
from policies.approval.result import Candidate, Finding, Outcome, Result
from policies.approval.rules import Both, Disapproval, Methods, Policy, Requirement, Rule

APPROVED, PENDING, SKIPPED = Outcome.APPROVED, Outcome.PENDING, Outcome.SKIPPED
DISAPPROVED, ERROR = Outcome.DISAPPROVED, Outcome.ERROR


def evaluate(policy: Policy, facts: Facts, now: datetime) -> Result:
    """Judge ``facts`` by ``policy``; ``now`` is UTC. Never raises for what policies or facts may hold."""
    case = Case(facts, now, policy.path_patterns, policy.text_patterns)
    disapproval = _disapproval(policy.disapproval, case)
    if policy.approval is None:
        sentence = "no approval is required: the policy has no approval rules"
        approval = Result("approval", "approval", APPROVED, sentence)
    else:
        # Where nobody may disapprove, a request for changes at least ends its writer's own approval.
        root = _judge(policy.approval, case, changes_requested_ends=policy.disapproval.actors.empty)
        approval = Result("approval", "approval", root.outcome, root.sentence, children=root.children)
    outcome, sentence = approval.outcome, approval.sentence
    if outcome is SKIPPED:
        outcome, sentence = ERROR, "all rules were skipped; at least one rule must match"
    if disapproval.outcome is DISAPPROVED and approval.outcome is not ERROR:
        outcome, sentence = DISAPPROVED, disapproval.sentence
    if disapproval.outcome is ERROR:
        outcome, sentence = ERROR, disapproval.sentence
    return Result("policy", policy.name, outcome, sentence, children=(approval, disapproval))


def _judge(requirement: Requirement, case: Case, *, changes_requested_ends: bool) -> Result:
    if isinstance(requirement, Rule):
        return _rule(requirement, case, changes_requested_ends=changes_requested_ends)
    children = tuple(_judge(c, case, changes_requested_ends=changes_requested_ends) for c in requirement.children)
    outcome = combine(requirement, [child.outcome for child in children])
    return Result(
        requirement.operator,
        requirement.operator,
        outcome,
        sentences.of_operator(requirement.operator, outcome, children),
        children=children,
    )


def combine(requirement: Both, outcomes: Sequence[Outcome]) -> Outcome:
    """The outcome of `and` or `or` over its children's, by the table above."""
    order = (ERROR, PENDING, APPROVED) if requirement.operator == "and" else (APPROVED, PENDING, ERROR)
    return next((outcome for outcome in order if outcome in outcomes), SKIPPED)


def _rule(rule: Rule, case: Case, *, changes_requested_ends: bool) -> Result:
    findings: list[Finding] = []

    def result(outcome: Outcome, sentence: str) -> Result:
        return Result("rule", rule.name, outcome, sentence, rule.description, findings=tuple(findings), rule=rule)

    try:
        for predicate in rule.when:
            findings.append(predicate.judge(case))
            if not findings[-1].satisfied:
                return result(SKIPPED, f"does not apply: {findings[-1].sentence}")
        approval = approvals.of(rule, case, changes_requested_ends=changes_requested_ends)
        conditions = tuple(condition.judge(case) for condition in rule.conditions)
    except CannotJudge as e:
        return result(ERROR, str(e))
    approved = approval.enough(rule) and all(c.satisfied for c in conditions)
    return Result(
        "rule",
        rule.name,
        APPROVED if approved else PENDING,
        sentences.of_rule(rule, approval, conditions, approved=approved),
        rule.description,
        findings=tuple(findings),
        conditions=conditions,
        required=max(rule.count, 0),
        approvers=approval.approvers,
        rejections=approval.rejections,
        rule=rule,
    )


def _disapproval(policy: Disapproval, case: Case) -> Result:
    findings: list[Finding] = []

    def result(outcome: Outcome, sentence: str) -> Result:
        return Result("disapproval", "disapproval", outcome, sentence, findings=tuple(findings), rule=policy)

    try:
        if disapproving := _first_satisfied(policy.when, case, findings):
            return result(DISAPPROVED, f"disapproved: {disapproving.sentence}")
        if policy.actors.empty:
            return result(SKIPPED, "nobody is named who may disapprove")
        disapproved = _last_word(policy, policy.disapprove, case)
        if disapproved is None:
            return result(SKIPPED, "nobody has disapproved")
        revoked = _last_word(policy, policy.revoke, case)
    except CannotJudge as e:
        return result(ERROR, str(e))
    if revoked is None or disapproved.created_at > revoked.created_at:
        return result(DISAPPROVED, sentences.of_disapproval(policy, disapproved))
    return result(SKIPPED, f"the disapproval by @{disapproved.login} was revoked by @{revoked.login}")


def _first_satisfied(predicates: Sequence[Predicate], case: Case, findings: list[Finding]) -> Finding | None:
    for predicate in predicates:
        findings.append(predicate.judge(case))
        if findings[-1].satisfied:
            return findings[-1]
    return None


def _last_word(policy: Disapproval, methods: Methods, case: Case) -> Candidate | None:
    said = [c for c in candidates.latest(case, methods) if policy.actors.include(case, c.login)]
    return said[-1] if said else None
