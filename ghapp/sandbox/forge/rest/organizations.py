"""Organisations, their members and repositories."""

from __future__ import annotations

from typing import Any

from ghapp.sandbox.forge.model import User
from ghapp.sandbox.forge.operations import accounts as operations
from ghapp.sandbox.forge.rest import finding
from ghapp.sandbox.forge.rest.users import visible
from ghapp.sandbox.forge.serialize import accounts, apps, repositories
from ghapp.sandbox.forge.web.call import Call, Reply
from ghapp.sandbox.forge.web.errors import ApiError, not_found
from ghapp.sandbox.forge.web.routing import Route


def require_owner(call: Call) -> None:
    """403 for people who do not own the organisation; installations were judged by their permissions."""
    organization = finding.organization(call)
    if call.actor.kind == "user" and organization.members.get(call.actor.person.id) != "admin":
        raise ApiError(403, "You must be an admin of this organization.")


def _get(call: Call) -> dict[str, Any]:
    return accounts.full_organization(call.state, finding.organization(call))


def _members(call: Call) -> Reply:
    organization, role = finding.organization(call), call.query.get("role", "all")
    found = [call.state.user_by_id(uid) for uid, r in list(organization.members.items()) if role in ("all", r)]
    people = sorted((u for u in found if u is not None), key=lambda u: u.login.lower())
    return call.page(people, lambda u: accounts.simple_user(call.state, u))


def _member(call: Call) -> User:
    organization, user = finding.organization(call), call.state.user(call.params["username"])
    if user is None or user.id not in organization.members:
        raise not_found()
    return user


def _check_member(call: Call) -> None:
    _member(call)


def _membership(call: Call) -> dict[str, Any]:
    return accounts.organization_membership(call.state, finding.organization(call), _member(call))


def _set_membership(call: Call) -> dict[str, Any]:
    require_owner(call)
    organization, user = finding.organization(call), finding.user(call.state, call.params["username"])
    role = call.body.choice("role", ("admin", "member"), "member")
    operations.set_membership(call.state, organization, user, role, call.actor.user)  # type: ignore[arg-type]
    return accounts.organization_membership(call.state, organization, user)


def _remove_membership(call: Call) -> None:
    require_owner(call)
    operations.remove_member(call.state, finding.organization(call), _member(call), call.actor.user)


def _repositories(call: Call) -> Reply:
    organization = finding.organization(call)
    shown = visible(call, call.state.repositories_of(organization))
    return call.page(shown, lambda r: repositories.repository(call.state, r))


def _installations(call: Call) -> Reply:
    organization = finding.organization(call)
    found = [i for i in list(call.state.installations.values()) if i.account is organization]
    return call.page(found, lambda i: apps.installation(call.state, i), "installations")


ROUTES = [
    Route("GET", "/orgs/{org}", _get),
    Route("GET", "/orgs/{org}/members", _members, "members:read"),
    Route("GET", "/orgs/{org}/members/{username}", _check_member, "members:read"),
    Route("DELETE", "/orgs/{org}/members/{username}", _remove_membership, "members:write", access="signed-in"),
    Route("GET", "/orgs/{org}/memberships/{username}", _membership, "members:read", access="signed-in"),
    Route("PUT", "/orgs/{org}/memberships/{username}", _set_membership, "members:write", access="signed-in"),
    Route("DELETE", "/orgs/{org}/memberships/{username}", _remove_membership, "members:write", access="signed-in"),
    Route("GET", "/orgs/{org}/repos", _repositories, "metadata:read"),
    Route("GET", "/orgs/{org}/installations", _installations, "organization_administration:read", access="signed-in"),
]
