"""Reactions to issues, pull requests and comments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ghapp.sandbox.forge.model import ReviewComment
from ghapp.sandbox.forge.operations import issues as operations
from ghapp.sandbox.forge.operations.issues import Reactable
from ghapp.sandbox.forge.rest import finding
from ghapp.sandbox.forge.rest.issues import comment
from ghapp.sandbox.forge.serialize import issues
from ghapp.sandbox.forge.web.call import Call, Reply
from ghapp.sandbox.forge.web.errors import ApiError, not_found
from ghapp.sandbox.forge.web.routing import Route


def _line_comment(call: Call) -> ReviewComment:
    found = call.state.find("PRRC", call.number("comment_id"))
    if not isinstance(found, ReviewComment) or found.pull.repository is not call.repository:
        raise not_found()
    return found


def _handlers(find: Callable[[Call], Reactable]) -> tuple[Callable[[Call], Any], ...]:
    """List, add and delete for one kind of thing that can be reacted to."""

    def listed(call: Call) -> Reply:
        wanted = call.query.get("content")
        found = [r for r in list(find(call).reactions) if wanted in (None, r.content)]
        return call.page(found, lambda r: issues.reaction(call.state, r))

    def add(call: Call) -> Reply:
        body = call.body.required("content")
        reaction, new = operations.react(call.state, find(call), call.actor.person, body)
        return Reply(issues.reaction(call.state, reaction), 201 if new else 200)

    def delete(call: Call) -> None:
        subject, number = find(call), call.number("reaction_id")
        reaction = next((r for r in subject.reactions if r.id == number), None)
        if reaction is None:
            raise not_found()
        if reaction.user is not call.actor.user:
            raise ApiError(403, "Resource not accessible by this user")
        operations.unreact(call.state, subject, reaction)

    return listed, add, delete


_REPO = "/repos/{owner}/{repo}"

_SUBJECTS: tuple[tuple[str, Callable[[Call], Reactable], str], ...] = (
    (f"{_REPO}/issues/{{issue_number}}/reactions", finding.issue, "issues:{}|pull_requests:{}"),
    (f"{_REPO}/issues/comments/{{comment_id}}/reactions", comment, "issues:{}|pull_requests:{}"),
    (f"{_REPO}/pulls/comments/{{comment_id}}/reactions", _line_comment, "pull_requests:{}"),
)


def _routes() -> list[Route]:
    routes: list[Route] = []
    for template, find, needs in _SUBJECTS:
        listed, add, delete = _handlers(find)
        write = needs.replace("{}", "write")
        routes += [
            Route("GET", template, listed, needs.replace("{}", "read")),
            Route("POST", template, add, write, user="read"),
            Route("DELETE", f"{template}/{{reaction_id}}", delete, write, user="read"),
        ]
    return routes


ROUTES = _routes()
