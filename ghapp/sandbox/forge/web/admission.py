"""Who may call what: the needs of a route against the actor's permissions, with GitHub's choice of 401, 403 and 404.

Stricter than GitHub in one thing on purpose: inside its own repositories an installation needs the permission even to
read what is public, so that a permission missing from an app's manifest shows on a laptop.
"""

from __future__ import annotations

from ghapp.sandbox.forge.model import PERMISSIONS, InstallationToken, Repository, State
from ghapp.sandbox.forge.web.actor import Actor
from ghapp.sandbox.forge.web.errors import ApiError, forbidden_integration, not_found
from ghapp.sandbox.forge.web.routing import Route

LEVELS = ("read", "write", "admin")

# What every installation has without asking.
IMPLIED = {"metadata": "read"}


def holds(token: InstallationToken, permission: str, level: str) -> bool:
    """Whether a token has a permission at a level (``read`` < ``write`` < ``admin``)."""
    granted = {**IMPLIED, **token.permissions}.get(permission)
    return granted in LEVELS and LEVELS.index(granted) >= LEVELS.index(level)


def in_scope(state: State, token: InstallationToken, repository: Repository) -> bool:
    """Whether a repository is one of those that a token was made for."""
    if token.repository_ids is not None and repository.id not in token.repository_ids:
        return False
    return state.sees(token.installation, repository)


def may_read(state: State, actor: Actor, repository: Repository) -> bool:
    """Whether a repository exists as far as this actor is concerned."""
    if actor.token is not None:
        return not repository.private or in_scope(state, actor.token, repository)
    return state.permission(repository, actor.user) != "none"


def admit(state: State, actor: Actor, route: Route, repository: Repository | None) -> None:
    """Raise the error that GitHub would answer with, or return."""
    _kind(actor, route)
    if repository is None:
        if actor.token is not None and route.alternatives and not _any(actor.token, route):
            raise forbidden_integration(route.accepted)
        return
    if not may_read(state, actor, repository) and not (actor.kind == "app" and route.access == "app"):
        raise not_found()
    if actor.token is not None:
        _installation(state, actor.token, route, repository)
    elif route.access != "app":
        _person(state, actor, route, repository)


def _kind(actor: Actor, route: Route) -> None:
    if route.access == "app" and actor.kind != "app":
        raise ApiError(401, "A JSON web token could not be decoded")
    if route.access != "app" and actor.kind == "app" and not route.free:
        raise ApiError(401, "Bad credentials")
    if route.access == "installation" and actor.kind != "installation":
        raise ApiError(403, "You must authenticate with an installation access token in order to list repositories.")
    if route.access in ("user", "signed-in") and actor.kind == "anonymous":
        raise ApiError(401, "Requires authentication")
    if route.access == "user" and actor.kind == "installation":
        raise forbidden_integration("")


def _any(token: InstallationToken, route: Route) -> bool:
    return any(holds(token, name, level) for name, level in route.alternatives)


def _installation(state: State, token: InstallationToken, route: Route, repository: Repository) -> None:
    reads = all(level == "read" for _, level in route.alternatives)
    granted = not route.alternatives or _any(token, route)
    if not (granted if in_scope(state, token, repository) else reads):
        raise forbidden_integration(route.accepted)
    if repository.archived and not reads:
        raise ApiError(403, "Repository was archived so is read-only.")


def _person(state: State, actor: Actor, route: Route, repository: Repository) -> None:
    writes = any(level != "read" for _, level in route.alternatives)
    if writes and actor.user is None:
        raise ApiError(401, "Requires authentication")
    needed = route.user_permission
    if PERMISSIONS.index(state.permission(repository, actor.user)) < PERMISSIONS.index(needed):
        if actor.user is None:
            raise ApiError(401, "Requires authentication")
        words = "Must have admin rights to Repository." if needed == "admin" else "Must have push access to Repository"
        raise ApiError(403, words)
    if writes and repository.archived and route.needs != "administration:write":
        raise ApiError(403, "Repository was archived so is read-only.")
