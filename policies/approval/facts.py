"""Everything about one pull request that a policy may ask, gathered beforehand and complete.

What is not in here does not exist, except what :attr:`Facts.incomplete` names: asking for that is an error. Times are
UTC, logins are GitHub's with ``[bot]`` for apps, and ``None`` as a person is a deleted or unknown account.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TypeVar

Login = str | None

T = TypeVar("T")

NEVER = datetime.min.replace(tzinfo=UTC)  # the time of what carries no time: before everything


@dataclass(frozen=True, slots=True)
class Body:
    """The pull request's description; its author is whoever opened the pull request."""

    text: str = ""
    author: Login = None
    created_at: datetime = NEVER
    edited_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Signature:
    """``type`` is GitHub's: ``GpgSignature``, ``SmimeSignature`` or ``SshSignature``."""

    valid: bool
    signer: Login = None
    key_id: str = ""
    type: str = ""


@dataclass(frozen=True, slots=True)
class Commit:
    """``committer`` is ``None`` also where GitHub itself committed (``via_web``); ``co_authors`` may hold ``None``."""

    oid: str
    author: Login = None
    committer: Login = None
    via_web: bool = False
    parents: tuple[str, ...] = ()
    signature: Signature | None = None
    pushed_at: datetime | None = None
    co_authors: tuple[Login, ...] = ()

    @property
    def people(self) -> tuple[str, ...]:
        """The accounts behind the commit: author, committer, co-authors."""
        return tuple(login for login in (self.author, self.committer, *self.co_authors) if login is not None)

    @property
    def unattributed(self) -> bool:
        """Whether somebody who wrote the commit is not known to GitHub.

        An unknown committer beside a known author says little: a CI system that rebases, an address of another machine.
        """
        return self.author is None or None in self.co_authors


@dataclass(frozen=True, slots=True)
class File:
    path: str
    previous_path: str | None = None
    status: str = "modified"
    additions: int = 0
    deletions: int = 0


@dataclass(frozen=True, slots=True)
class Comment:
    author: Login
    body: str
    created_at: datetime = NEVER
    edited_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Review:
    """``state`` is upper case as on GitHub; ``commit_oid`` is the head that the reviewer saw."""

    author: Login
    state: str
    body: str = ""
    submitted_at: datetime = NEVER
    edited_at: datetime | None = None
    commit_oid: str | None = None
    on_behalf_of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Status:
    context: str
    state: str
    created_at: datetime = NEVER


@dataclass(frozen=True, slots=True)
class CheckRun:
    """``conclusion`` is empty while it runs."""

    name: str
    conclusion: str = ""


@dataclass(frozen=True, slots=True)
class WorkflowRun:
    path: str
    event: str = ""
    conclusion: str = ""
    status: str = "completed"
    updated: datetime = NEVER


@dataclass(frozen=True, slots=True)
class Repository:
    """Files that policies may be read from: ``files[branch][path]``."""

    default_branch: str = ""
    files: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Facts:
    """One pull request. ``state`` is ``open``, ``closed`` or ``merged``; check and workflow runs are newest first.

    ``permissions`` are people's in the end, ``direct`` those given to them by name, ``teams`` those given to teams
    (``organisation/team``). ``requested`` and ``removed`` are logins or teams of current review requests and of those
    that somebody took back.
    """

    repository: str
    number: int = 0
    base_branch: str = ""
    head_branch: str = ""
    head_sha: str = ""
    fork: bool = False
    head_owner: Login = None
    title: str = ""
    draft: bool = False
    state: str = "open"
    author: Login = None
    created_at: datetime = NEVER
    body: Body = Body()
    labels: tuple[str, ...] = ()
    commits: tuple[Commit, ...] = ()
    files: tuple[File, ...] = ()
    comments: tuple[Comment, ...] = ()
    reviews: tuple[Review, ...] = ()
    statuses: tuple[Status, ...] = ()
    check_runs: tuple[CheckRun, ...] = ()
    workflow_runs: tuple[WorkflowRun, ...] = ()
    org_members: Mapping[str, frozenset[str]] = field(default_factory=dict)
    team_members: Mapping[str, frozenset[str]] = field(default_factory=dict)
    permissions: Mapping[str, str] = field(default_factory=dict)
    repositories: Mapping[str, Repository] = field(default_factory=dict)
    teams: Mapping[str, str] = field(default_factory=dict)
    direct: Mapping[str, str] = field(default_factory=dict)
    requested: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()
    incomplete: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def owner(self) -> str:
        return self.repository.partition("/")[0]

    @cached_property
    def head_name(self) -> str:
        """The head branch as policies see it: ``owner:branch`` from a fork, also from one that is gone."""
        return f"{self.head_owner or ''}:{self.head_branch}" if self.fork else self.head_branch

    @cached_property
    def changed_paths(self) -> tuple[str, ...]:
        """Every name that the change touches: a rename touches the old name and the new one."""
        names: list[str] = []
        for file in self.files:
            if file.status == "renamed":
                names.append(file.previous_path or "")
            names.append(file.path)
        return tuple(names)

    @cached_property
    def commits_by_oid(self) -> dict[str, Commit]:
        return {commit.oid: commit for commit in self.commits}


def by_name(table: Mapping[str, T], name: str) -> T | None:
    """By exact name, else as GitHub compares names of accounts, teams and repositories: without regard to case."""
    found = table.get(name)
    return found if found is not None else next((v for key, v in table.items() if key.lower() == name.lower()), None)
