"""Everything the forge knows, in memory, and how to find it. Deciding who may do what to it is left to its callers.

Whoever changes anything holds ``state.lock``; whoever only reads need not, as every collection is copied before it is
walked.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ghapp.sandbox.forge.model.accounts import (
    PERMISSIONS,
    Account,
    Organization,
    Permission,
    Team,
    User,
    UserToken,
)
from ghapp.sandbox.forge.model.apps import App, Delivery, Installation, InstallationToken
from ghapp.sandbox.forge.model.events import Event
from ghapp.sandbox.forge.model.ids import node_id, parse_node_id
from ghapp.sandbox.forge.model.repositories import Repository


@dataclass(frozen=True, slots=True)
class GitObject:
    """What a node id of a commit (``kind="C"``) or ref (``kind="REF"``) points at; ``name`` is a sha or ``refs/…``."""

    kind: str
    repository: Repository
    name: str


class State:
    """All records of one forge. ``web_url`` (``http://host:port``) is set once it listens."""

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.lock = threading.RLock()
        self.now = clock
        self.web_url = ""
        self.accounts: dict[str, Account] = {}
        self._accounts_by_id: dict[int, Account] = {}
        self.repositories: dict[int, Repository] = {}
        self.apps: dict[int, App] = {}
        self.installations: dict[int, Installation] = {}
        self.user_tokens: dict[str, UserToken] = {}
        self.installation_tokens: dict[str, InstallationToken] = {}
        self.deliveries: deque[Delivery] = deque(maxlen=5_000)
        self._nodes: dict[str, Any] = {}
        self._names: dict[tuple[str, str], int] = {}
        self._ids: Iterator[int] = itertools.count(1001)
        self.listeners: list[Callable[[Event], None]] = []
        # Who GitHub names as the committer of what it commits itself.
        self.web_flow = User(19864447, node_id("U", 19864447), "web-flow", clock(), email="noreply@github.com")
        self.add_account(self.web_flow)

    @property
    def api_url(self) -> str:
        return f"{self.web_url}/api/v3"

    def publish(self, event: Event) -> None:
        """Tell everybody who listens that something happened; what there is to say is worked out once at most."""
        told = dataclasses.replace(event, payload=functools.cache(event.payload))
        for listener in self.listeners:
            listener(told)

    # Identity ---------------------------------------------------------------------------------------------------------

    def new_id(self, prefix: str) -> tuple[int, str]:
        """A fresh database id and the node id that goes with it."""
        number = next(self._ids)
        return number, node_id(prefix, number)

    def register(self, node_id: str, record: Any) -> None:
        """Make a record findable by its node id."""
        self._nodes[node_id] = record

    def forget(self, node_id: str) -> None:
        self._nodes.pop(node_id, None)

    def find(self, prefix: str, number: int) -> Any | None:
        """The record with this kind of node id (``IC``, ``CR`` …) and database id, or None."""
        return self._nodes.get(node_id(prefix, number))

    def node(self, node_id: str) -> Any | None:
        """The record with this node id, a :class:`GitObject` for commits and refs, or None."""
        if (found := self._nodes.get(node_id)) is not None:
            return found
        try:
            kind, number, extra = parse_node_id(node_id)
        except ValueError:
            return None
        repository = self.repositories.get(number)
        if repository is None or not extra:
            return None
        return GitObject(kind, repository, extra)

    # Accounts ---------------------------------------------------------------------------------------------------------

    def add_account(self, account: Account) -> None:
        self.accounts[account.login.lower()] = account
        self._accounts_by_id[account.id] = account
        self.register(account.node_id, account)

    def account(self, login: str) -> Account | None:
        return self.accounts.get(login.lower())

    def user(self, login: str) -> User | None:
        found = self.account(login)
        return found if isinstance(found, User) else None

    def organization(self, login: str) -> Organization | None:
        found = self.account(login)
        return found if isinstance(found, Organization) else None

    def account_by_id(self, account_id: int) -> Account | None:
        return self._accounts_by_id.get(account_id)

    def user_by_id(self, user_id: int) -> User | None:
        found = self.account_by_id(user_id)
        return found if isinstance(found, User) else None

    def user_by_email(self, email: str) -> User | None:
        """Who a commit's author or committer is: by registered or no-reply address, with or without the id in it."""
        wanted = email.lower()
        login, at, host = wanted.partition("@")
        if at and host == "users.noreply.github.com" and "+" not in login:
            return self.user(login)
        for account in list(self.accounts.values()):
            if isinstance(account, User) and wanted in ((account.email or "").lower(), account.noreply_email.lower()):
                return account
        return None

    def team(self, organization: str, slug: str) -> Team | None:
        org = self.organization(organization)
        return org.teams.get(slug.lower()) if org else None

    def team_members(self, team: Team) -> list[User]:
        """Members of a team and of the teams below it, by login."""
        teams = [t for t in list(team.organization.teams.values()) if t is team or team in t.ancestors]
        found = {uid for t in teams for uid in list(t.members)}
        return sorted((u for uid in found if (u := self.user_by_id(uid))), key=lambda u: u.login.lower())

    def teams_of(self, user: User, organization: Organization) -> list[Team]:
        """The teams a user is in, directly or through a team below."""
        direct = [t for t in list(organization.teams.values()) if user.id in t.members]
        return list(dict.fromkeys(t for team in direct for t in (team, *team.ancestors)))

    # Repositories -----------------------------------------------------------------------------------------------------

    def name_repository(self, repository: Repository) -> None:
        """Index a repository under its present name; older names keep leading to it until they are taken."""
        self.repositories[repository.id] = repository
        self._names[(repository.owner.login.lower(), repository.name.lower())] = repository.id

    def forget_repository(self, repository: Repository) -> None:
        self.repositories.pop(repository.id, None)
        self.forget(repository.node_id)
        self._names = {name: rid for name, rid in self._names.items() if rid != repository.id}

    def repository(self, owner: str, name: str) -> Repository | None:
        """By present or former name; compare with ``full_name`` to tell a redirect."""
        rid = self._names.get((owner.lower(), name.lower().removesuffix(".git")))
        return self.repositories.get(rid) if rid is not None else None

    def repositories_of(self, account: Account) -> list[Repository]:
        return [r for r in list(self.repositories.values()) if r.owner is account]

    def forks_of(self, repository: Repository) -> list[Repository]:
        return [r for r in list(self.repositories.values()) if r.parent is repository]

    def permission(self, repository: Repository, user: User | None) -> Permission:
        """What a user may do: the most of ownership, organisation default, teams, collaboration and publicity."""
        granted: list[Permission] = ["none" if repository.private else "read"]
        if user is not None:
            owner = repository.owner
            if owner is user:
                granted.append("admin")
            if isinstance(owner, Organization) and (role := owner.members.get(user.id)):
                granted.append("admin" if role == "admin" else owner.default_repository_permission)
                granted += [t.repositories.get(repository.id, "none") for t in self.teams_of(user, owner)]
            granted.append(repository.collaborators.get(user.id, "none"))
        return max(granted, key=PERMISSIONS.index)

    def teams_with_access(self, repository: Repository) -> list[tuple[Team, Permission]]:
        """The teams that a repository is shared with, directly or through a parent, and what each may do."""
        if not isinstance(repository.owner, Organization):
            return []
        found: list[tuple[Team, Permission]] = []
        for team in list(repository.owner.teams.values()):
            grants = [t.repositories[repository.id] for t in (team, *team.ancestors) if repository.id in t.repositories]
            if grants:
                found.append((team, max(grants, key=PERMISSIONS.index)))
        return found

    def collaborators(self, repository: Repository) -> list[tuple[User, Permission]]:
        """Everybody with more than the public has, by login."""
        candidates = set(repository.collaborators) | {repository.owner.id}
        if isinstance(repository.owner, Organization):
            candidates |= set(repository.owner.members)
        users = [u for uid in candidates if (u := self.user_by_id(uid)) and u.type == "User"]
        baseline = self.permission(repository, None)
        rated = [(u, self.permission(repository, u)) for u in sorted(users, key=lambda u: u.login.lower())]
        return [(u, p) for u, p in rated if p not in ("none", baseline) or u.id in repository.collaborators]

    # Apps -------------------------------------------------------------------------------------------------------------

    def app(self, slug: str) -> App | None:
        return next((a for a in list(self.apps.values()) if a.slug == slug), None)

    def app_of_bot(self, user: User) -> App | None:
        return next((a for a in list(self.apps.values()) if a.bot is user), None)

    def installation_on(self, app: App, account: Account) -> Installation | None:
        return next((i for i in list(self.installations.values()) if i.app is app and i.account is account), None)

    def installed_on(self, repository: Repository) -> list[Installation]:
        """The installations that can see a repository, suspended ones included."""
        return [i for i in list(self.installations.values()) if self.sees(i, repository)]

    def sees(self, installation: Installation, repository: Repository) -> bool:
        if installation.account is not repository.owner:
            return False
        return installation.repository_selection == "all" or repository.id in installation.repository_ids

    def installation_repositories(self, installation: Installation) -> list[Repository]:
        return [r for r in list(self.repositories.values()) if self.sees(installation, r)]

    def deliveries_newest_first(self) -> list[Delivery]:
        return list(self.deliveries)[::-1]
