"""``ghapp / approval`` on an ordinary pull request: what its policy says, as a check, and the reviewers it asks for.

No policy, no check. Everything was read from GitHub again; what has not changed is not written again.
"""

from __future__ import annotations

from datetime import datetime

from ghapp import names
from ghapp.approvals.gather import Gathered
from ghapp.github.checks import Check
from ghapp.github.client import RepositoryClient
from jobs.promotion.gate_checks import check_of
from policies.approval import explain
from policies.approval.facts import Facts
from policies.approval.judge import Judgement, State, judge
from policies.approval.reviewers import select
from policies.verdict import error


def approval(gathered: Gathered, now: datetime) -> tuple[Judgement, Facts]:
    """What the policy says about the pull request; the state is ``none`` where nothing is to be said."""
    facts = gathered.facts()
    return judge(gathered.policy, facts, now), facts


def check(judgement: Judgement) -> Check | None:
    """The judgement as a check run; ``None`` where there is no policy."""
    if judgement.state is State.NONE:
        return None
    if judgement.result is None:
        return check_of(names.CHECK_APPROVAL, error(judgement.sentence))
    return check_of(names.CHECK_APPROVAL, judgement.verdict(explain.markdown(judgement)))


def ask_reviewers(client: RepositoryClient, number: int, judgement: Judgement, facts: Facts) -> None:
    """Request reviews as the rules that wait want it; those who were asked already are not asked again."""
    if judgement.result is None:
        return
    chosen = select(judgement.result, facts)
    if chosen.users or chosen.teams:
        teams = [team.rpartition("/")[2] for team in chosen.teams]
        client.post(f"pulls/{number}/requested_reviewers", {"reviewers": list(chosen.users), "team_reviewers": teams})
