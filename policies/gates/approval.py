"""Passes when the people who have to approve this very head have done so.

Approval policies are judged by the approval language; beside them an environment may simply demand a number of
approvals by people who may write and wrote none of the release.
"""

from __future__ import annotations

import dataclasses
from datetime import datetime

from policies.approval import explain
from policies.approval import facts as pull
from policies.approval.evaluate import evaluate as judge_policy
from policies.approval.judge import Judgement, State
from policies.approval.result import Outcome
from policies.gates.approvers import Counted, count, latest, was_for
from policies.gates.facts import Kind, Promotion
from policies.gates.interface import broken
from policies.markdown import escape
from policies.policy import Policy, PolicySet
from policies.verdict import State as VerdictState
from policies.verdict import Verdict, error, failed, passed, pending, worst

NAME = "approval"
US = "ghapp[bot]"
_STATES = {
    Outcome.APPROVED: State.SUCCESS,
    Outcome.PENDING: State.PENDING,
    Outcome.DISAPPROVED: State.FAILURE,
    Outcome.SKIPPED: State.ERROR,
    Outcome.ERROR: State.ERROR,
}


def evaluate(facts: Promotion, policies: PolicySet, now: datetime) -> Verdict | None:
    """Every Approval policy that applies, and the environment's own number; a rollback has a number of its own."""
    if facts.kind is Kind.ROLLBACK:
        demanded = facts.environment.rollback_approvals
        return enough(count(facts), demanded) if demanded else None
    if problem := broken(policies, "Approval"):
        return problem
    verdicts = [_by_policy(p, facts, now) for p in policies.of("Approval", facts.place)]
    if facts.environment.approvals:
        verdicts.append(enough(count(facts), facts.environment.approvals))
    verdict = worst(verdicts)
    if verdict is None:
        return None
    said = "; ".join(v.sentence for v in verdicts) if verdict.passed else verdict.sentence
    return Verdict(verdict.state, said, "\n\n".join(v.details for v in verdicts if v.details))


def enough(counted: Counted, demanded: int) -> Verdict:
    """Whether the approvals that count are as many as demanded."""
    details = "\n".join(f"- {escape(other)}" for other in counted.others)
    if counted.unknown and demanded:
        return failed(counted.unknown, details=details)
    if len(counted.approvers) >= demanded:
        by = ", ".join(f"@{login}" for login in counted.approvers)
        return passed(f"approved by {by}" if by else "no approval is needed", details=details)
    missing = demanded - len(counted.approvers)
    sentence = (
        f"waiting for {missing} {'more ' if counted.approvers else ''}approval{'s' if missing > 1 else ''} by "
        f"{'people' if missing > 1 else 'someone'} with write permission who wrote none of its commits"
    )
    return pending("; ".join([sentence, *counted.others[:3]]), details=details)


def _by_policy(policy: Policy, facts: Promotion, now: datetime) -> Verdict:
    pull_request = facts.pull_request or pull_request_of(facts)
    result = judge_policy(policy.body.rules, _of_this_head(pull_request, facts.head_sha), now)
    state = Judgement(_STATES[result.outcome], result.sentence, result)
    verdict = state.verdict(f"**{escape(policy.title)}**\n\n{explain.markdown(state)}")
    if verdict.state is VerdictState.ERROR:
        return error(f"{verdict.sentence} ({policy.title}, {policy.where})", details=verdict.details)
    said = [verdict.sentence, *(_stale(facts) if not verdict.passed else ())]
    return Verdict(verdict.state, f"{'; '.join(said)} ({policy.title})", verdict.details)


def _stale(facts: Promotion) -> list[str]:
    """Approvals that somebody may think are good, and that are of another head."""
    old = [r for r in latest(facts.reviews) if r.state == "APPROVED" and r.author and r.commit != facts.head_sha]
    return [f"@{review.author}'s approval {was_for(review)}" for review in old[:3]]


def _of_this_head(pull_request: pull.Facts, head: str) -> pull.Facts:
    """Without what was said of another head: on a promotion, unlike on other pull requests, it never counts."""
    pushed = next((c.pushed_at for c in pull_request.commits if c.oid == head), None)
    return dataclasses.replace(
        pull_request,
        reviews=tuple(r for r in pull_request.reviews if r.commit_oid == head),
        comments=tuple(c for c in pull_request.comments if pushed and c.created_at > pushed),
    )


def pull_request_of(facts: Promotion) -> pull.Facts:
    """The promotion as a pull request that approval policies can judge: whoever asked for it is its author.

    The head is ours; the release's commits hang below it, so that whoever wrote one of them is a contributor.
    """
    author = facts.requested_by or US
    commits = facts.release.commits
    tail = [c.sha for c in commits]
    head = pull.Commit(facts.head_sha, author=US, committer=US, parents=("base", *tail[:1]))
    listed = tuple(
        pull.Commit(
            c.sha,
            author=c.author,
            committer=c.committer,
            via_web=c.committed_via_web,
            parents=tuple(tail[i + 1 : i + 2]),
            co_authors=c.co_authors,
        )
        for i, c in enumerate(commits)
    )
    reason = "the release has more commits than could be listed"
    return pull.Facts(
        repository=facts.repository,
        number=facts.number,
        base_branch=f"env/{facts.environment.name}",
        head_branch=f"ghapp/promote/{facts.environment.name}/{facts.app}",
        head_sha=facts.head_sha,
        title=f"{facts.app}: {facts.release.id} → {facts.environment.name}",
        author=author,
        labels=tuple(sorted(facts.labels)),
        commits=(head, *listed),
        reviews=tuple(
            pull.Review(r.author, r.state, r.body, r.submitted_at, commit_oid=r.commit) for r in facts.reviews
        ),
        check_runs=tuple(
            pull.CheckRun(c.name, c.conclusion) for c in facts.checks if c.commit == facts.head_sha and not c.creator
        ),
        team_members=facts.team_members,
        permissions=facts.permissions,
        incomplete={} if facts.release.commits_complete else {"commits": reason},
    )
