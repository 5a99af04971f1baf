"""What every resolver is given besides its record: the forge, who asks, what they may see, and where pages are.

One is made for each request. It decides who sees what and nothing else.
"""

from __future__ import annotations

from typing import Any

from ghapp.sandbox.forge.graphql import gitnodes
from ghapp.sandbox.forge.graphql.errors import Refused, inaccessible, no_node, not_found
from ghapp.sandbox.forge.model import (
    PERMISSIONS,
    DeploymentStatus,
    GitObject,
    Issue,
    Label,
    Organization,
    Permission,
    PullRequest,
    Release,
    Repository,
    State,
    Status,
    Team,
    User,
)
from ghapp.sandbox.forge.web.actor import Actor
from ghapp.sandbox.forge.web.admission import holds, in_scope, may_read


class Context:
    """``rate`` is what the ``rateLimit`` field answers."""

    def __init__(self, state: State, viewer: Actor, rate: dict[str, Any]) -> None:
        self.state, self.viewer, self.rate = state, viewer, rate

    @property
    def me(self) -> User:
        """The person or bot that asks."""
        return self.viewer.person

    # What the viewer may see and do -----------------------------------------------------------------------------------

    def sees(self, repository: Repository) -> bool:
        """Whether the repository exists for the viewer: it is public, theirs, or within the token's reach."""
        return may_read(self.state, self.viewer, repository)

    def may(self, repository: Repository, permission: str, level: str = "read") -> bool:
        """Whether an app's permission (``pull_requests``) reaches ``level``; people go by their role."""
        token = self.viewer.token
        if token is None:
            return self.has_role(repository, "write" if level == "write" else "read")
        if not in_scope(self.state, token, repository):
            return level == "read" and not repository.private
        return holds(token, permission, level)

    def has_role(self, repository: Repository, role: Permission) -> bool:
        held = self.state.permission(repository, self.viewer.user)
        return PERMISSIONS.index(held) >= PERMISSIONS.index(role)

    def need(self, repository: Repository, *permissions: str, level: str = "read") -> None:
        """Refuse unless one of the permissions is held."""
        if not any(self.may(repository, permission, level) for permission in permissions):
            raise inaccessible()

    def need_members(self, organization: Organization) -> None:
        """Refuse who may not list an organisation's people: apps without ``members``, outsiders."""
        token = self.viewer.token
        if token is None:
            if self.me.id not in organization.members:
                raise Refused("FORBIDDEN", f"You do not have permission to view the members of {organization.login}.")
        elif token.installation.account is not organization or not holds(token, "members", "read"):
            raise inaccessible()

    def visible_repositories(self) -> list[Repository]:
        return [r for r in list(self.state.repositories.values()) if self.sees(r)]

    # Finding ----------------------------------------------------------------------------------------------------------

    def find_repository(self, owner: str, name: str, follow_renames: bool = True) -> Repository:
        found = self.state.repository(owner, name)
        renamed = found is not None and found.full_name.lower() != f"{owner}/{name}".lower()
        if found is None or not self.sees(found) or (renamed and not follow_renames):
            raise not_found("Repository", f"with the name '{owner}/{name}'")
        return found

    def find(self, node_id: str) -> Any:
        """The record of a node id, unless it is in a repository that the viewer does not see."""
        record = self.state.node(node_id)
        repository = record if isinstance(record, Repository) else repository_of(record, self.state)
        if record is None or (repository is not None and not self.sees(repository)):
            raise no_node(node_id)
        return _in_git(record, node_id) if isinstance(record, GitObject) else record

    def find_as(self, node_id: str, kind: type, name: str) -> Any:
        """The record of a node id, which must be a ``kind``."""
        record = self.find(node_id)
        if not isinstance(record, kind):
            raise not_found(f"{name} node", f"with the global id of '{node_id}'")
        return record

    def repository_of(self, record: Any) -> Repository:
        """The repository that a record is in; records that do not say it are looked for."""
        found = repository_of(record, self.state)
        if found is None:
            raise LookupError(f"{record!r} is in no repository")
        return found

    def key(self, record: Any) -> str:
        """What a record is told apart by in a cursor."""
        for attribute in ("pull_node_id", "node_id", "path", "filename", "oid", "name"):
            if isinstance(value := getattr(record, attribute, None), str):
                return value
        return str(record)

    # Addresses --------------------------------------------------------------------------------------------------------

    def url(self, path: str) -> str:
        return self.state.web_url + path

    def account_path(self, account: User | Organization) -> str:
        if isinstance(account, User) and account.type == "Bot":
            return f"/apps/{account.login.removesuffix('[bot]')}"
        return f"/{account.login}"

    def avatar_url(self, account: User | Organization | Team) -> str:
        return self.url(f"/avatars/{'t' if isinstance(account, Team) else 'u'}/{account.id}")

    def path(self, record: Any) -> str:
        """Where a record's page is, as a path."""
        if isinstance(record, Repository):
            return f"/{record.full_name}"
        if isinstance(record, PullRequest):
            return f"/{record.repository.full_name}/pull/{record.number}"
        if isinstance(record, Issue):
            return f"/{record.repository.full_name}/issues/{record.number}"
        raise TypeError(f"{type(record).__name__} has no page of its own")


def _in_git(found: GitObject, node_id: str) -> Any:
    """The commit, ref, tree, blob or tag that a node id means, if git still has it."""
    record = (gitnodes.ref if found.kind == "REF" else gitnodes.git_object)(found.repository, found.name)
    if record is None:
        raise no_node(node_id)
    return record


def repository_of(record: Any, state: State) -> Repository | None:
    """The repository that a record belongs to, or None for accounts, teams and apps."""
    for attribute in ("repository", "pull", "issue", "commit"):
        holder = getattr(record, attribute, None)
        if isinstance(holder, Repository):
            return holder
        if holder is not None and not isinstance(holder, str):
            return repository_of(holder, state)
    if isinstance(record, Label | Status | Release | DeploymentStatus):
        return next((r for r in list(state.repositories.values()) if _holds(r, record)), None)
    return None


def _holds(repository: Repository, record: Label | Status | Release | DeploymentStatus) -> bool:
    """Whether one of the records that do not know their repository is in this one."""
    if isinstance(record, Label):
        return record in repository.labels
    if isinstance(record, Status):
        return record in repository.statuses.get(record.sha, ())
    if isinstance(record, Release):
        return record in repository.releases
    return any(record in deployment.statuses for deployment in list(repository.deployments))
