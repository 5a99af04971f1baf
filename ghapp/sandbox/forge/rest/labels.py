"""Labels of a repository and on its issues and pull requests."""

from __future__ import annotations

from typing import Any

from ghapp.sandbox.forge.model import Issue, Label
from ghapp.sandbox.forge.operations import issues as operations
from ghapp.sandbox.forge.rest import finding
from ghapp.sandbox.forge.serialize import repositories
from ghapp.sandbox.forge.web.call import Call, Reply
from ghapp.sandbox.forge.web.errors import ApiError, invalid, not_found, unprocessable
from ghapp.sandbox.forge.web.routing import Route


def _described(call: Call, label: Label) -> dict[str, Any]:
    return repositories.label(call.state, call.repository, label)


def _label(call: Call) -> Label:
    found = call.repository.label(call.params["name"])
    if found is None:
        raise not_found()
    return found


def _list(call: Call) -> Reply:
    return call.page(list(call.repository.labels), lambda label: _described(call, label))


def _create(call: Call) -> Reply:
    body = call.body
    label = operations.create_label(
        call.state,
        call.repository,
        body.required("name"),
        body.text("color", "ededed"),
        body.optional_text("description"),
    )
    return Reply(_described(call, label), 201)


def _get(call: Call) -> dict[str, Any]:
    return _described(call, _label(call))


def _update(call: Call) -> dict[str, Any]:
    label, body = _label(call), call.body
    name = body.text("new_name", label.name)
    taken = call.repository.label(name)
    if taken is not None and taken is not label:
        raise invalid("Label", "name", "already_exists")
    label.name, label.color = name, body.text("color", label.color).lstrip("#")
    if "description" in body:
        label.description = body.optional_text("description")
    return _described(call, label)


def _delete(call: Call) -> None:
    label = _label(call)
    call.repository.labels.remove(label)
    call.state.forget(label.node_id)
    for issue in call.repository.issues.values():
        issue.labels[:] = [item for item in issue.labels if item is not label]


# On issues ------------------------------------------------------------------------------------------------------------


def _shown(call: Call, issue: Issue) -> Reply:
    return call.page(list(issue.labels), lambda label: _described(call, label))


def _of_issue(call: Call) -> Reply:
    return _shown(call, finding.issue(call))


def _add(call: Call) -> Reply:
    issue, names = finding.issue(call), call.body.names("labels")
    if not names:
        raise unprocessable('Invalid request.\n\n"labels" wasn\'t supplied.')
    operations.add_labels(call.state, issue, call.actor.person, names)
    return _shown(call, issue)


def _set(call: Call) -> Reply:
    issue = finding.issue(call)
    operations.set_labels(call.state, issue, call.actor.person, call.body.names("labels"))
    return _shown(call, issue)


def _remove(call: Call) -> Reply:
    issue = finding.issue(call)
    label = next((item for item in issue.labels if item.name.lower() == call.params["name"].lower()), None)
    if label is None:
        raise ApiError(404, "Label does not exist")
    operations.remove_label(call.state, issue, call.actor.person, label)
    return _shown(call, issue)


def _clear(call: Call) -> None:
    operations.set_labels(call.state, finding.issue(call), call.actor.person, [])


_ALL = "/repos/{owner}/{repo}/labels"
_OF_ISSUE = "/repos/{owner}/{repo}/issues/{issue_number}/labels"
_READ, _WRITE = "issues:read|pull_requests:read", "issues:write|pull_requests:write"

ROUTES = [
    Route("GET", _ALL, _list, _READ),
    Route("POST", _ALL, _create, _WRITE),
    Route("GET", f"{_ALL}/{{name}}", _get, _READ),
    Route("PATCH", f"{_ALL}/{{name}}", _update, _WRITE),
    Route("DELETE", f"{_ALL}/{{name}}", _delete, _WRITE),
    Route("GET", _OF_ISSUE, _of_issue, _READ),
    Route("POST", _OF_ISSUE, _add, _WRITE, user="triage"),
    Route("PUT", _OF_ISSUE, _set, _WRITE, user="triage"),
    Route("DELETE", _OF_ISSUE, _clear, _WRITE, user="triage"),
    Route("DELETE", f"{_OF_ISSUE}/{{name}}", _remove, _WRITE, user="triage"),
]
