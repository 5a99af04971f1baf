"""Reviews of pull requests and comments on their lines."""

from __future__ import annotations

from typing import Any

from ghapp.sandbox.forge.model import PERMISSIONS, PullRequest, Review, ReviewComment
from ghapp.sandbox.forge.operations import reviews as operations
from ghapp.sandbox.forge.rest import finding
from ghapp.sandbox.forge.serialize import pulls
from ghapp.sandbox.forge.web.call import Body, Call, Reply
from ghapp.sandbox.forge.web.errors import ApiError, not_found
from ghapp.sandbox.forge.web.routing import Route


def _review(call: Call) -> Review:
    pull = finding.pull(call)
    number = call.number("review_id")
    found = next((r for r in pull.reviews if r.id == number and _visible(call, r)), None)
    if found is None:
        raise not_found()
    return found


def _visible(call: Call, review: Review) -> bool:
    """A pending review is its author's alone."""
    return review.state != "PENDING" or review.user is call.actor.user


def _list(call: Call) -> Reply:
    found = [review for review in list(finding.pull(call).reviews) if _visible(call, review)]
    return call.page(found, lambda review: pulls.review(call.state, review))


def _get(call: Call) -> dict[str, Any]:
    return pulls.review(call.state, _review(call))


def _create(call: Call) -> dict[str, Any]:
    pull, body, user = finding.pull(call), call.body, call.actor.person
    event, text = body.text("event"), body.text("body")
    comments = body.objects("comments")
    if event == "COMMENT" and not text.strip() and not comments:
        raise ApiError(422, "Unprocessable Entity", ["Review Body can't be blank"])
    review = operations.create(
        call.state,
        pull,
        user,
        event="" if comments else event,
        body=text,
        commit_id=body.optional_text("commit_id"),
    )
    for item in comments:
        _comment(call, pull, item, review)
    if comments and event:
        operations.submit(call.state, review, event, text)
    return pulls.review(call.state, review)


def _comment(
    call: Call, pull: PullRequest, fields: Body, review: Review | None = None, reply: ReviewComment | None = None
) -> ReviewComment:
    return operations.add_comment(
        call.state,
        pull,
        call.actor.person,
        body=fields.required("body"),
        path=reply.path if reply else fields.required("path"),
        line=reply.line if reply else fields.optional_integer("line") or fields.optional_integer("position"),
        side=fields.choice("side", ("LEFT", "RIGHT"), "RIGHT"),
        start_line=fields.optional_integer("start_line"),
        commit_id=fields.optional_text("commit_id"),
        review=review,
        in_reply_to=reply,
    )


def _submit(call: Call) -> dict[str, Any]:
    review = _review(call)
    operations.submit(call.state, review, call.body.required("event"), call.body.text("body"))
    return pulls.review(call.state, review)


def _update(call: Call) -> dict[str, Any]:
    review = _review(call)
    operations.edit(call.state, review, call.actor.person, call.body.required("body"))
    return pulls.review(call.state, review)


def _dismiss(call: Call) -> dict[str, Any]:
    review = _review(call)
    operations.dismiss(call.state, review, call.actor.person, call.body.text("message"))
    return pulls.review(call.state, review)


def _delete(call: Call) -> dict[str, Any]:
    review = _review(call)
    described = pulls.review(call.state, review)
    operations.delete_pending(call.state, review)
    return described


def _comments_of_review(call: Call) -> Reply:
    review = _review(call)
    found = [c for c in list(review.pull.review_comments) if c.review is review]
    return call.page(found, lambda c: pulls.review_comment(call.state, c))


# Comments on lines ----------------------------------------------------------------------------------------------------


def _line_comment(call: Call) -> ReviewComment:
    found = call.state.find("PRRC", call.number("comment_id"))
    if not isinstance(found, ReviewComment) or found.pull.repository is not call.repository:
        raise not_found()
    return found


def _comments(call: Call) -> Reply:
    found = [c for c in list(finding.pull(call).review_comments) if _visible(call, c.review)]
    return call.page(found, lambda c: pulls.review_comment(call.state, c))


def _all_comments(call: Call) -> Reply:
    found = [c for pull in call.repository.pulls for c in list(pull.review_comments) if _visible(call, c.review)]
    return call.page(found, lambda c: pulls.review_comment(call.state, c))


def _create_comment(call: Call) -> Reply:
    pull, body = finding.pull(call), call.body
    reply = None
    if (answered := body.optional_integer("in_reply_to")) is not None:
        reply = next((c for c in pull.review_comments if c.id == answered), None)
        if reply is None:
            raise not_found()
    return Reply(pulls.review_comment(call.state, _comment(call, pull, body, reply=reply)), 201)


def _reply(call: Call) -> Reply:
    comment = _line_comment(call)
    return Reply(pulls.review_comment(call.state, _comment(call, comment.pull, call.body, reply=comment)), 201)


def _get_comment(call: Call) -> dict[str, Any]:
    return pulls.review_comment(call.state, _line_comment(call))


def _own_or_write(call: Call, comment: ReviewComment) -> None:
    held = call.state.permission(call.repository, call.actor.user)
    if comment.user is not call.actor.user and PERMISSIONS.index(held) < PERMISSIONS.index("write"):
        raise ApiError(403, "Must have push access to Repository")


def _edit_comment(call: Call) -> dict[str, Any]:
    comment = _line_comment(call)
    _own_or_write(call, comment)
    operations.edit_comment(call.state, comment, call.actor.person, call.body.required("body"))
    return pulls.review_comment(call.state, comment)


def _delete_comment(call: Call) -> None:
    comment = _line_comment(call)
    _own_or_write(call, comment)
    operations.delete_comment(call.state, comment, call.actor.person)


_PULLS = "/repos/{owner}/{repo}/pulls"
_ONE = f"{_PULLS}/{{pull_number}}"
_REVIEW, _COMMENT = f"{_ONE}/reviews/{{review_id}}", f"{_PULLS}/comments/{{comment_id}}"
_READ, _WRITE = "pull_requests:read", "pull_requests:write"

ROUTES = [
    Route("GET", f"{_ONE}/reviews", _list, _READ),
    Route("POST", f"{_ONE}/reviews", _create, _WRITE, user="read"),
    Route("GET", _REVIEW, _get, _READ),
    Route("PUT", _REVIEW, _update, _WRITE, user="read"),
    Route("DELETE", _REVIEW, _delete, _WRITE, user="read"),
    Route("GET", f"{_REVIEW}/comments", _comments_of_review, _READ),
    Route("POST", f"{_REVIEW}/events", _submit, _WRITE, user="read"),
    Route("PUT", f"{_REVIEW}/dismissals", _dismiss, _WRITE),
    Route("GET", f"{_ONE}/comments", _comments, _READ),
    Route("POST", f"{_ONE}/comments", _create_comment, _WRITE, user="read"),
    Route("POST", f"{_ONE}/comments/{{comment_id}}/replies", _reply, _WRITE, user="read"),
    Route("GET", f"{_PULLS}/comments", _all_comments, _READ),
    Route("GET", _COMMENT, _get_comment, _READ),
    Route("PATCH", _COMMENT, _edit_comment, _WRITE, user="read"),
    Route("DELETE", _COMMENT, _delete_comment, _WRITE, user="read"),
]
