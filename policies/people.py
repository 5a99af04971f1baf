"""Who is meant: people by login, by team, or by their permission in the repository. Fails closed on what is unknown."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Literal

from pydantic import Field

from policies.strict import Block

Permission = Literal["read", "triage", "write", "maintain", "admin"]
_RANK = {"read": 1, "triage": 2, "write": 3, "maintain": 4, "admin": 5}


def at_least(permission: str | None, least: str) -> bool:
    """Whether a permission in a repository (``None``: none) is ``least`` or more."""
    return _RANK.get(permission or "", 0) >= _RANK[least]


def is_bot(login: str) -> bool:
    """Whether a login is an App's; GitHub lets no person have brackets in a name."""
    return login.endswith("[bot]")


class Actors(Block):
    """People: the union of users, teams and everyone with at least one of the permissions."""

    users: tuple[str, ...] = Field((), description="logins, `name` or `name[bot]`")
    teams: tuple[str, ...] = Field((), description="teams, `organisation/team`")
    permissions: tuple[Permission, ...] = Field((), description="everyone with at least this permission here")

    def include(self, login: str | None, *, teams: Mapping[str, Set[str]], permissions: Mapping[str, str]) -> bool:
        """Whether ``login`` is meant. A deleted account, or a team that could not be read, is not."""
        if not login:
            return False
        folded = login.lower()
        if any(user.lower() == folded for user in self.users):
            return True
        known = {team.lower(): members for team, members in teams.items()}
        if any(folded in {m.lower() for m in known.get(team.lower(), ())} for team in self.teams):
            return True
        theirs = next((p for who, p in permissions.items() if who.lower() == folded), None)
        return any(at_least(theirs, least) for least in self.permissions)

    @property
    def anyone(self) -> bool:
        return bool(self.users or self.teams or self.permissions)

    def __str__(self) -> str:
        """As a sentence names them: ``alice, acme/sre or anyone with write permission``."""
        named = [*self.users, *self.teams, *(f"anyone with {p} permission" for p in self.permissions)]
        return " or ".join([", ".join(named[:-1]), named[-1]]) if len(named) > 1 else "".join(named) or "nobody"
