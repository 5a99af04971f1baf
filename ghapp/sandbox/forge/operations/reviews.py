"""Reviews and review comments: written, submitted, dismissed."""

from __future__ import annotations

from typing import Any

from ghapp.sandbox.forge.git.objects import FileChange
from ghapp.sandbox.forge.model import Event, PullRequest, Review, ReviewComment, State, User
from ghapp.sandbox.forge.operations import comparison, timeline
from ghapp.sandbox.forge.operations.issues import check_body
from ghapp.sandbox.forge.serialize import pulls
from ghapp.sandbox.forge.web.errors import ApiError, invalid, unprocessable

EVENTS = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}


def _announce(state: State, review: Review, action: str, sender: User, **more: Any) -> None:
    def payload() -> dict[str, Any]:
        described = {**pulls.review(state, review), "state": review.state.lower()}
        return {"review": described, "pull_request": pulls.simple_pull(state, review.pull), **more}

    state.publish(Event("pull_request_review", action, sender, payload, review.pull.repository))


def create(
    state: State, pull: PullRequest, user: User, *, event: str = "", body: str = "", commit_id: str | None = None
) -> Review:
    """A review; pending, and seen by its author alone, unless ``event`` submits it at once."""
    if commit_id is not None and pull.repository.git.commit(commit_id) is None:
        raise unprocessable("Commit ID is not part of the pull request")
    if any(review.state == "PENDING" and review.user is user for review in pull.reviews):
        raise unprocessable("User can only have one pending review per pull request")
    if event:
        _check(pull, user, event, body)
    number, node_id = state.new_id("PRR")
    now = state.now()
    review = Review(number, node_id, pull, user, body, "PENDING", commit_id or pull.head_sha, now, now)
    pull.reviews.append(review)
    state.register(node_id, review)
    if event:
        submit(state, review, event, body)
    return review


def _check(pull: PullRequest, user: User, event: str, body: str) -> None:
    if event not in EVENTS:
        raise unprocessable(f"Invalid request.\n\n{event} is not a member of [{', '.join(EVENTS)}].")
    if event != "COMMENT" and pull.user is user:
        verb = "approve" if event == "APPROVE" else "request changes on"
        raise ApiError(422, "Unprocessable Entity", [f"Review Can not {verb} your own pull request"])
    if event == "REQUEST_CHANGES" and not body.strip():
        raise ApiError(422, "Unprocessable Entity", ["Review Body can't be blank"])


def submit(state: State, review: Review, event: str, body: str = "") -> None:
    """Submit a pending review, which answers the requests for one."""
    if review.state != "PENDING":
        raise unprocessable("Can not submit a review that has already been submitted")
    pull = review.pull
    _check(pull, review.user, event, body or review.body)
    review.state = EVENTS[event]  # type: ignore[assignment]
    review.body = body or review.body
    review.submitted_at = review.updated_at = pull.updated_at = state.now()
    review.on_behalf_of = [t for t in pull.requested_teams if review.user in state.team_members(t)]
    pull.requested_teams = [t for t in pull.requested_teams if t not in review.on_behalf_of]
    pull.requested_reviewers = [u for u in pull.requested_reviewers if u is not review.user]
    _announce(state, review, "submitted", review.user)
    for comment in pull.review_comments:
        if comment.review is review:
            _announce_comment(state, comment, "created", review.user)


def edit(state: State, review: Review, user: User, body: str) -> None:
    """Change a review's text."""
    old, review.body = review.body, body
    review.updated_at = review.last_edited_at = state.now()
    review.editor = user
    if review.state != "PENDING" and old != body:
        _announce(state, review, "edited", user, changes={"body": {"from": old}})


def dismiss(state: State, review: Review, user: User, message: str) -> None:
    """Take an approval or a request for changes out of the count, with a reason."""
    if not message.strip():
        raise unprocessable('Invalid request.\n\n"message" wasn\'t supplied.')
    if review.state not in ("APPROVED", "CHANGES_REQUESTED"):
        raise ApiError(422, "Unprocessable Entity", [f"Can not dismiss a {review.state.lower()} pull request review"])
    timeline.record(state, review.pull, "review_dismissed", user, subject=review, before=review.state, after=message)
    review.state = "DISMISSED"
    review.updated_at = review.pull.updated_at = state.now()
    _announce(state, review, "dismissed", user)


def delete_pending(state: State, review: Review) -> None:
    """Throw away a review that was never submitted, and its comments."""
    if review.state != "PENDING":
        raise unprocessable("Can not delete a non-pending pull request review")
    review.pull.reviews.remove(review)
    review.pull.review_comments[:] = [c for c in review.pull.review_comments if c.review is not review]
    state.forget(review.node_id)


# Comments on lines ----------------------------------------------------------------------------------------------------


def _announce_comment(state: State, comment: ReviewComment, action: str, sender: User, **more: Any) -> None:
    def payload() -> dict[str, Any]:
        described = pulls.review_comment(state, comment)
        return {"comment": described, "pull_request": pulls.simple_pull(state, comment.pull), **more}

    state.publish(Event("pull_request_review_comment", action, sender, payload, comment.pull.repository))


def add_comment(
    state: State,
    pull: PullRequest,
    user: User,
    *,
    body: str,
    path: str,
    line: int | None = None,
    side: str = "RIGHT",
    start_line: int | None = None,
    commit_id: str | None = None,
    review: Review | None = None,
    in_reply_to: ReviewComment | None = None,
) -> ReviewComment:
    """A comment on a changed file; one that stands alone is a review of its own."""
    check_body("PullRequestReviewComment", body)
    change = next((f for f in comparison.files(pull) if f.filename == path), None)
    if change is None:
        raise invalid("PullRequestReviewComment", "path")
    alone = review is None
    if review is None:
        number, node_id = state.new_id("PRR")
        now = state.now()
        review = Review(number, node_id, pull, user, "", "COMMENTED", pull.head_sha, now, now, submitted_at=now)
        pull.reviews.append(review)
        state.register(node_id, review)
    number, node_id = state.new_id("PRRC")
    now = state.now()
    comment = ReviewComment(
        id=number,
        node_id=node_id,
        pull=pull,
        review=review,
        user=user,
        body=body,
        path=path,
        commit_id=commit_id or pull.head_sha,
        original_commit_id=commit_id or pull.head_sha,
        diff_hunk=_hunk(change),
        created_at=now,
        updated_at=now,
        line=line,
        original_line=line,
        side=side,
        start_line=start_line,
        start_side=side if start_line else None,
        subject_type="line" if line else "file",
        in_reply_to_id=in_reply_to.id if in_reply_to else None,
    )
    pull.review_comments.append(comment)
    state.register(node_id, comment)
    pull.updated_at = now
    if alone:
        _announce(state, review, "submitted", user)
        _announce_comment(state, comment, "created", user)
    return comment


def _hunk(change: FileChange) -> str:
    return "\n".join((change.patch or "").split("\n")[:8])


def edit_comment(state: State, comment: ReviewComment, user: User, body: str) -> None:
    old, comment.body = comment.body, check_body("PullRequestReviewComment", body)
    comment.updated_at = comment.last_edited_at = state.now()
    comment.editor = user
    if old != body:
        _announce_comment(state, comment, "edited", user, changes={"body": {"from": old}})


def delete_comment(state: State, comment: ReviewComment, user: User) -> None:
    comment.pull.review_comments.remove(comment)
    state.forget(comment.node_id)
    _announce_comment(state, comment, "deleted", user)
