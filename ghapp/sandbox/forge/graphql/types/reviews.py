"""Reviews, their comments on lines, and the threads that these make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ghapp.sandbox.forge.graphql import gitnodes
from ghapp.sandbox.forge.graphql.context import Context
from ghapp.sandbox.forge.graphql.gitnodes import Commit
from ghapp.sandbox.forge.graphql.registry import Fields
from ghapp.sandbox.forge.model import PERMISSIONS, PullRequest, Review, ReviewComment, Team, ids
from ghapp.sandbox.forge.operations import protection

PULL = Fields("PullRequest")
REVIEW = Fields("PullRequestReview", record=Review)
COMMENT = Fields("PullRequestReviewComment", record=ReviewComment)
THREAD = Fields("PullRequestReviewThread")

# Reviews of a pull request --------------------------------------------------------------------------------------------


@PULL.connection("reviews")
def reviews(
    pull: PullRequest, ctx: Context, states: list[str] | None = None, author: str | None = None
) -> list[Review]:
    """In the order they were given; one that is not submitted yet is its author's alone."""
    return [
        review
        for review in list(pull.reviews)
        if (review.state != "PENDING" or review.user is ctx.me)
        and (states is None or review.state in states)
        and (author is None or review.user.login.lower() == author.lower())
    ]


@PULL.connection("latestReviews")
def latest_reviews(pull: PullRequest, _ctx: Context) -> list[Review]:
    """Each reviewer's last review, except of those who have been asked again since."""
    asked = {user.id for user in list(pull.requested_reviewers)}
    latest = {review.user.id: review for review in list(pull.reviews) if review.state != "PENDING"}
    return [review for user_id, review in latest.items() if user_id not in asked]


@PULL.connection("latestOpinionatedReviews")
def latest_opinionated_reviews(pull: PullRequest, ctx: Context, writers_only: bool = False) -> list[Review]:
    """Each reviewer's last approval or request for changes; a comment takes neither back."""
    return [r for r in protection.latest_opinions(pull) if not writers_only or author_can_push(r, ctx)]


@PULL("viewerLatestReview")
def viewer_latest_review(pull: PullRequest, ctx: Context) -> Review | None:
    mine = [review for review in list(pull.reviews) if review.user is ctx.me]
    return mine[-1] if mine else None


@PULL("reviewDecision")
def review_decision(pull: PullRequest, ctx: Context) -> str | None:
    """What the base branch's protection makes of the reviews; null where it requires none and nobody objects."""
    states = [review.state for review in protection.counted_reviews(ctx.state, pull)]
    rule = pull.repository.protection(pull.base_ref)
    required = rule.required_reviews.required_approving_review_count if rule and rule.required_reviews else None
    if "CHANGES_REQUESTED" in states:
        return "CHANGES_REQUESTED"
    if required is None:
        return "APPROVED" if "APPROVED" in states else None
    return "APPROVED" if states.count("APPROVED") >= required else "REVIEW_REQUIRED"


# One review -----------------------------------------------------------------------------------------------------------

REVIEW.same("state", "submittedAt")
REVIEW.renamed(pullRequest="pull")


@REVIEW("commit")
def commit(review: Review, _ctx: Context) -> Commit | None:
    """What the reviewer saw."""
    return gitnodes.commit(review.pull.repository, review.commit_id)


@REVIEW("authorCanPushToRepository")
def author_can_push(review: Review, ctx: Context) -> bool:
    held = ctx.state.permission(review.pull.repository, review.user)
    return PERMISSIONS.index(held) >= PERMISSIONS.index("write")


@REVIEW.connection("onBehalfOf")
def on_behalf_of(review: Review, _ctx: Context) -> list[Team]:
    return list(review.on_behalf_of)


@REVIEW.connection("comments")
def review_comments(review: Review, _ctx: Context) -> list[ReviewComment]:
    return [comment for comment in list(review.pull.review_comments) if comment.review is review]


@REVIEW("resourcePath")
def review_path(review: Review, ctx: Context) -> str:
    return f"{ctx.path(review.pull)}#pullrequestreview-{review.id}"


@REVIEW("url")
def review_url(review: Review, ctx: Context) -> str:
    return ctx.url(review_path(review, ctx))


# Comments on lines ----------------------------------------------------------------------------------------------------

COMMENT.same("path", "diffHunk", "line", "originalLine", "startLine")
COMMENT.renamed(pullRequest="pull", pullRequestReview="review")
COMMENT("state")(lambda comment, _ctx: "PENDING" if comment.review.state == "PENDING" else "SUBMITTED")
COMMENT("outdated")(lambda comment, _ctx: comment.line is None and comment.subject_type == "line")
COMMENT("commit")(lambda comment, _ctx: gitnodes.commit(comment.pull.repository, comment.commit_id))
COMMENT("originalCommit")(lambda comment, _ctx: gitnodes.commit(comment.pull.repository, comment.original_commit_id))


@COMMENT("replyTo")
def reply_to(comment: ReviewComment, _ctx: Context) -> ReviewComment | None:
    return next((c for c in list(comment.pull.review_comments) if c.id == comment.in_reply_to_id), None)


@COMMENT("resourcePath")
def comment_path(comment: ReviewComment, ctx: Context) -> str:
    return f"{ctx.path(comment.pull)}#discussion_r{comment.id}"


@COMMENT("url")
def comment_url(comment: ReviewComment, ctx: Context) -> str:
    return ctx.url(comment_path(comment, ctx))


# Threads --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Thread:
    """A comment on a line and the replies to it."""

    first: ReviewComment
    comments: tuple[ReviewComment, ...]

    @property
    def node_id(self) -> str:
        return ids.node_id("PRRT", self.first.id)


@PULL.connection("reviewThreads")
def review_threads(pull: PullRequest, _ctx: Context) -> list[Thread]:
    said = list(pull.review_comments)
    return [
        Thread(first, tuple(c for c in said if first.id in (c.id, c.in_reply_to_id)))
        for first in said
        if first.in_reply_to_id is None
    ]


def _first(field: str, attribute: str) -> None:
    THREAD(field)(lambda thread, _ctx: getattr(thread.first, attribute))


for _field, _attribute in {
    "path": "path",
    "line": "line",
    "originalLine": "original_line",
    "startLine": "start_line",
    "diffSide": "side",
    "pullRequest": "pull",
}.items():
    _first(_field, _attribute)
THREAD.renamed(id="node_id")
THREAD.constant(isResolved=False, isCollapsed=False, resolvedBy=None)
THREAD.connection("comments")(lambda thread, _ctx: thread.comments)
THREAD("repository")(lambda thread, _ctx: thread.first.pull.repository)
THREAD("isOutdated")(lambda thread, _ctx: thread.first.line is None and thread.first.subject_type == "line")


@THREAD("subjectType")
@COMMENT("subjectType")
def subject_type(record: Any, _ctx: Context) -> str:
    """``LINE`` or ``FILE``: what the comment, or the thread's first one, is about."""
    comment = record.first if isinstance(record, Thread) else record
    kind: str = comment.subject_type
    return kind.upper()
