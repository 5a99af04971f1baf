"""Teams by slug: members, memberships and repositories."""

from __future__ import annotations

from typing import Any

from ghapp.sandbox.forge.model import Organization, Team, User
from ghapp.sandbox.forge.operations import accounts as operations
from ghapp.sandbox.forge.rest import finding
from ghapp.sandbox.forge.rest.organizations import require_owner
from ghapp.sandbox.forge.rest.users import visible
from ghapp.sandbox.forge.serialize import accounts, repositories
from ghapp.sandbox.forge.web.call import Call, Reply
from ghapp.sandbox.forge.web.errors import not_found
from ghapp.sandbox.forge.web.routing import Route


def _list(call: Call) -> Reply:
    teams = sorted(finding.organization(call).teams.values(), key=lambda t: t.slug)
    return call.page(teams, lambda t: accounts.team(call.state, t))


def _create(call: Call) -> Reply:
    require_owner(call)
    body, organization = call.body, finding.organization(call)
    parent_id = body.optional_integer("parent_team_id")
    parent = next((t for t in organization.teams.values() if t.id == parent_id), None)
    team = operations.create_team(
        call.state,
        organization,
        body.required("name"),
        members=finding.users(call.state, body.texts("maintainers"), "Team", "maintainers"),
        parent=parent,
        description=body.optional_text("description"),
        sender=call.actor.user,
    )
    return Reply(accounts.full_team(call.state, team), 201)


def _get(call: Call) -> dict[str, Any]:
    return accounts.full_team(call.state, finding.team(call))


def _delete(call: Call) -> None:
    require_owner(call)
    operations.delete_team(call.state, finding.team(call), call.actor.user)


def _members(call: Call) -> Reply:
    team, role = finding.team(call), call.query.get("role", "all")
    people = [u for u in call.state.team_members(team) if role in ("all", team.members.get(u.id, "member"))]
    return call.page(people, lambda u: accounts.simple_user(call.state, u))


def _member(call: Call) -> tuple[Team, User]:
    team, user = finding.team(call), call.state.user(call.params["username"])
    if user is None or user not in call.state.team_members(team):
        raise not_found()
    return team, user


def _membership(call: Call) -> dict[str, Any]:
    team, user = _member(call)
    return accounts.team_membership(call.state, team, user, _role(team, user))


def _role(team: Team, user: User) -> str:
    if team.organization.members.get(user.id) == "admin":
        return "maintainer"
    return team.members.get(user.id, "member")


def _set_membership(call: Call) -> dict[str, Any]:
    require_owner(call)
    team, user = finding.team(call), finding.user(call.state, call.params["username"])
    role = call.body.choice("role", ("maintainer", "member"), "member")
    operations.add_to_team(call.state, team, user, role, call.actor.user)  # type: ignore[arg-type]
    return accounts.team_membership(call.state, team, user, _role(team, user))


def _remove_membership(call: Call) -> None:
    require_owner(call)
    team, user = _member(call)
    operations.remove_from_team(call.state, team, user, call.actor.user)


def _repositories(call: Call) -> Reply:
    team = finding.team(call)
    owned = call.state.repositories_of(team.organization)
    granted = {r.id: dict(call.state.teams_with_access(r)).get(team) for r in owned}
    shown = visible(call, [r for r in owned if granted[r.id] is not None])
    return call.page(shown, lambda r: repositories.repository(call.state, r, granted[r.id]))


def _check_repository(call: Call) -> Reply:
    """204, or the repository for whoever asks for ``application/vnd.github.v3.repository+json``."""
    team = finding.team(call)
    granted = dict(call.state.teams_with_access(call.repository)).get(team)
    if granted is None:
        raise not_found()
    if call.accepts("repository"):
        return Reply(repositories.repository(call.state, call.repository, granted))
    return Reply(None, 204)


def _share(call: Call) -> None:
    require_owner(call)
    granted = operations.permission(call.body.text("permission", "push"))
    operations.share_with_team(call.state, finding.team(call), call.repository, granted, call.actor.user)


def _unshare(call: Call) -> None:
    require_owner(call)
    operations.unshare_with_team(call.state, finding.team(call), call.repository, call.actor.user)


def _of_repository(call: Call) -> Reply:
    shared = call.state.teams_with_access(call.repository)
    return call.page(shared, lambda pair: accounts.team(call.state, pair[0], pair[1]))


def _my_teams(call: Call) -> Reply:
    me = call.actor.person
    organizations = [o for o in list(call.state.accounts.values()) if isinstance(o, Organization)]
    mine = [t for o in organizations for t in list(o.teams.values()) if me.id in t.members]
    return call.page(mine, lambda t: accounts.full_team(call.state, t))


def _children(call: Call) -> Reply:
    team = finding.team(call)
    below = [t for t in list(team.organization.teams.values()) if t.parent is team]
    return call.page(below, lambda t: accounts.team(call.state, t))


_TEAM = "/orgs/{org}/teams/{team_slug}"

ROUTES = [
    Route("GET", "/user/teams", _my_teams, access="user"),
    Route("GET", "/orgs/{org}/teams", _list, "members:read", access="signed-in"),
    Route("POST", "/orgs/{org}/teams", _create, "members:write", access="signed-in"),
    Route("GET", _TEAM, _get, "members:read", access="signed-in"),
    Route("DELETE", _TEAM, _delete, "members:write", access="signed-in"),
    Route("GET", f"{_TEAM}/teams", _children, "members:read", access="signed-in"),
    Route("GET", f"{_TEAM}/members", _members, "members:read", access="signed-in"),
    Route("GET", f"{_TEAM}/memberships/{{username}}", _membership, "members:read", access="signed-in"),
    Route("PUT", f"{_TEAM}/memberships/{{username}}", _set_membership, "members:write", access="signed-in"),
    Route("DELETE", f"{_TEAM}/memberships/{{username}}", _remove_membership, "members:write", access="signed-in"),
    Route("GET", f"{_TEAM}/repos", _repositories, "members:read", access="signed-in"),
    Route("GET", f"{_TEAM}/repos/{{owner}}/{{repo}}", _check_repository, "metadata:read", access="signed-in"),
    Route("PUT", f"{_TEAM}/repos/{{owner}}/{{repo}}", _share, "administration:write", access="signed-in"),
    Route("DELETE", f"{_TEAM}/repos/{{owner}}/{{repo}}", _unshare, "administration:write", access="signed-in"),
    Route("GET", "/repos/{owner}/{repo}/teams", _of_repository, "administration:read|metadata:read"),
]
