"""Apps and their installations: registered, installed, narrowed, suspended, removed, and given tokens."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from ghapp.sandbox.forge.model import (
    Account,
    App,
    Event,
    Installation,
    InstallationToken,
    Organization,
    Repository,
    State,
    User,
    ids,
)
from ghapp.sandbox.forge.operations.accounts import create_user, keeper
from ghapp.sandbox.forge.serialize import apps
from ghapp.sandbox.forge.web.admission import LEVELS
from ghapp.sandbox.forge.web.errors import invalid, unprocessable

TOKEN_LIFETIME = timedelta(hours=1)


def _key_pair() -> tuple[str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


def create(
    state: State,
    slug: str,
    owner: Account,
    *,
    permissions: dict[str, str],
    events: Iterable[str] = (),
    webhook_url: str | None = None,
    webhook_secret: str | None = None,
    name: str | None = None,
) -> App:
    """Register an app, with a key of its own and a bot to act as."""
    if state.app(slug) is not None:
        raise invalid("App", "slug", "already_exists")
    private, public = _key_pair()
    number, node_id = state.new_id("A")
    now = state.now()
    app = App(
        id=number,
        node_id=node_id,
        slug=slug,
        name=name or slug,
        owner=owner,
        client_id=f"Iv23{secrets.token_hex(8)}",
        private_key=private,
        public_key=public,
        bot=create_user(state, f"{slug}[bot]", kind="Bot"),
        created_at=now,
        updated_at=now,
        permissions=dict(permissions),
        events=list(events),
        hook_id=state.new_id("H")[0],
        webhook_url=webhook_url,
        webhook_secret=webhook_secret,
    )
    state.apps[app.id] = app
    state.register(node_id, app)
    return app


# Installations --------------------------------------------------------------------------------------------------------


def _repositories(repositories: Iterable[Repository]) -> list[dict[str, Any]]:
    return [
        {"id": r.id, "node_id": r.node_id, "name": r.name, "full_name": r.full_name, "private": r.private}
        for r in repositories
    ]


def _announce(state: State, installation: Installation, action: str, sender: User | None, **more: Any) -> None:
    by = sender or keeper(state, installation.account)
    payload = {"installation": apps.installation(state, installation), "requester": None, **more}
    organization = installation.account if isinstance(installation.account, Organization) else None
    state.publish(
        Event(
            "installation",
            action,
            by,
            lambda: payload,
            organization=organization,
            installation=installation,
            unsolicited=True,
        )
    )


def install(
    state: State,
    app: App,
    account: Account,
    repositories: Iterable[Repository] | None = None,
    sender: User | None = None,
) -> Installation:
    """Install an app on all repositories of an account, or on some."""
    if state.installation_on(app, account) is not None:
        raise unprocessable(f"{app.slug} is already installed on {account.login}.")
    number, _ = state.new_id("I")
    now = state.now()
    chosen = None if repositories is None else list(repositories)
    installation = Installation(
        number,
        app,
        account,
        dict(app.permissions),
        list(app.events),
        now,
        now,
        repository_selection="all" if chosen is None else "selected",
        repository_ids={r.id for r in chosen or ()},
    )
    state.installations[number] = installation
    seen = state.installation_repositories(installation)
    _announce(state, installation, "created", sender, repositories=_repositories(seen))
    return installation


def uninstall(state: State, installation: Installation, sender: User | None = None) -> None:
    """Remove an installation; its tokens are worth nothing from then on."""
    seen = state.installation_repositories(installation)
    revoke_all(state, installation)
    _announce(state, installation, "deleted", sender, repositories=_repositories(seen))
    del state.installations[installation.id]


def set_suspended(state: State, installation: Installation, suspended: bool, sender: User | None = None) -> None:
    """Suspend or unsuspend; while suspended its tokens are refused."""
    if (installation.suspended_at is not None) == suspended:
        return
    by = sender or keeper(state, installation.account)
    installation.suspended_at = state.now() if suspended else None
    installation.suspended_by = by if suspended else None
    installation.updated_at = state.now()
    _announce(state, installation, "suspend" if suspended else "unsuspend", by)


def accept_permissions(state: State, installation: Installation, sender: User | None = None) -> None:
    """Give an installation what its app asks for by now."""
    installation.permissions, installation.events = dict(installation.app.permissions), list(installation.app.events)
    installation.updated_at = state.now()
    _announce(state, installation, "new_permissions_accepted", sender)


def change_repositories(
    state: State,
    installation: Installation,
    *,
    add: Iterable[Repository] = (),
    remove: Iterable[Repository] = (),
    sender: User | None = None,
) -> None:
    """Show an installation more or fewer repositories, which makes its selection ``selected``."""
    added, removed = list(add), list(remove)
    if installation.repository_selection == "all":
        installation.repository_ids = {r.id for r in state.installation_repositories(installation)}
        installation.repository_selection = "selected"
    installation.repository_ids |= {r.id for r in added}
    installation.repository_ids -= {r.id for r in removed}
    installation.updated_at = state.now()
    organization = installation.account if isinstance(installation.account, Organization) else None
    by = sender or keeper(state, installation.account)
    for action, changed in (("added", added), ("removed", removed)):
        if not changed:
            continue
        payload = {
            "installation": apps.installation(state, installation),
            "repository_selection": installation.repository_selection,
            "repositories_added": _repositories(added) if action == "added" else [],
            "repositories_removed": _repositories(removed) if action == "removed" else [],
            "requester": None,
        }
        state.publish(
            Event(
                "installation_repositories",
                action,
                by,
                lambda payload=payload: payload,  # type: ignore[misc]
                organization=organization,
                installation=installation,
                unsolicited=True,
            )
        )


def revoke_authorization(state: State, app: App, user: User) -> None:
    """A person withdraws what they had let an app do in their name."""
    installation = next((i for i in state.installations.values() if i.app is app), None)
    if installation is not None:
        event = Event("github_app_authorization", "revoked", user, dict, installation=installation, unsolicited=True)
        state.publish(event)


# Tokens ---------------------------------------------------------------------------------------------------------------


def create_token(
    state: State,
    installation: Installation,
    permissions: dict[str, str] | None = None,
    repositories: Iterable[Repository] | None = None,
) -> InstallationToken:
    """A token for an hour, at most with what the installation has; 422 when more is asked for."""
    wanted = installation.permissions if permissions is None else permissions
    for name, level in wanted.items():
        held = {"metadata": "read", **installation.permissions}.get(name)
        if level not in LEVELS or held not in LEVELS or LEVELS.index(level) > LEVELS.index(held):
            raise unprocessable("The permissions requested are not granted to this installation.")
    chosen = None if repositories is None else frozenset(r.id for r in repositories)
    value = ids.token("ghs")
    token = InstallationToken(value, installation, dict(wanted), chosen, state.now() + TOKEN_LIFETIME)
    state.installation_tokens[value] = token
    return token


def revoke_all(state: State, installation: Installation) -> None:
    """Make all tokens of an installation worthless."""
    kept = {v: t for v, t in state.installation_tokens.items() if t.installation is not installation}
    state.installation_tokens.clear()
    state.installation_tokens.update(kept)
