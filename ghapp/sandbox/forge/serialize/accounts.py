"""Users, organisations, teams and memberships in GitHub's shapes."""

from __future__ import annotations

from typing import Any

from ghapp.sandbox.forge.model import PERMISSIONS, Account, Organization, Permission, State, Team, User
from ghapp.sandbox.forge.serialize import moment


def simple_user(state: State, account: Account) -> dict[str, Any]:
    """``simple-user``; an organisation that owns something appears as one too."""
    url = f"{state.api_url}/users/{account.login}"
    return {
        "login": account.login,
        "id": account.id,
        "node_id": account.node_id,
        "avatar_url": f"{state.web_url}/avatars/u/{account.id}",
        "gravatar_id": "",
        "url": url,
        "html_url": f"{state.web_url}/{account.login}",
        "followers_url": f"{url}/followers",
        "following_url": f"{url}/following{{/other_user}}",
        "gists_url": f"{url}/gists{{/gist_id}}",
        "starred_url": f"{url}/starred{{/owner}}{{/repo}}",
        "subscriptions_url": f"{url}/subscriptions",
        "organizations_url": f"{url}/orgs",
        "repos_url": f"{url}/repos",
        "events_url": f"{url}/events{{/privacy}}",
        "received_events_url": f"{url}/received_events",
        "type": account.type,
        "site_admin": isinstance(account, User) and account.site_admin,
    }


def optional_user(state: State, account: Account | None) -> dict[str, Any] | None:
    return simple_user(state, account) if account is not None else None


def full_user(state: State, account: Account) -> dict[str, Any]:
    """``public-user``."""
    repositories = [r for r in state.repositories_of(account) if not r.private]
    return {
        **simple_user(state, account),
        "name": account.name,
        "company": None,
        "blog": "",
        "location": None,
        "email": account.email if isinstance(account, User) else None,
        "hireable": None,
        "bio": None,
        "public_repos": len(repositories),
        "public_gists": 0,
        "followers": 0,
        "following": 0,
        "created_at": moment(account.created_at),
        "updated_at": moment(account.created_at),
    }


def private_user(state: State, user: User) -> dict[str, Any]:
    """``private-user``: what one sees of oneself."""
    owned = [r for r in state.repositories_of(user) if r.private]
    return {
        **full_user(state, user),
        "private_gists": 0,
        "total_private_repos": len(owned),
        "owned_private_repos": len(owned),
        "disk_usage": 0,
        "collaborators": 0,
        "two_factor_authentication": True,
    }


def simple_organization(state: State, organization: Organization) -> dict[str, Any]:
    """``organization-simple``."""
    url = f"{state.api_url}/orgs/{organization.login}"
    return {
        "login": organization.login,
        "id": organization.id,
        "node_id": organization.node_id,
        "url": url,
        "repos_url": f"{url}/repos",
        "events_url": f"{url}/events",
        "hooks_url": f"{url}/hooks",
        "issues_url": f"{url}/issues",
        "members_url": f"{url}/members{{/member}}",
        "public_members_url": f"{url}/public_members{{/member}}",
        "avatar_url": f"{state.web_url}/avatars/u/{organization.id}",
        "description": organization.description or "",
    }


def full_organization(state: State, organization: Organization) -> dict[str, Any]:
    """``organization-full`` and ``team-organization``."""
    return {
        **simple_organization(state, organization),
        "name": organization.name or organization.login,
        "is_verified": False,
        "has_organization_projects": True,
        "has_repository_projects": True,
        "public_repos": sum(not r.private for r in state.repositories_of(organization)),
        "public_gists": 0,
        "followers": 0,
        "following": 0,
        "html_url": f"{state.web_url}/{organization.login}",
        "type": "Organization",
        "default_repository_permission": organization.default_repository_permission,
        "created_at": moment(organization.created_at),
        "updated_at": moment(organization.created_at),
        "archived_at": None,
    }


def _simple_team(state: State, team: Team, permission: Permission | None) -> dict[str, Any]:
    url = f"{state.api_url}/organizations/{team.organization.id}/team/{team.id}"
    legacy = {"read": "pull", "write": "push"}.get(permission or "read", permission)
    return {
        "id": team.id,
        "node_id": team.node_id,
        "name": team.name,
        "slug": team.slug,
        "description": team.description,
        "privacy": team.privacy,
        "notification_setting": "notifications_enabled",
        "permission": legacy,
        "url": url,
        "html_url": f"{state.web_url}/orgs/{team.organization.login}/teams/{team.slug}",
        "members_url": f"{url}/members{{/member}}",
        "repositories_url": f"{url}/repos",
        "type": "organization",
        "organization_id": team.organization.id,
    }


def team(state: State, record: Team, permission: Permission | None = None) -> dict[str, Any]:
    """``team``; ``permission`` is what it has where it is listed for a repository."""
    parent = _simple_team(state, record.parent, None) if record.parent else None
    return {**_simple_team(state, record, permission), "parent": parent}


def full_team(state: State, record: Team) -> dict[str, Any]:
    """``team-full``."""
    return {
        **team(state, record),
        "members_count": len(state.team_members(record)),
        "repos_count": len(record.repositories),
        "created_at": moment(record.created_at),
        "updated_at": moment(record.created_at),
        "organization": full_organization(state, record.organization),
    }


def team_membership(state: State, team: Team, user: User, role: str) -> dict[str, Any]:
    url = f"{state.api_url}/organizations/{team.organization.id}/team/{team.id}/memberships/{user.login}"
    return {"url": url, "role": role, "state": "active"}


def organization_membership(state: State, organization: Organization, user: User) -> dict[str, Any]:
    url = f"{state.api_url}/orgs/{organization.login}"
    return {
        "url": f"{url}/memberships/{user.login}",
        "state": "active",
        "role": organization.members[user.id],
        "organization_url": url,
        "organization": simple_organization(state, organization),
        "user": simple_user(state, user),
        "permissions": {"can_create_repository": organization.members[user.id] == "admin"},
    }


def permission_flags(permission: Permission) -> dict[str, bool]:
    """The five booleans under the older names."""
    rank = PERMISSIONS.index(permission)
    return {
        "admin": rank >= PERMISSIONS.index("admin"),
        "maintain": rank >= PERMISSIONS.index("maintain"),
        "push": rank >= PERMISSIONS.index("write"),
        "triage": rank >= PERMISSIONS.index("triage"),
        "pull": rank >= PERMISSIONS.index("read"),
    }


def collaborator(state: State, user: User, permission: Permission) -> dict[str, Any]:
    """``collaborator``."""
    return {**simple_user(state, user), "permissions": permission_flags(permission), "role_name": permission}


def collaborator_permission(state: State, user: User, permission: Permission) -> dict[str, Any]:
    """``repository-collaborator-permission``: maintain shows as write, triage as read, in the older field."""
    legacy = {"maintain": "write", "triage": "read"}.get(permission, permission)
    return {"permission": legacy, "role_name": permission, "user": collaborator(state, user, permission)}
