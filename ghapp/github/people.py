"""Who people are: their permission on a repository, their teams, their organisation. Kept for a short while.

A decision that merges asks with ``fresh=True``. A membership event makes everything kept about that installation void.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Literal
from urllib.parse import quote

from ghapp.github import errors
from ghapp.github.client import Client, RepositoryClient
from ghapp.github.shared import Store

Permission = Literal["none", "read", "triage", "write", "maintain", "admin"]
_ORDER: dict[str, int] = {"none": 0, "read": 1, "triage": 2, "write": 3, "maintain": 4, "admin": 5}

SECONDS = 300


class People:
    """Answers for one installation. ``store`` is shared by all processes."""

    def __init__(self, store: Store, client: Client) -> None:
        self._store, self._client = store, client
        self._generation = store.get(_generation(client.installation)) or "0"

    def permission(self, repository: RepositoryClient, login: str, *, fresh: bool = False) -> Permission:
        """What ``login`` may do in a repository, through any team; ``none`` for a stranger or a deleted account."""

        def ask() -> str:
            try:
                data = repository.get(f"collaborators/{quote(login)}/permission")
            except errors.NotFound:
                return "none"
            # role_name tells triage and maintain apart; a custom role falls back to the base that it extends.
            role = str(data.get("role_name") or "")
            return role if role in _ORDER else str(data.get("permission") or "none")

        found = self._remember(f"permission:{repository.id}:{login.lower()}", ask, fresh)
        return found if found in _ORDER else "none"  # type: ignore[return-value]

    def at_least(self, repository: RepositoryClient, login: str, level: Permission, *, fresh: bool = False) -> bool:
        return _ORDER[self.permission(repository, login, fresh=fresh)] >= _ORDER[level]

    def team(self, organisation: str, slug: str, *, fresh: bool = False) -> frozenset[str]:
        """The logins (lower case) of a team's members and of its child teams'; empty when there is no such team."""

        def ask() -> str:
            try:
                members = self._client.paginate(f"/orgs/{quote(organisation)}/teams/{quote(slug)}/members")
            except errors.NotFound:
                return "[]"
            return json.dumps(sorted(member["login"].lower() for member in members))

        return frozenset(json.loads(self._remember(f"team:{organisation.lower()}/{slug.lower()}", ask, fresh)))

    def organisation_member(self, organisation: str, login: str, *, fresh: bool = False) -> bool:
        def ask() -> str:
            try:
                self._client.get(f"/orgs/{quote(organisation)}/members/{quote(login)}")
            except errors.NotFound:
                return "no"
            return "yes"

        return self._remember(f"member:{organisation.lower()}/{login.lower()}", ask, fresh) == "yes"

    def _remember(self, what: str, ask: Callable[[], str], fresh: bool) -> str:
        key = f"ghapp:people:{self._client.installation}:{self._generation}:{what}"
        kept = None if fresh else self._store.get(key)
        if kept is None:
            kept = ask()
            self._store.set(key, kept, seconds=SECONDS)
        return kept


def forget(store: Store, installation: int, generation: str) -> None:
    """Make everything kept about an installation's people void. ``generation`` is any value not used before."""
    store.set(_generation(installation), generation, seconds=2 * SECONDS)


def _generation(installation: int) -> str:
    return f"ghapp:people:{installation}:generation"
