"""Comments, reactions and labels."""

from __future__ import annotations

from typing import Any

from ghapp.sandbox.forge.graphql.connections import Edge, paginate
from ghapp.sandbox.forge.graphql.context import Context
from ghapp.sandbox.forge.graphql.errors import not_found
from ghapp.sandbox.forge.graphql.mutation import allow, mutation
from ghapp.sandbox.forge.graphql.types.issues import CONTENTS, reaction_groups
from ghapp.sandbox.forge.model import Issue, IssueComment, Label, PullRequest, Review, ReviewComment
from ghapp.sandbox.forge.operations import issues

_NAMES = {content: name for name, content in CONTENTS.items()}

Remark = IssueComment | Review | ReviewComment


def _permissions(issue: Issue) -> tuple[str, ...]:
    """What lets an app take part in the conversation."""
    return ("issues", "pull_requests") if isinstance(issue, PullRequest) else ("issues",)


def _thread(ctx: Context, node_id: str) -> Issue:
    found = ctx.find(node_id)
    if not isinstance(found, Issue):
        raise not_found("node", f"with the global id of '{node_id}'")
    return found


def _holder(subject: Issue | Remark) -> Issue:
    """The issue or pull request that something is said in."""
    if isinstance(subject, Issue):
        return subject
    return subject.issue if isinstance(subject, IssueComment) else subject.pull


@mutation("addComment")
def add_comment(ctx: Context, subject_id: str, body: str) -> dict[str, Any]:
    issue = _thread(ctx, subject_id)
    allow(ctx, issue.repository, *_permissions(issue), role="read", to="AddComment")
    comment = issues.add_comment(ctx.state, issue, ctx.me, body, ctx.viewer.app)
    page = paginate("comments", issue.comments, key=ctx.key, last=1, owner=issue)
    return {"subject": issue, "commentEdge": Edge(comment, page.cursor(page.start), issue)}


@mutation("updateIssueComment")
def update_comment(ctx: Context, id: str, body: str) -> dict[str, Any]:  # noqa: A002 - the input's name
    comment = _own_comment(ctx, id, "UpdateIssueComment")
    issues.edit_comment(ctx.state, comment, ctx.me, body)
    return {"issueComment": comment}


@mutation("deleteIssueComment")
def delete_comment(ctx: Context, id: str) -> dict[str, Any]:  # noqa: A002 - the input's name
    issues.delete_comment(ctx.state, _own_comment(ctx, id, "DeleteIssueComment"), ctx.me)
    return {}


def _own_comment(ctx: Context, node_id: str, to: str) -> IssueComment:
    """A comment that the viewer wrote, or may write over."""
    comment: IssueComment = ctx.find_as(node_id, IssueComment, "IssueComment")
    issue = comment.issue
    allow(ctx, issue.repository, *_permissions(issue), role="read" if comment.user is ctx.me else "write", to=to)
    return comment


# Hiding ---------------------------------------------------------------------------------------------------------------


def _remark(ctx: Context, node_id: str, to: str) -> Remark:
    found = ctx.find(node_id)
    if not isinstance(found, Remark):
        raise not_found("node", f"with the global id of '{node_id}'")
    holder = _holder(found)
    allow(ctx, holder.repository, *_permissions(holder), role="read" if found.user is ctx.me else "write", to=to)
    return found


@mutation("minimizeComment")
def minimize(ctx: Context, subject_id: str, classifier: str) -> dict[str, Any]:
    remark = _remark(ctx, subject_id, "MinimizeComment")
    remark.minimized_reason = classifier.lower().replace("_", "-")
    return {"minimizedComment": remark}


@mutation("unminimizeComment")
def unminimize(ctx: Context, subject_id: str) -> dict[str, Any]:
    remark = _remark(ctx, subject_id, "UnminimizeComment")
    remark.minimized_reason = None
    return {"unminimizedComment": remark}


# Reactions ------------------------------------------------------------------------------------------------------------


def _reactable(ctx: Context, node_id: str, to: str) -> Issue | Remark:
    found = ctx.find(node_id)
    if not isinstance(found, Issue | Remark):
        raise not_found("node", f"with the global id of '{node_id}'")
    holder = _holder(found)
    allow(ctx, holder.repository, *_permissions(holder), role="read", to=to)
    return found


@mutation("addReaction")
def add_reaction(ctx: Context, subject_id: str, content: str) -> dict[str, Any]:
    subject = _reactable(ctx, subject_id, "AddReaction")
    reaction, _ = issues.react(ctx.state, subject, ctx.me, _NAMES[content])
    return {"reaction": reaction, "reactionGroups": reaction_groups(subject), "subject": subject}


@mutation("removeReaction")
def remove_reaction(ctx: Context, subject_id: str, content: str) -> dict[str, Any]:
    subject = _reactable(ctx, subject_id, "RemoveReaction")
    mine = next((r for r in subject.reactions if r.user is ctx.me and r.content == _NAMES[content]), None)
    if mine is None:
        raise not_found("reaction", f"of {ctx.me.login} with the content {content}")
    issues.unreact(ctx.state, subject, mine)
    return {"reaction": mine, "reactionGroups": reaction_groups(subject), "subject": subject}


# Labels ---------------------------------------------------------------------------------------------------------------


def _labelable(ctx: Context, node_id: str, label_ids: list[str], to: str) -> tuple[Issue, list[Label]]:
    issue = _thread(ctx, node_id)
    allow(ctx, issue.repository, *_permissions(issue), role="triage", to=to)
    return issue, [ctx.find_as(label_id, Label, "Label") for label_id in label_ids]


@mutation("addLabelsToLabelable")
def add_labels(ctx: Context, labelable_id: str, label_ids: list[str]) -> dict[str, Any]:
    issue, labels = _labelable(ctx, labelable_id, label_ids, "AddLabelsToLabelable")
    issues.add_labels(ctx.state, issue, ctx.me, [label.name for label in labels])
    return {"labelable": issue}


@mutation("removeLabelsFromLabelable")
def remove_labels(ctx: Context, labelable_id: str, label_ids: list[str]) -> dict[str, Any]:
    issue, labels = _labelable(ctx, labelable_id, label_ids, "RemoveLabelsFromLabelable")
    for label in labels:
        if label in issue.labels:
            issues.remove_label(ctx.state, issue, ctx.me, label)
    return {"labelable": issue}
