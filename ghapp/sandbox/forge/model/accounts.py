"""Who exists on the forge: users, bots, organisations and teams. Plain records; rules about them live elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Permission = Literal["none", "read", "triage", "write", "maintain", "admin"]

# From least to most; `PERMISSIONS.index(a) >= PERMISSIONS.index(b)` answers "may a do what b may".
PERMISSIONS: tuple[Permission, ...] = ("none", "read", "triage", "write", "maintain", "admin")

# What teams and collaborators are granted under the older names of the REST API.
LEGACY_PERMISSIONS: dict[str, Permission] = {"pull": "read", "push": "write"}


@dataclass(slots=True, eq=False)
class User:
    """A person (``type="User"``) or an app's bot (``type="Bot"``, login ``slug[bot]``)."""

    id: int
    node_id: str
    login: str
    created_at: datetime
    type: Literal["User", "Bot"] = "User"
    name: str | None = None
    email: str | None = None
    site_admin: bool = False

    @property
    def noreply_email(self) -> str:
        """The address that GitHub puts on commits made through its API or pages."""
        return f"{self.id}+{self.login}@users.noreply.github.com"


@dataclass(slots=True, eq=False)
class Organization:
    """An organisation. ``members`` maps a user's id to its role."""

    id: int
    node_id: str
    login: str
    created_at: datetime
    name: str | None = None
    description: str | None = None
    default_repository_permission: Permission = "read"
    members: dict[int, Literal["admin", "member"]] = field(default_factory=dict)
    teams: dict[str, Team] = field(default_factory=dict)

    type: Literal["Organization"] = "Organization"


@dataclass(slots=True, eq=False)
class Team:
    """A team. ``members`` maps a user's id to its role, ``repositories`` a repository's id to what is granted."""

    id: int
    node_id: str
    slug: str
    name: str
    organization: Organization
    created_at: datetime
    description: str | None = None
    privacy: Literal["closed", "secret"] = "closed"
    parent: Team | None = None
    members: dict[int, Literal["maintainer", "member"]] = field(default_factory=dict)
    repositories: dict[int, Permission] = field(default_factory=dict)

    @property
    def ancestors(self) -> list[Team]:
        """Its parent, its parent's parent and so on: a team has at least the access of those."""
        found: list[Team] = []
        team = self.parent
        while team is not None and team not in found:
            found.append(team)
            team = team.parent
        return found


Account = User | Organization


@dataclass(slots=True, eq=False)
class UserToken:
    """A personal access token."""

    token: str
    user: User
    scopes: tuple[str, ...] = ("repo", "admin:org", "workflow", "notifications", "user", "delete_repo")
