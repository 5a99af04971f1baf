"""Predicates on who opened a pull request and who wrote its commits.

Co-authors are contributors like any other. Where GitHub knows no account for somebody behind a commit, nothing is said
of "all contributors", for nobody can tell who they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from policies.approval.actors import FIELDS, Actors
from policies.approval.case import Case
from policies.approval.commits import all_commits
from policies.approval.result import Finding
from policies.approval.shapes import Flag, Record, Shape


def _listed(actors: Actors) -> str:
    return " or ".join(actors.listed()) or "nobody (no actors are listed)"


def _contributors(case: Case) -> list[str]:
    """Author, commit authors, committers and co-authors, sorted; a deleted author is left out."""
    people = {login for commit in all_commits(case) for login in commit.people}
    return sorted(people | ({case.facts.author} if case.facts.author else set()))


@dataclass(frozen=True)
class HasAuthorIn:
    """True when the author of the pull request is one of the actors."""

    key: ClassVar[str] = "has_author_in"
    shape: ClassVar[Shape] = Record(FIELDS, "The author of the pull request is one of these.")
    actors: Actors

    @classmethod
    def of(cls, value: Any) -> Self:
        return cls(Actors.of(value))

    def judge(self, case: Case) -> Finding:
        author = case.facts.author
        included = self.actors.include(case, author)
        who = f"the author @{author}" if author else "the author (a deleted account)"
        return Finding(self.key, included, f"{who} {'is' if included else 'is not'} one of {_listed(self.actors)}")


@dataclass(frozen=True)
class HasContributorIn:
    """True when any contributor is one of the actors."""

    key: ClassVar[str] = "has_contributor_in"
    shape: ClassVar[Shape] = Record(FIELDS, "Somebody who contributed is one of these.")
    actors: Actors

    @classmethod
    def of(cls, value: Any) -> Self:
        return cls(Actors.of(value))

    def judge(self, case: Case) -> Finding:
        for login in _contributors(case):
            if self.actors.include(case, login):
                return Finding(self.key, True, f"@{login} contributed and is one of {_listed(self.actors)}")
        return Finding(self.key, False, f"no contributor is one of {_listed(self.actors)}")


@dataclass(frozen=True)
class OnlyHasContributorsIn:
    """True when every contributor is one of the actors."""

    key: ClassVar[str] = "only_has_contributors_in"
    shape: ClassVar[Shape] = Record(FIELDS, "Everybody who contributed is one of these.")
    actors: Actors

    @classmethod
    def of(cls, value: Any) -> Self:
        return cls(Actors.of(value))

    def judge(self, case: Case) -> Finding:
        for login in _contributors(case):
            if not self.actors.include(case, login):
                return Finding(self.key, False, f"@{login} contributed and is not one of {_listed(self.actors)}")
        if case.facts.author is None:
            return Finding(self.key, False, "the author is a deleted account")
        for commit in all_commits(case):
            if commit.unattributed:
                return Finding(self.key, False, f"GitHub does not know everybody behind commit {commit.oid[:10]}")
        return Finding(self.key, True, f"every contributor is one of {_listed(self.actors)}")


@dataclass(frozen=True)
class AuthorIsOnlyContributor:
    """True when the author wrote every commit alone and committed it, or let GitHub commit it; ``false`` negates."""

    key: ClassVar[str] = "author_is_only_contributor"
    shape: ClassVar[Shape] = Flag("Whether all commits are by the author of the pull request.")
    wanted: bool

    @classmethod
    def of(cls, value: Any) -> Self:
        return cls(value)

    def judge(self, case: Case) -> Finding:
        author = case.facts.author
        for commit in all_commits(case):
            committed = commit.via_web or commit.committer == author
            alone = all(login == author for login in commit.co_authors)
            if author is None or commit.author != author or not committed or not alone:
                sentence = f"commit {commit.oid[:10]} was authored or committed by somebody else than the author"
                return Finding(self.key, not self.wanted, sentence)
        return Finding(self.key, self.wanted, f"all commits were authored and committed by @{author}")
