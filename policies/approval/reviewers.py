"""Whom to ask for a review while rules wait: `options.request_review`, as a pure choice.

Asks nobody twice: not who is asked already, was taken off, or has reviewed this head. The choice among many is the same
at every evaluation of one pull request, and different from one pull request to the next.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from policies.approval.actors import LEVEL, organization_members, team_members
from policies.approval.case import CannotJudge
from policies.approval.facts import Facts
from policies.approval.result import Outcome, Result
from policies.approval.rules import MODES, Rule


@dataclass(frozen=True, slots=True)
class Selection:
    """Whom to request now: logins, and teams as ``organisation/slug``. ``problems`` are rules that cannot be served."""

    users: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def select(result: Result, facts: Facts) -> Selection:
    """The reviewers that the waiting rules of ``result`` ask for, less those who need not be asked.

    Nobody for a draft, and nobody unless the whole policy is pending.
    """
    if facts.draft or result.outcome is not Outcome.PENDING:
        return Selection()
    users: set[str] = set()
    teams: set[str] = set()
    problems: list[str] = []
    for rule in waiting(result):
        mode = rule.options.request_review.mode
        if mode == "teams":
            teams |= _teams(rule, facts)
        elif mode in MODES:
            eligible = _eligible(rule, facts)
            users.update(eligible if mode == "all-users" else _some(eligible, rule.options.request_review.count, facts))
        else:
            problems.append(f"{rule.name}: request_review.mode is `{mode}`; write one of {', '.join(MODES)}")
    done = facts.requested | facts.removed | _reviewed(facts)
    return Selection(tuple(sorted(users - done)), tuple(sorted(teams - done)), tuple(problems))


def waiting(result: Result) -> Iterator[Rule]:
    """The pending rules that want reviewers, reached through pending nodes alone."""
    if result.outcome is not Outcome.PENDING:
        return
    if isinstance(result.rule, Rule) and result.rule.options.request_review.enabled:
        yield result.rule
    for child in result.children:
        yield from waiting(child)


def _eligible(rule: Rule, facts: Facts) -> list[str]:
    """Collaborators who may approve, the author left out, sorted."""
    people = set(rule.actors.users)
    for name, members in [(t, team_members) for t in rule.actors.teams] + [
        (o, organization_members) for o in rule.actors.organizations
    ]:
        try:
            people |= members(facts, name)
        except CannotJudge:
            continue  # whom one cannot read, one cannot ask; the others still can be
    granted = _granted_here(facts)
    people |= {login for login, levels in granted.items() if levels & set(rule.actors.permissions)}
    return sorted(p for p in people if p != facts.author and LEVEL[facts.permissions.get(p, "none")] > 0)


def _granted_here(facts: Facts) -> dict[str, set[str]]:
    """The permissions that people have through this repository, directly or by a team: not by owning everything."""
    if not facts.direct and not facts.teams:
        return {login: {level} for login, level in facts.permissions.items()}
    granted = {login: {level} for login, level in facts.direct.items()}
    for team, level in facts.teams.items():
        for login in facts.team_members.get(team, ()):
            granted.setdefault(login, set()).add(level)
    return granted


def _some(eligible: list[str], count: int, facts: Facts) -> list[str]:
    def lot(login: str) -> bytes:
        return hashlib.sha256(f"{facts.repository}#{facts.number}:{login}".encode()).digest()

    return sorted(eligible, key=lot)[: max(count, 0)]


def _teams(rule: Rule, facts: Facts) -> set[str]:
    return {
        team
        for team, level in facts.teams.items()
        if team.partition("/")[0] == facts.owner and (team in rule.actors.teams or level in rule.actors.permissions)
    }


def _reviewed(facts: Facts) -> frozenset[str]:
    """Who has reviewed this head, and on behalf of which teams."""
    people: set[str] = set()
    for review in facts.reviews:
        if review.commit_oid == facts.head_sha:
            people |= {review.author} if review.author else set()
            people |= {team if "/" in team else f"{facts.owner}/{team}" for team in review.on_behalf_of}
    return frozenset(people)
