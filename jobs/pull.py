"""The reconcile of one pull request: a promotion is looked at as its environment; any other gets its approval's check
and its preview.
"""

from __future__ import annotations

from ghapp import names
from ghapp.approvals.gather import Gathered, NoSuchPullRequest, gather
from ghapp.approvals.installed import elsewhere
from ghapp.github.checks import Check
from ghapp.github.client import RepositoryClient
from jobs import approval, subjects
from jobs.mirrors import mirror
from jobs.promotion.policy_check import policy_check
from jobs.promotion.preview import fetch, preview
from jobs.promotion.rules import organisation
from jobs.reconcile import Context
from jobs.showing import show, shown
from jobs.subjects import Subject


def reconcile(subject: Subject, context: Context) -> None:
    """Look at one pull request: three calls, and no write where nothing changed."""
    client = context.github.for_repository(subject.repository)
    try:
        gathered = gather(client, subject.number, elsewhere=elsewhere(context.github))
    except NoSuchPullRequest:
        return
    promotion = names.promotion_of(str(gathered.data["head_branch"]))
    if promotion and not gathered.data["fork"]:  # a fork may call its branch what it likes
        place = subjects.environment(subject.repository, *promotion)
        context.queue.enqueue(place, reason=f"#{subject.number} has changed")
        return
    if gathered.data["state"] != "open":
        return
    head = str(gathered.data["head_sha"])
    judgement, facts = approval.approval(gathered, context.now)
    found = [approval.check(judgement)]
    if not shown(context.github.store, client, head, names.CHECK_PREVIEW):
        found += _of_the_change(client, subject.number, gathered, context)
    show(context.github.store, client, head, [check for check in found if check is not None])
    approval.ask_reviewers(client, subject.number, judgement, facts)


def _of_the_change(client: RepositoryClient, number: int, gathered: Gathered, context: Context) -> list[Check | None]:
    """What depends on the commits alone: the preview, and the replay of changed policies."""
    git = mirror(context.settings.mirrors, client)
    shas = fetch(git, number, str(gathered.data["base_branch"]))
    if shas is None:
        return []
    return [preview(git, *shas), policy_check(git, *shas, organisation(client, context), context.now)]
