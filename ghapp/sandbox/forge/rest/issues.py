"""Issues, and the comments and assignees that they share with pull requests."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ghapp.sandbox.forge.model import PERMISSIONS, Issue, IssueComment, PullRequest
from ghapp.sandbox.forge.operations import issues as operations
from ghapp.sandbox.forge.operations import pulls
from ghapp.sandbox.forge.rest import finding
from ghapp.sandbox.forge.serialize import accounts, issues
from ghapp.sandbox.forge.web.call import Call, Reply
from ghapp.sandbox.forge.web.errors import ApiError, not_found
from ghapp.sandbox.forge.web.routing import Route


def _since(call: Call) -> datetime | None:
    """The ``since`` parameter, if it is a time."""
    try:
        return datetime.fromisoformat(call.query.get("since", "").replace("Z", "+00:00"))
    except ValueError:
        return None


def _list(call: Call) -> Reply:
    query = call.query
    wanted, since = query.get("state", "open"), _since(call)
    labels = {name.lower() for name in query.get("labels", "").split(",") if name}
    found = [
        issue
        for issue in list(call.repository.issues.values())
        if wanted in ("all", issue.state)
        and labels <= {label.name.lower() for label in issue.labels}
        and (since is None or issue.updated_at >= since)
        and query.get("creator") in (None, issue.user.login)
    ]
    key = "updated_at" if query.get("sort") == "updated" else "created_at"
    found.sort(key=lambda i: (getattr(i, key), i.number), reverse=query.get("direction", "desc") == "desc")
    return call.page(found, lambda issue: issues.issue(call.state, issue))


def _create(call: Call) -> Reply:
    body, user = call.body, call.actor.person
    issue = operations.open_issue(
        call.state, call.repository, user, body.required("title"), body.optional_text("body"), call.actor.app
    )
    if _may_write(call):
        operations.add_labels(call.state, issue, user, body.names("labels"))
        operations.assign(call.state, issue, user, _people(call, body.texts("assignees")))
    return Reply(issues.issue(call.state, issue), 201)


def _people(call: Call, logins: list[str]) -> list[Any]:
    return finding.users(call.state, logins, "Issue", "assignees")


def _may_write(call: Call) -> bool:
    held = call.state.permission(call.repository, call.actor.user)
    return call.actor.kind == "installation" or PERMISSIONS.index(held) >= PERMISSIONS.index("triage")


def _get(call: Call) -> dict[str, Any]:
    return issues.issue(call.state, finding.issue(call))


def _update(call: Call) -> dict[str, Any]:
    issue, body, user = finding.issue(call), call.body, call.actor.person
    if issue.user is not user and not _may_write(call):
        raise ApiError(403, "Must have push access to Repository")
    title, text = body.optional_text("title"), body.text("body") if "body" in body else None
    wanted = body.choice("state", ("open", "closed"), issue.state)
    if isinstance(issue, PullRequest):
        pulls.edit(call.state, issue, user, title=title, body=text)
        (pulls.close if wanted == "closed" else pulls.reopen)(call.state, issue, user)
    else:
        operations.edit_issue(call.state, issue, user, title, text)
        operations.set_issue_state(call.state, issue, user, wanted, body.optional_text("state_reason"))
    if "labels" in body:
        operations.set_labels(call.state, issue, user, body.names("labels"))
    if "assignees" in body:
        people = _people(call, body.texts("assignees"))
        operations.assign(call.state, issue, user, [u for u in issue.assignees if u not in people], remove=True)
        operations.assign(call.state, issue, user, people)
    return issues.issue(call.state, issue)


def _assign(call: Call) -> Reply:
    issue = finding.issue(call)
    operations.assign(call.state, issue, call.actor.person, _people(call, call.body.texts("assignees")))
    return Reply(issues.issue(call.state, issue), 201)


def _unassign(call: Call) -> dict[str, Any]:
    issue = finding.issue(call)
    people = _people(call, call.body.texts("assignees"))
    operations.assign(call.state, issue, call.actor.person, people, remove=True)
    return issues.issue(call.state, issue)


def _assignable(call: Call) -> Reply:
    users = [user for user, permission in call.state.collaborators(call.repository) if permission != "none"]
    return call.page(users, lambda user: accounts.simple_user(call.state, user))


# Comments -------------------------------------------------------------------------------------------------------------


def comment(call: Call) -> IssueComment:
    """The comment in the path."""
    found = operations.find_comment(call.state, call.repository, call.number("comment_id"))
    if found is None:
        raise not_found()
    return found


def _comments(call: Call) -> Reply:
    since = _since(call)
    found = [c for c in list(finding.issue(call).comments) if since is None or c.updated_at >= since]
    return call.page(found, lambda c: issues.comment(call.state, c))


def _all_comments(call: Call) -> Reply:
    since = _since(call)
    everything = [c for issue in list(call.repository.issues.values()) for c in list(issue.comments)]
    found = sorted((c for c in everything if since is None or c.updated_at >= since), key=lambda c: c.id)
    return call.page(found, lambda c: issues.comment(call.state, c))


def _add_comment(call: Call) -> Reply:
    issue: Issue = finding.issue(call)
    added = operations.add_comment(call.state, issue, call.actor.person, call.body.required("body"), call.actor.app)
    return Reply(issues.comment(call.state, added), 201)


def _get_comment(call: Call) -> dict[str, Any]:
    return issues.comment(call.state, comment(call))


def _edit_comment(call: Call) -> dict[str, Any]:
    found = comment(call)
    _own_or_write(call, found)
    operations.edit_comment(call.state, found, call.actor.person, call.body.required("body"))
    return issues.comment(call.state, found)


def _delete_comment(call: Call) -> None:
    found = comment(call)
    _own_or_write(call, found)
    operations.delete_comment(call.state, found, call.actor.person)


def _own_or_write(call: Call, found: IssueComment) -> None:
    held = call.state.permission(call.repository, call.actor.user)
    if (
        found.user is not call.actor.user
        and call.actor.kind == "user"
        and PERMISSIONS.index(held) < PERMISSIONS.index("write")
    ):
        raise ApiError(403, "Must have admin rights to Repository.")


_ALL = "/repos/{owner}/{repo}/issues"
_ONE, _COMMENT = f"{_ALL}/{{issue_number}}", f"{_ALL}/comments/{{comment_id}}"
_READ, _WRITE = "issues:read|pull_requests:read", "issues:write|pull_requests:write"

ROUTES = [
    Route("GET", _ALL, _list, _READ),
    Route("POST", _ALL, _create, "issues:write", user="read"),
    Route("GET", _ONE, _get, _READ),
    Route("PATCH", _ONE, _update, _WRITE, user="read"),
    Route("POST", f"{_ONE}/assignees", _assign, _WRITE),
    Route("DELETE", f"{_ONE}/assignees", _unassign, _WRITE),
    Route("GET", "/repos/{owner}/{repo}/assignees", _assignable, _READ),
    Route("GET", f"{_ONE}/comments", _comments, _READ),
    Route("POST", f"{_ONE}/comments", _add_comment, _WRITE, user="read"),
    Route("GET", f"{_ALL}/comments", _all_comments, _READ),
    Route("GET", _COMMENT, _get_comment, _READ),
    Route("PATCH", _COMMENT, _edit_comment, _WRITE, user="read"),
    Route("DELETE", _COMMENT, _delete_comment, _WRITE, user="read"),
]
