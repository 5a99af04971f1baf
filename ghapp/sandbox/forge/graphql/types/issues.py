"""What issues, comments, reviews and pull requests share, issues themselves and comments on them, and reactions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ghapp.sandbox.forge.graphql.context import Context
from ghapp.sandbox.forge.graphql.registry import Fields
from ghapp.sandbox.forge.graphql.selection import Order, ordered
from ghapp.sandbox.forge.model import Issue, IssueComment, Label, PullRequest, Reaction, User
from ghapp.sandbox.forge.pages import markdown
from ghapp.sandbox.forge.serialize.repositories import association

WRITTEN = Fields("Issue", "PullRequest", "IssueComment", "PullRequestReview", "PullRequestReviewComment")
REMARK = Fields("IssueComment", "PullRequestReview", "PullRequestReviewComment")
THREAD = Fields("Issue", "PullRequest")
ISSUE = Fields("Issue", record=Issue)
COMMENT = Fields("IssueComment", record=IssueComment)
REACTION = Fields("Reaction", record=Reaction)
GROUP = Fields("ReactionGroup")

CONTENTS = {
    "+1": "THUMBS_UP",
    "-1": "THUMBS_DOWN",
    "laugh": "LAUGH",
    "hooray": "HOORAY",
    "confused": "CONFUSED",
    "heart": "HEART",
    "rocket": "ROCKET",
    "eyes": "EYES",
}

# Written by someone ---------------------------------------------------------------------------------------------------

WRITTEN.same("createdAt", "updatedAt", "lastEditedAt", "editor")
WRITTEN.renamed(author="user")
WRITTEN.constant(createdViaEmail=False)
WRITTEN("body")(lambda record, _ctx: record.body or "")
WRITTEN("includesCreatedEdit")(lambda record, _ctx: record.last_edited_at is not None)
WRITTEN("viewerDidAuthor")(lambda record, ctx: record.user is ctx.me)
WRITTEN("repository")(lambda record, ctx: ctx.repository_of(record))


@WRITTEN("publishedAt")
def published_at(record: Any, _ctx: Context) -> datetime | None:
    """When others could first read it: for a review, when it was submitted."""
    at: datetime | None = getattr(record, "submitted_at", record.created_at)
    return at


@WRITTEN("bodyHTML")
def body_html(record: Any, _ctx: Context) -> str:
    return markdown.html(record.body or "")


@WRITTEN("bodyText")
def body_text(record: Any, _ctx: Context) -> str:
    return markdown.text(record.body or "")


@WRITTEN("authorAssociation")
def author_association(record: Any, ctx: Context) -> str:
    return association(ctx.repository_of(record), record.user)


@REMARK("isMinimized")
def is_minimized(record: Any, _ctx: Context) -> bool:
    return record.minimized_reason is not None


REMARK.same("minimizedReason")
REMARK.renamed(id="node_id", databaseId="id")
REMARK("fullDatabaseId")(lambda record, _ctx: str(record.id))

# Issues and pull requests ---------------------------------------------------------------------------------------------

THREAD.same("number", "title", "locked", "closedAt")
THREAD("closed")(lambda issue, _ctx: issue.state == "closed")
THREAD("resourcePath")(lambda issue, ctx: ctx.path(issue))
THREAD("url")(lambda issue, ctx: ctx.url(ctx.path(issue)))


@THREAD("viewerCanClose")
def viewer_can_close(issue: Issue, ctx: Context) -> bool:
    return issue.user is ctx.me or ctx.may(issue.repository, _permission(issue), "write")


@THREAD("viewerCanReopen")
def viewer_can_reopen(issue: Issue, ctx: Context) -> bool:
    merged = isinstance(issue, PullRequest) and issue.merged
    return issue.state == "closed" and not merged and viewer_can_close(issue, ctx)


def _permission(issue: Issue) -> str:
    return "pull_requests" if isinstance(issue, PullRequest) else "issues"


@THREAD.connection("assignees")
def assignees(issue: Issue, _ctx: Context) -> list[User]:
    return list(issue.assignees)


@THREAD.connection("labels")
def labels(issue: Issue, _ctx: Context, order_by: Order = None) -> list[Label]:
    return ordered(issue.labels, order_by)


@THREAD.connection("comments")
def comments(issue: Issue, ctx: Context, order_by: Order = None) -> list[IssueComment]:
    ctx.need(issue.repository, "issues", "pull_requests")
    return ordered(list(issue.comments), order_by)


ISSUE.renamed(id="node_id", databaseId="id")
ISSUE("fullDatabaseId")(lambda issue, _ctx: str(issue.id))
ISSUE("state")(lambda issue, _ctx: issue.state.upper())
ISSUE("stateReason")(lambda issue, _ctx: issue.state_reason.upper() if issue.state_reason else None)

COMMENT.same("issue")
COMMENT("pullRequest")(lambda comment, _ctx: comment.issue if isinstance(comment.issue, PullRequest) else None)


@COMMENT("resourcePath")
def comment_path(comment: IssueComment, ctx: Context) -> str:
    return f"{ctx.path(comment.issue)}#issuecomment-{comment.id}"


@COMMENT("url")
def comment_url(comment: IssueComment, ctx: Context) -> str:
    return ctx.url(comment_path(comment, ctx))


# Reactions ------------------------------------------------------------------------------------------------------------

REACTION.same("createdAt", "user")
REACTION.renamed(id="node_id", databaseId="id")
REACTION("content")(lambda reaction, _ctx: CONTENTS[reaction.content])


@dataclass(frozen=True, slots=True)
class ReactionGroup:
    """All reactions of one kind to one subject."""

    subject: Any
    content: str
    reactions: tuple[Reaction, ...]


def reaction_groups(record: Any) -> list[ReactionGroup]:
    """One group for each kind of reaction, those without any included."""
    given = list(record.reactions)
    return [ReactionGroup(record, name, tuple(r for r in given if r.content == name)) for name in CONTENTS]


WRITTEN("reactionGroups")(lambda record, _ctx: reaction_groups(record))


@WRITTEN.connection("reactions")
def reactions(record: Any, _ctx: Context, content: str | None = None, order_by: Order = None) -> list[Reaction]:
    return ordered([r for r in list(record.reactions) if content in (None, CONTENTS[r.content])], order_by)


GROUP.same("subject")
GROUP("content")(lambda group, _ctx: CONTENTS[group.content])
GROUP("createdAt")(lambda group, _ctx: group.reactions[0].created_at if group.reactions else None)
GROUP("viewerHasReacted")(lambda group, ctx: any(r.user is ctx.me for r in group.reactions))
GROUP.connection("reactors")(lambda group, _ctx: [r.user for r in group.reactions])
