"""Users: oneself, others, and what belongs to them."""

from __future__ import annotations

from typing import Any

from ghapp.sandbox.forge.model import Organization, Repository
from ghapp.sandbox.forge.rest import finding
from ghapp.sandbox.forge.serialize import accounts, apps, repositories
from ghapp.sandbox.forge.web.admission import may_read
from ghapp.sandbox.forge.web.call import Call, Reply
from ghapp.sandbox.forge.web.errors import not_found
from ghapp.sandbox.forge.web.routing import Route


def visible(call: Call, candidates: list[Repository]) -> list[Repository]:
    """Those that the caller may see, by name."""
    return sorted((r for r in candidates if may_read(call.state, call.actor, r)), key=lambda r: r.full_name.lower())


def _me(call: Call) -> dict[str, Any]:
    return accounts.private_user(call.state, call.actor.person)


def _my_repositories(call: Call) -> Reply:
    state, me = call.state, call.actor.person
    baseline = [r for r in list(state.repositories.values()) if _belongs(call, r)]
    return call.page(visible(call, baseline), lambda r: repositories.repository(state, r, state.permission(r, me)))


def _belongs(call: Call, repository: Repository) -> bool:
    """Owned, collaborated on, or of an organisation that one is in; not merely public."""
    me, owner = call.actor.person, repository.owner
    if owner is me or me.id in repository.collaborators:
        return True
    return isinstance(owner, Organization) and me.id in owner.members


def _my_organizations(call: Call) -> Reply:
    me = call.actor.person
    mine = [o for o in list(call.state.accounts.values()) if isinstance(o, Organization) and me.id in o.members]
    return call.page(mine, lambda o: accounts.simple_organization(call.state, o))


def _my_installations(call: Call) -> Reply:
    me = call.actor.person
    mine = [
        i
        for i in list(call.state.installations.values())
        if i.account is me or (isinstance(i.account, Organization) and me.id in i.account.members)
    ]
    return call.page(mine, lambda i: apps.installation(call.state, i), "installations")


def _user(call: Call) -> dict[str, Any]:
    account = call.state.account(call.params["username"])
    if account is None:
        raise not_found()
    return accounts.full_user(call.state, account)


def _user_by_id(call: Call) -> dict[str, Any]:
    account = call.state.account_by_id(call.number("account_id"))
    if account is None:
        raise not_found()
    return accounts.full_user(call.state, account)


def _repositories(call: Call) -> Reply:
    account = call.state.account(call.params["username"])
    if account is None:
        raise not_found()
    shown = visible(call, call.state.repositories_of(account))
    return call.page(shown, lambda r: repositories.repository(call.state, r))


def _organizations(call: Call) -> Reply:
    user = finding.user(call.state, call.params["username"])
    found = [o for o in list(call.state.accounts.values()) if isinstance(o, Organization) and user.id in o.members]
    return call.page(found, lambda o: accounts.simple_organization(call.state, o))


def _app(call: Call) -> dict[str, Any]:
    app = call.state.app(call.params["app_slug"])
    if app is None:
        raise not_found()
    return apps.app(call.state, app)


ROUTES = [
    Route("GET", "/user", _me, access="user"),
    Route("GET", "/user/repos", _my_repositories, access="user"),
    Route("GET", "/user/orgs", _my_organizations, access="user"),
    Route("GET", "/user/installations", _my_installations, access="user"),
    Route("GET", "/user/{account_id}", _user_by_id),
    Route("GET", "/users/{username}", _user, free=True),
    Route("GET", "/users/{username}/repos", _repositories),
    Route("GET", "/users/{username}/orgs", _organizations),
    Route("GET", "/apps/{app_slug}", _app, free=True),
]
