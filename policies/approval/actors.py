"""Who a rule means: users, teams, organisations and permissions, taken together.

Membership comes from the facts alone. An organisation or team that could not be read is an error, but only for a
policy that had to ask about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from policies.approval.case import CannotJudge, Case
from policies.approval.facts import Facts, Login, by_name
from policies.approval.shapes import Flag, ListOf, Parsed, Shape, Text

PERMISSIONS = ("none", "read", "triage", "write", "maintain", "admin")
LEVEL = {name: level for level, name in enumerate(PERMISSIONS)}


def _permission(text: str) -> str:
    if text.lower() not in LEVEL:
        raise ValueError(f"`{text}` is not a permission; write one of {', '.join(PERMISSIONS[1:])}")
    return text.lower()


FIELDS: dict[str, Shape] = {
    "users": ListOf(Text(), "Logins; an app's ends in [bot]."),
    "teams": ListOf(Text(), "Teams as organisation/slug."),
    "organizations": ListOf(Text(), "Organisations whose members are meant."),
    "permissions": ListOf(
        Parsed(_permission, "none", {"type": "string", "enum": list(PERMISSIONS)}),
        "Collaborators with at least one of these permissions.",
    ),
    "admins": Flag("Deprecated: write permissions: [admin]."),
    "write_collaborators": Flag("Deprecated: write permissions: [write]."),
}


@dataclass(frozen=True)
class Actors:
    """The union of all that is listed. ``permissions`` are in falling order."""

    users: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    organizations: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()

    @classmethod
    def of(cls, values: Mapping[str, Any] | None) -> Actors:
        values = values or {}
        granted = set(values.get("permissions") or ())
        granted |= {"admin"} if values.get("admins") else set()
        granted |= {"write"} if values.get("write_collaborators") else set()
        return cls(
            tuple(values.get("users") or ()),
            tuple(values.get("teams") or ()),
            tuple(values.get("organizations") or ()),
            tuple(sorted(granted, key=LEVEL.__getitem__, reverse=True)),
        )

    @property
    def empty(self) -> bool:
        return not (self.users or self.teams or self.organizations or self.permissions)

    def include(self, case: Case, login: Login) -> bool:
        """Whether ``login`` is one of them. A deleted account never is. Raises :class:`CannotJudge`."""
        if login is not None and login in self.users:
            return True
        if any(login in team_members(case.facts, team) for team in self.teams):
            return True
        if any(login in organization_members(case.facts, name) for name in self.organizations):
            return True
        if login is None or not self.permissions:
            return False
        case.require("permissions")
        level = LEVEL[case.facts.permissions.get(login, "none")]
        return level > 0 and level >= LEVEL[self.permissions[-1]]

    def listed(self) -> tuple[str, ...]:
        """Each of them in words, for sentences."""
        return (
            *(f"@{user}" for user in self.users),
            *(f"@{team}" for team in self.teams),
            *(f"the organisation {name}" for name in self.organizations),
            *(f"anyone with {name} permission" for name in self.permissions),
        )

    def members(self, facts: Facts) -> frozenset[str] | None:
        """Everybody meant, for counting; ``None`` where the facts do not tell."""
        people = set(self.users)
        if "people" in facts.incomplete and (self.organizations or self.permissions):
            return None
        try:
            for team in self.teams:
                people |= team_members(facts, team)
            for name in self.organizations:
                people |= organization_members(facts, name)
        except CannotJudge:
            return None
        if self.permissions:
            lowest = max(LEVEL[self.permissions[-1]], 1)
            people |= {login for login, name in facts.permissions.items() if LEVEL[name] >= lowest}
        return frozenset(people)


NOBODY = Actors()


def team_members(facts: Facts, team: str) -> frozenset[str]:
    organization, slash, slug = team.partition("/")
    if not slash or "/" in slug:
        raise CannotJudge(f"`{team}` is not a team; write organisation/team")
    members = by_name(facts.team_members, team)
    if members is not None:
        return members
    if sentence := facts.incomplete.get(f"teams/{team}"):
        raise CannotJudge(sentence)
    _ask(facts, organization, f"the team {team}")
    return frozenset()


def organization_members(facts: Facts, name: str) -> frozenset[str]:
    members = by_name(facts.org_members, name)
    if members is not None:
        return members
    if sentence := facts.incomplete.get(f"organizations/{name}"):
        raise CannotJudge(sentence)
    _ask(facts, name, f"the members of {name}")
    return frozenset()


def _ask(facts: Facts, organization: str, what: str) -> None:
    known = organization.lower()
    if known == facts.owner.lower() or by_name(facts.org_members, organization) is not None:
        return
    if any(team.partition("/")[0].lower() == known for team in facts.team_members):
        return
    raise CannotJudge(f"{what} cannot be read; install the app on the organisation {organization}")
