"""Who may do what in a repository."""

from __future__ import annotations

from typing import Any

from ghapp.sandbox.forge.model import Organization, Permission, User
from ghapp.sandbox.forge.operations import accounts as operations
from ghapp.sandbox.forge.rest import finding
from ghapp.sandbox.forge.serialize import accounts
from ghapp.sandbox.forge.web.call import Call, Reply
from ghapp.sandbox.forge.web.errors import not_found
from ghapp.sandbox.forge.web.routing import Route


def _list(call: Call) -> Reply:
    found = call.state.collaborators(call.repository)
    affiliation = call.query.get("affiliation", "all")
    if affiliation == "outside":
        found = [(u, p) for u, p in found if not _is_member(call, u)]
    elif affiliation == "direct":
        direct = {*call.repository.collaborators, call.repository.owner.id}
        found = [(u, p) for u, p in found if u.id in direct]
    if wanted := call.query.get("permission"):
        least = accounts.permission_flags(operations.permission(wanted))
        found = [(u, p) for u, p in found if _covers(p, least)]
    return call.page(found, lambda pair: accounts.collaborator(call.state, *pair))


def _covers(permission: Permission, least: dict[str, bool]) -> bool:
    return all(
        have or not need
        for need, have in zip(least.values(), accounts.permission_flags(permission).values(), strict=True)
    )


def _is_member(call: Call, user: User) -> bool:
    owner = call.repository.owner
    return isinstance(owner, Organization) and user.id in owner.members


def _check(call: Call) -> None:
    user = call.state.user(call.params["username"])
    if user is None or user not in [u for u, _ in call.state.collaborators(call.repository)]:
        raise not_found()


def _permission(call: Call) -> dict[str, Any]:
    user = finding.user(call.state, call.params["username"])
    return accounts.collaborator_permission(call.state, user, call.state.permission(call.repository, user))


def _add(call: Call) -> None:
    user = finding.user(call.state, call.params["username"])
    granted = operations.permission(call.body.text("permission", "push"))
    operations.add_collaborator(call.state, call.repository, user, granted, call.actor.user)


def _remove(call: Call) -> None:
    user = finding.user(call.state, call.params["username"])
    operations.remove_collaborator(call.state, call.repository, user, call.actor.user)


_ALL = "/repos/{owner}/{repo}/collaborators"

ROUTES = [
    Route("GET", _ALL, _list, "metadata:read", user="write", access="signed-in"),
    Route("GET", f"{_ALL}/{{username}}", _check, "metadata:read", access="signed-in"),
    Route("GET", f"{_ALL}/{{username}}/permission", _permission, "metadata:read", access="signed-in"),
    Route("PUT", f"{_ALL}/{{username}}", _add, "administration:write"),
    Route("DELETE", f"{_ALL}/{{username}}", _remove, "administration:write"),
]
