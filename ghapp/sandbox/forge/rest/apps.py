"""What an app does as itself, with its JWT, and what an installation asks about itself."""

from __future__ import annotations

from typing import Any

from ghapp.sandbox.forge.model import Account, App, Installation, Repository
from ghapp.sandbox.forge.operations import apps as operations
from ghapp.sandbox.forge.serialize import apps, repositories
from ghapp.sandbox.forge.web.admission import in_scope
from ghapp.sandbox.forge.web.call import Call, Reply
from ghapp.sandbox.forge.web.errors import ApiError, not_found, unprocessable
from ghapp.sandbox.forge.web.routing import Route


def own_app(call: Call) -> App:
    """The app whose JWT this is."""
    if call.actor.app is None:
        raise ApiError(401, "A JSON web token could not be decoded")
    return call.actor.app


def _installation(call: Call) -> Installation:
    found = call.state.installations.get(call.number("installation_id"))
    if found is None or found.app is not own_app(call):
        raise not_found()
    return found


def _get_app(call: Call) -> dict[str, Any]:
    return apps.own_app(call.state, own_app(call))


def _list_installations(call: Call) -> Reply:
    mine = [i for i in list(call.state.installations.values()) if i.app is own_app(call)]
    return call.page(mine, lambda i: apps.installation(call.state, i))


def _get_installation(call: Call) -> dict[str, Any]:
    return apps.installation(call.state, _installation(call))


def _installation_on(call: Call, account: Account | None, repository: Repository | None = None) -> dict[str, Any]:
    found = call.state.installation_on(own_app(call), account) if account is not None else None
    if found is None or (repository is not None and not call.state.sees(found, repository)):
        raise not_found()
    return apps.installation(call.state, found)


def _of_repository(call: Call) -> dict[str, Any]:
    return _installation_on(call, call.repository.owner, call.repository)


def _of_organization(call: Call) -> dict[str, Any]:
    return _installation_on(call, call.state.organization(call.params["org"]))


def _of_user(call: Call) -> dict[str, Any]:
    return _installation_on(call, call.state.user(call.params["username"]))


def _create_token(call: Call) -> Reply:
    installation, body, state = _installation(call), call.body, call.state
    if installation.suspended_at is not None:
        raise ApiError(403, "This installation has been suspended")
    chosen: list[Repository] | None = None
    if "repositories" in body or "repository_ids" in body:
        seen = state.installation_repositories(installation)
        names, numbers = set(body.texts("repositories")), set(body.items("repository_ids"))
        chosen = [r for r in seen if r.name in names or r.id in numbers]
        if len(chosen) < len(names | numbers) and {r.name for r in chosen} | {r.id for r in chosen} < names | numbers:
            raise unprocessable("There is at least one repository that does not exist or is not accessible to the app.")
    permissions = body.mapping("permissions") if "permissions" in body else None
    return Reply(apps.installation_token(state, operations.create_token(state, installation, permissions, chosen)), 201)


def _revoke_token(call: Call) -> None:
    if call.actor.token is not None:
        call.state.installation_tokens.pop(call.actor.token.token, None)


def _delete_installation(call: Call) -> None:
    operations.uninstall(call.state, _installation(call))


def _suspend(call: Call) -> None:
    operations.set_suspended(call.state, _installation(call), True)


def _unsuspend(call: Call) -> None:
    operations.set_suspended(call.state, _installation(call), False)


def _repositories(call: Call) -> Reply:
    token = call.actor.token
    if token is None:
        raise not_found()
    state = call.state
    seen = [r for r in state.installation_repositories(token.installation) if in_scope(state, token, r)]
    selection = "selected" if token.repository_ids is not None else token.installation.repository_selection
    return call.page(
        seen,
        lambda r: repositories.repository(state, r, "read"),
        "repositories",
        extra={"repository_selection": selection},
    )


def _hook_config(call: Call) -> dict[str, Any]:
    return apps.webhook_config(own_app(call))


def _set_hook_config(call: Call) -> dict[str, Any]:
    app, body = own_app(call), call.body
    if "url" in body:
        app.webhook_url = body.text("url") or None
    if "secret" in body:
        app.webhook_secret = body.text("secret") or None
    return apps.webhook_config(app)


ROUTES = [
    Route("GET", "/app", _get_app, access="app"),
    Route("GET", "/app/installations", _list_installations, access="app"),
    Route("GET", "/app/installations/{installation_id}", _get_installation, access="app"),
    Route("DELETE", "/app/installations/{installation_id}", _delete_installation, access="app"),
    Route("POST", "/app/installations/{installation_id}/access_tokens", _create_token, access="app"),
    Route("PUT", "/app/installations/{installation_id}/suspended", _suspend, access="app"),
    Route("DELETE", "/app/installations/{installation_id}/suspended", _unsuspend, access="app"),
    Route("GET", "/app/hook/config", _hook_config, access="app"),
    Route("PATCH", "/app/hook/config", _set_hook_config, access="app"),
    Route("GET", "/repos/{owner}/{repo}/installation", _of_repository, access="app"),
    Route("GET", "/orgs/{org}/installation", _of_organization, access="app"),
    Route("GET", "/users/{username}/installation", _of_user, access="app"),
    Route("GET", "/installation/repositories", _repositories, access="installation"),
    Route("DELETE", "/installation/token", _revoke_token, access="installation"),
]
