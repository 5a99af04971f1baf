"""Reviews: given, asked for, dismissed."""

from __future__ import annotations

from typing import Any

from ghapp.sandbox.forge.graphql.context import Context
from ghapp.sandbox.forge.graphql.mutation import allow, mutation
from ghapp.sandbox.forge.model import Permission, PullRequest, Review, Team, User
from ghapp.sandbox.forge.operations import pulls, reviews


@mutation("addPullRequestReview")
def add(
    ctx: Context,
    pull_request_id: str,
    event: str | None = None,
    body: str | None = None,
    commit_oid: str | None = None,
    threads: list[dict[str, Any]] | None = None,
    comments: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """``comments``, the older form, name a place in the diff; here they are about the file."""
    pull: PullRequest = ctx.find_as(pull_request_id, PullRequest, "PullRequest")
    allow(ctx, pull.repository, "pull_requests", role="read", to="AddPullRequestReview")
    review = reviews.create(ctx.state, pull, ctx.me, body=body or "", commit_id=commit_oid)
    for thread in [*(threads or ()), *({"body": c["body"], "path": c["path"]} for c in comments or ())]:
        reviews.add_comment(
            ctx.state,
            pull,
            ctx.me,
            body=thread["body"],
            path=thread["path"],
            line=thread.get("line"),
            side=thread.get("side") or "RIGHT",
            start_line=thread.get("start_line"),
            commit_id=commit_oid,
            review=review,
        )
    if event is not None:
        try:
            reviews.submit(ctx.state, review, event, body or "")
        except Exception:
            reviews.delete_pending(ctx.state, review)
            raise
    return {"pullRequestReview": review}


@mutation("dismissPullRequestReview")
def dismiss(ctx: Context, pull_request_review_id: str, message: str) -> dict[str, Any]:
    review: Review = ctx.find_as(pull_request_review_id, Review, "PullRequestReview")
    allow(ctx, review.pull.repository, "pull_requests", role="write", to="DismissPullRequestReview")
    reviews.dismiss(ctx.state, review, ctx.me, message)
    return {"pullRequestReview": review}


@mutation("requestReviews")
def request(
    ctx: Context,
    pull_request_id: str,
    user_ids: list[str] | None = None,
    team_ids: list[str] | None = None,
    union: bool = False,
) -> dict[str, Any]:
    """Ask exactly these people and teams; with ``union`` also those who were asked before."""
    pull: PullRequest = ctx.find_as(pull_request_id, PullRequest, "PullRequest")
    role: Permission = "read" if pull.user is ctx.me else "triage"
    allow(ctx, pull.repository, "pull_requests", role=role, to="RequestReviews")
    users = [ctx.find_as(user_id, User, "User") for user_id in user_ids or ()]
    teams = [ctx.find_as(team_id, Team, "Team") for team_id in team_ids or ()]
    if not union:
        others = [user for user in pull.requested_reviewers if user not in users]
        pulls.unrequest_reviewers(
            ctx.state, pull, ctx.me, others, [team for team in pull.requested_teams if team not in teams]
        )
    pulls.request_reviewers(ctx.state, pull, ctx.me, users, teams)
    return {"pullRequest": pull}
