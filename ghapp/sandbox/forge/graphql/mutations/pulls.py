"""Pull requests from opening to merging."""

from __future__ import annotations

from typing import Any

from ghapp.sandbox.forge.graphql import gitnodes
from ghapp.sandbox.forge.graphql.context import Context
from ghapp.sandbox.forge.graphql.errors import unprocessable
from ghapp.sandbox.forge.graphql.mutation import allow, mutation
from ghapp.sandbox.forge.graphql.registry import Fields
from ghapp.sandbox.forge.model import Label, Permission, PullRequest, Repository, User, ids
from ghapp.sandbox.forge.operations import automerge, issues, mergequeue, merging, pulls


def _pull(ctx: Context, node_id: str, to: str, role: Permission = "write") -> PullRequest:
    """A pull request that the viewer may change; its author may, whatever their role."""
    pull: PullRequest = ctx.find_as(node_id, PullRequest, "PullRequest")
    allow(ctx, pull.repository, "pull_requests", role="read" if pull.user is ctx.me else role, to=to)
    return pull


@mutation("createPullRequest")
def create(
    ctx: Context,
    repository_id: str,
    base_ref_name: str,
    head_ref_name: str,
    title: str,
    body: str | None = None,
    draft: bool = False,
    maintainer_can_modify: bool = True,
    head_repository_id: str | None = None,
) -> dict[str, Any]:
    repository: Repository = ctx.find_as(repository_id, Repository, "Repository")
    allow(ctx, repository, "pull_requests", role="read", to="CreatePullRequest")
    head = head_ref_name
    if head_repository_id is not None and ":" not in head:
        head = f"{ctx.find_as(head_repository_id, Repository, 'Repository').owner.login}:{head}"
    pull = pulls.open_pull(
        ctx.state,
        repository,
        ctx.me,
        head=head.removeprefix("refs/heads/"),
        base=base_ref_name.removeprefix("refs/heads/"),
        title=title,
        body=body,
        draft=draft,
        maintainer_can_modify=maintainer_can_modify,
    )
    return {"pullRequest": pull}


@mutation("updatePullRequest")
def update(
    ctx: Context,
    pull_request_id: str,
    title: str | None = None,
    body: str | None = None,
    base_ref_name: str | None = None,
    state: str | None = None,
    label_ids: list[str] | None = None,
    assignee_ids: list[str] | None = None,
    maintainer_can_modify: bool | None = None,
    **_other: Any,
) -> dict[str, Any]:
    """Milestones and projects, which the sandbox has not, are passed over."""
    pull = _pull(ctx, pull_request_id, "UpdatePullRequest")
    pulls.edit(ctx.state, pull, ctx.me, title=title, body=body, base=base_ref_name)
    if maintainer_can_modify is not None:
        pull.maintainer_can_modify = maintainer_can_modify
    if label_ids is not None:
        labels = [ctx.find_as(label_id, Label, "Label").name for label_id in label_ids]
        issues.set_labels(ctx.state, pull, ctx.me, labels)
    if assignee_ids is not None:
        people = [ctx.find_as(user_id, User, "User") for user_id in assignee_ids]
        issues.assign(ctx.state, pull, ctx.me, [user for user in pull.assignees if user not in people], remove=True)
        issues.assign(ctx.state, pull, ctx.me, people)
    if state is not None:
        (pulls.close if state == "CLOSED" else pulls.reopen)(ctx.state, pull, ctx.me)
    return {"pullRequest": pull}


@mutation("closePullRequest")
def close(ctx: Context, pull_request_id: str) -> dict[str, Any]:
    pull = _pull(ctx, pull_request_id, "ClosePullRequest", role="triage")
    pulls.close(ctx.state, pull, ctx.me)
    return {"pullRequest": pull}


@mutation("reopenPullRequest")
def reopen(ctx: Context, pull_request_id: str) -> dict[str, Any]:
    pull = _pull(ctx, pull_request_id, "ReopenPullRequest", role="triage")
    pulls.reopen(ctx.state, pull, ctx.me)
    return {"pullRequest": pull}


@mutation("convertPullRequestToDraft")
def convert_to_draft(ctx: Context, pull_request_id: str) -> dict[str, Any]:
    pull = _pull(ctx, pull_request_id, "ConvertPullRequestToDraft")
    pulls.set_draft(ctx.state, pull, ctx.me, True)
    return {"pullRequest": pull}


@mutation("markPullRequestReadyForReview")
def mark_ready(ctx: Context, pull_request_id: str) -> dict[str, Any]:
    pull = _pull(ctx, pull_request_id, "MarkPullRequestReadyForReview")
    pulls.set_draft(ctx.state, pull, ctx.me, False)
    return {"pullRequest": pull}


# Merging --------------------------------------------------------------------------------------------------------------


def _mergeable(ctx: Context, node_id: str, to: str) -> PullRequest:
    """A pull request of a repository whose branches the viewer may move."""
    pull: PullRequest = ctx.find_as(node_id, PullRequest, "PullRequest")
    allow(ctx, pull.repository, "contents", role="write", to=to)
    return pull


@mutation("mergePullRequest")
def merge(
    ctx: Context,
    pull_request_id: str,
    merge_method: str = "MERGE",
    expected_head_oid: str | None = None,
    commit_headline: str | None = None,
    commit_body: str | None = None,
    **_author: Any,
) -> dict[str, Any]:
    pull = _mergeable(ctx, pull_request_id, "MergePullRequest")
    merging.merge(
        ctx.state,
        pull,
        ctx.me,
        app=ctx.viewer.app,
        method=merge_method.lower(),
        sha=expected_head_oid,
        title=commit_headline,
        message=commit_body,
    )
    return {"pullRequest": pull}


@mutation("enablePullRequestAutoMerge")
def enable_auto_merge(
    ctx: Context,
    pull_request_id: str,
    merge_method: str = "MERGE",
    expected_head_oid: str | None = None,
    commit_headline: str | None = None,
    commit_body: str | None = None,
    **_author: Any,
) -> dict[str, Any]:
    pull = _mergeable(ctx, pull_request_id, "EnablePullRequestAutoMerge")
    if expected_head_oid not in (None, pull.head_sha):
        raise unprocessable("Head branch was modified. Review and try the merge again.")
    automerge.enable(ctx.state, pull, ctx.me, merge_method.lower(), commit_headline, commit_body)
    return {"pullRequest": pull}


@mutation("disablePullRequestAutoMerge")
def disable_auto_merge(ctx: Context, pull_request_id: str) -> dict[str, Any]:
    pull = _mergeable(ctx, pull_request_id, "DisablePullRequestAutoMerge")
    automerge.disable(ctx.state, pull, ctx.me)
    return {"pullRequest": pull}


@mutation("enqueuePullRequest")
def enqueue(
    ctx: Context, pull_request_id: str, expected_head_oid: str | None = None, jump: bool | None = None
) -> dict[str, Any]:
    """Every pull request makes a group of its own, so it is always the first in its queue."""
    pull = _mergeable(ctx, pull_request_id, "EnqueuePullRequest")
    if expected_head_oid not in (None, pull.head_sha):
        raise unprocessable("Head branch was modified. Review and try the merge again.")
    head = gitnodes.commit(pull.repository, mergequeue.enqueue(ctx.state, pull))
    if head is None:
        raise LookupError("the merge queue's commit is gone")
    entry = {
        "id": ids.node_id("MQE", pull.pull_id, head.oid),
        "baseCommit": gitnodes.commit(pull.repository, head.facts.parents[0]),
        "headCommit": head,
        "enqueuedAt": ctx.state.now(),
        "enqueuer": ctx.me,
        "jump": bool(jump),
        "position": 1,
        "pullRequest": pull,
        "solo": True,
        "state": "AWAITING_CHECKS",
    }
    return {"mergeQueueEntry": entry}


for _name in (
    *("baseCommit", "enqueuedAt", "enqueuer", "headCommit", "id"),
    *("jump", "position", "pullRequest", "solo", "state"),
):
    Fields("MergeQueueEntry")(_name)(lambda entry, _ctx, name=_name: entry[name])
