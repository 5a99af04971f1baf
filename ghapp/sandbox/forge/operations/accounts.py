"""People, organisations and teams: who there is, who belongs to what, and the events that tell apps so."""

from __future__ import annotations

import re
from typing import Any, Literal

from ghapp.sandbox.forge.model import (
    LEGACY_PERMISSIONS,
    PERMISSIONS,
    Account,
    Event,
    Organization,
    Permission,
    Repository,
    State,
    Team,
    User,
)
from ghapp.sandbox.forge.serialize import accounts
from ghapp.sandbox.forge.web.errors import invalid, unprocessable


def permission(value: str) -> Permission:
    """A permission under its present or older name; 422 for anything else."""
    found = LEGACY_PERMISSIONS.get(value, value)
    if found not in PERMISSIONS or found == "none":
        raise unprocessable(f"Invalid request.\n\nFor 'properties/permission', {value} is not a permission.")
    return found


def _new_login(state: State, login: str) -> str:
    if state.account(login) is not None:
        raise invalid("User", "login", "already_exists")
    if not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,37}[A-Za-z0-9])?(?:\[bot\])?", login):
        raise invalid("User", "login")
    return login


def create_user(
    state: State,
    login: str,
    *,
    name: str | None = None,
    email: str | None = None,
    site_admin: bool = False,
    kind: Literal["User", "Bot"] = "User",
) -> User:
    """A person, or an app's bot."""
    number, node_id = state.new_id("BOT" if kind == "Bot" else "U")
    user = User(number, node_id, _new_login(state, login), state.now(), kind, name, email, site_admin)
    state.add_account(user)
    return user


def create_organization(state: State, login: str, admin: User | None = None, name: str | None = None) -> Organization:
    """An organisation, owned by ``admin`` if there is one."""
    number, node_id = state.new_id("O")
    organization = Organization(number, node_id, _new_login(state, login), state.now(), name)
    if admin is not None:
        organization.members[admin.id] = "admin"
    state.add_account(organization)
    return organization


def keeper(state: State, account: Account) -> User:
    """Who does things on an account's behalf when nobody in particular does: its first administrator."""
    if isinstance(account, User):
        return account
    first = next((uid for uid, role in account.members.items() if role == "admin"), None)
    return (state.user_by_id(first) if first is not None else None) or state.web_flow


# Members --------------------------------------------------------------------------------------------------------------


def set_membership(
    state: State, organization: Organization, user: User, role: Literal["admin", "member"], sender: User | None = None
) -> None:
    """Make someone a member or an owner."""
    new = user.id not in organization.members
    organization.members[user.id] = role
    if new:
        _announce_member(state, organization, "member_added", user, sender)


def remove_member(state: State, organization: Organization, user: User, sender: User | None = None) -> None:
    """Take someone out of an organisation and of its teams."""
    described = accounts.organization_membership(state, organization, user)
    for team in list(organization.teams.values()):
        if user.id in team.members:
            remove_from_team(state, team, user, sender)
    del organization.members[user.id]
    _announce_member(state, organization, "member_removed", user, sender, described)


def _announce_member(
    state: State,
    organization: Organization,
    action: str,
    user: User,
    sender: User | None,
    described: dict[str, Any] | None = None,
) -> None:
    payload = {"membership": described or accounts.organization_membership(state, organization, user)}
    by = sender or keeper(state, organization)
    state.publish(Event("organization", action, by, lambda: payload, organization=organization))


# Teams ----------------------------------------------------------------------------------------------------------------


def create_team(
    state: State,
    organization: Organization,
    name: str,
    *,
    members: list[User] | None = None,
    parent: Team | None = None,
    description: str | None = None,
    sender: User | None = None,
) -> Team:
    """A team; its members become members of the organisation."""
    slug = re.sub(r"[^a-z0-9_]+", "-", name.lower()).strip("-")
    if slug in organization.teams:
        raise invalid("Team", "name", "already_exists", "Name must be unique for this org")
    number, node_id = state.new_id("T")
    team = Team(number, node_id, slug, name, organization, state.now(), description, parent=parent)
    organization.teams[slug] = team
    state.register(node_id, team)
    _announce_team(state, team, "created", sender)
    for user in members or []:
        add_to_team(state, team, user, "member", sender)
    return team


def delete_team(state: State, team: Team, sender: User | None = None) -> None:
    del team.organization.teams[team.slug]
    for child in team.organization.teams.values():
        if child.parent is team:
            child.parent = None
    state.forget(team.node_id)
    _announce_team(state, team, "deleted", sender)


def _announce_team(
    state: State,
    team: Team,
    action: str,
    sender: User | None,
    repository: Repository | None = None,
    **more: Any,
) -> None:
    payload = {"team": accounts.team(state, team), **more}
    by = sender or keeper(state, team.organization)
    state.publish(Event("team", action, by, lambda: payload, repository, team.organization))


def add_to_team(
    state: State, team: Team, user: User, role: Literal["maintainer", "member"] = "member", sender: User | None = None
) -> None:
    """Put someone on a team and, if need be, into the organisation."""
    if user.id not in team.organization.members:
        set_membership(state, team.organization, user, "member", sender)
    new = user.id not in team.members
    team.members[user.id] = role
    if new:
        _announce_membership(state, team, user, "added", sender)


def remove_from_team(state: State, team: Team, user: User, sender: User | None = None) -> None:
    if team.members.pop(user.id, None) is not None:
        _announce_membership(state, team, user, "removed", sender)


def _announce_membership(state: State, team: Team, user: User, action: str, sender: User | None) -> None:
    payload = {
        "scope": "team",
        "member": accounts.simple_user(state, user),
        "team": accounts.team(state, team),
    }
    by = sender or keeper(state, team.organization)
    state.publish(Event("membership", action, by, lambda: payload, organization=team.organization))


def share_with_team(
    state: State, team: Team, repository: Repository, granted: Permission, sender: User | None = None
) -> None:
    """Give a team a permission in a repository of its organisation."""
    before = team.repositories.get(repository.id)
    team.repositories[repository.id] = granted
    if before is None:
        _announce_team(state, team, "added_to_repository", sender, repository)
    elif before != granted:
        flags = accounts.permission_flags(before)
        changes = {"repository": {"permissions": {"from": {name: flags[name] for name in ("admin", "pull", "push")}}}}
        _announce_team(state, team, "edited", sender, repository, changes=changes)


def unshare_with_team(state: State, team: Team, repository: Repository, sender: User | None = None) -> None:
    if team.repositories.pop(repository.id, None) is not None:
        _announce_team(state, team, "removed_from_repository", sender, repository)


# Collaborators --------------------------------------------------------------------------------------------------------


def add_collaborator(
    state: State, repository: Repository, user: User, granted: Permission, sender: User | None = None
) -> None:
    """Give someone a permission in a repository; nobody has to accept an invitation here."""
    new = user.id not in repository.collaborators
    repository.collaborators[user.id] = granted
    _announce_collaborator(state, repository, user, "added" if new else "edited", sender)


def remove_collaborator(state: State, repository: Repository, user: User, sender: User | None = None) -> None:
    if repository.collaborators.pop(user.id, None) is not None:
        _announce_collaborator(state, repository, user, "removed", sender)


def _announce_collaborator(state: State, repository: Repository, user: User, action: str, sender: User | None) -> None:
    payload = {"member": accounts.simple_user(state, user), "changes": {}}
    by = sender or keeper(state, repository.owner)
    state.publish(Event("member", action, by, lambda: payload, repository))
