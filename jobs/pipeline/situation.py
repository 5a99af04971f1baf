"""What a commit is now: the head of which branches, tags and pull requests, whose it is, what its file says.

Read from Git where Git knows it; GitHub is asked about pull requests alone. For code of strangers the file is the base
branch's, never their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from ghapp.config import AppFile
from ghapp.evidence import notes
from ghapp.git import Git, GitError
from ghapp.github import pulls
from ghapp.github.client import RepositoryClient
from jobs.pipeline import triggers
from jobs.pipeline.triggers import Occasion, Pull
from jobs.promotion.view import read_apps
from policies.yamltext import Problem

_MOST_PATHS = 10_000  # changed files; beyond, no path filter holds anything back


@dataclass(frozen=True)
class Situation:
    """One commit as it is now. ``heads`` maps every branch to its head; ``trusted`` is false for a fork's commit."""

    sha: str
    client: RepositoryClient
    git: Git
    heads: Mapping[str, str]
    branches: tuple[str, ...]
    tags: tuple[str, ...]
    pulls: tuple[Pull, ...]
    trusted: bool
    config_at: str
    apps: Mapping[str, AppFile]
    problems: Sequence[Problem] = field(default=())

    @property
    def headless(self) -> bool:
        """Whether nothing points at the commit any more."""
        return not (self.branches or self.tags or any(pull.open for pull in self.pulls))

    def any_occasion(self) -> Occasion:
        """For a run that somebody asks for and no trigger wants."""
        pull = next(iter(self.pulls), None)
        branch = next(iter(self.branches), pull.head if pull else "")
        return Occasion("comment", branch=branch, pull=pull, author=pull.author if pull else "")

    @cached_property
    def message(self) -> str:
        return self.git.commits(self.sha, limit=1)[0].message

    @cached_property
    def committed_at(self) -> datetime:
        return self.git.commits(self.sha, limit=1)[0].at

    @cached_property
    def author(self) -> str:
        """The login of the commit's author, asked of GitHub (one call, kept); ``""`` where it knows none."""
        data = self.client.get(f"commits/{self.sha}")
        return str((data.get("author") or {}).get("login") or "")

    @cached_property
    def default_branch(self) -> str:
        """Asked of GitHub, which answers that nothing has changed for free."""
        return str(self.client.get("")["default_branch"])

    def changed_since(self, base: str | None) -> frozenset[str] | None:
        """The files that differ from ``base``; ``None`` where that cannot be known."""
        if not base or self.git.resolve(base) is None:
            return None
        if base == self.sha:
            return frozenset()
        listed = self.git.run("diff", "--name-only", "-z", "--no-renames", base, self.sha, check=False)
        paths = [p for p in listed.stdout.decode("utf-8", "surrogateescape").split("\0") if p]
        return frozenset(paths) if listed.status == 0 and len(paths) <= _MOST_PATHS else None

    def changed_in(self, pull: Pull) -> frozenset[str] | None:
        """The files that a pull request changes."""
        base = self.git.resolve(f"refs/heads/{pull.base}")
        return self.changed_since(self.git.merge_base(base, self.sha) if base else None)


def look(client: RepositoryClient, git: Git, sha: str) -> Situation | None:
    """The commit's situation; ``None`` where there is nothing to build, ever: no such commit, or no file."""
    heads, known = _fetch(git, sha)
    if not known:
        return None
    branches = tuple(b for b, head in heads.items() if head == sha and not triggers.own_branch(b))
    apps, problems = read_apps(git, sha)
    if branches and not apps and not problems:
        return None  # silence, without a single call
    found: list[Pull] = []
    if not branches or any(file.app.pipeline.on.pull_request for file in apps.values()):
        found = [_pull(data) for data in _pulls_of(client, sha, listed=not branches)]
    config_at, trusted = sha, True
    if not branches and found and all(pull.fork for pull in found):
        config_at, trusted = heads.get(found[0].base, ""), False
        apps, problems = read_apps(git, config_at or None)
    tags: tuple[str, ...] = ()
    if trusted and any(_wants_tags(file) for file in apps.values()):
        tags = _tags(git, sha)
    if not apps and not problems:
        return None
    return Situation(sha, client, git, heads, branches, tags, tuple(found), trusted, config_at, apps, problems)


def occasions(at: Situation, file: AppFile, last: Mapping[str, str]) -> list[Occasion]:
    """Every reason to build an app now. ``last`` maps a ref to the commit that was last decided for this app there."""
    on = file.app.pipeline.on
    wants_author = any(wish is not None and wish.authors for wish in (on.push, on.merge_group))
    author = at.author if wants_author and at.trusted else ""
    found = [Occasion("tag", tag=tag, author=author) for tag in at.tags]
    for branch in at.branches:
        kind: Any = "merge_group" if branch.startswith(triggers.MERGE_QUEUE) else "push"
        paths = at.changed_since(last.get(f"refs/heads/{branch}")) if on.push and on.push.paths else None
        found.append(Occasion(kind, branch=branch, author=author, paths=paths))
    for pull in at.pulls:
        paths = at.changed_in(pull) if on.pull_request and on.pull_request.paths else None
        found.append(Occasion("pull_request", branch=pull.head, pull=pull, author=pull.author, paths=paths))
    return found


def _fetch(git: Git, sha: str) -> tuple[dict[str, str], bool]:
    """Branch → head, and whether the commit is here."""
    with git.lock():
        git.fetch("+refs/heads/*:refs/heads/*", notes.FETCH)
        if git.resolve(sha) is None:
            try:
                git.fetch(sha, prune=False)  # the head of a pull request from a fork
            except GitError:
                return {}, False
    heads = {ref.removeprefix("refs/heads/"): head for ref, head in git.refs("refs/heads/").items()}
    return heads, git.resolve(sha) is not None


def _wants_tags(file: AppFile) -> bool:
    pipeline = file.app.pipeline
    return bool((pipeline.on.push and pipeline.on.push.tags) or (pipeline.release and pipeline.release.tags))


def _tags(git: Git, sha: str) -> tuple[str, ...]:
    """Tags that mean this commit, annotated ones included."""
    refs = git.remote_refs("refs/tags/*")
    found = (ref.removeprefix("refs/tags/").removesuffix("^{}") for ref, target in refs.items() if target == sha)
    return tuple(dict.fromkeys(found))


def _pulls_of(client: RepositoryClient, sha: str, *, listed: bool) -> list[dict[str, Any]]:
    """Pull requests whose head is this commit. GitHub does not find every fork's by commit; ``listed`` finds those."""
    found = [pull for pull in pulls.of_commit(client, sha) if _head(pull) == sha]
    if found or not listed:
        return found
    return [pull for pull in pulls.opened(client) if _head(pull) == sha]


def _head(pull: Mapping[str, Any]) -> str:
    return str((pull.get("head") or {}).get("sha") or "")


def _pull(data: Mapping[str, Any]) -> Pull:
    head, base = data.get("head") or {}, data.get("base") or {}
    head_repository, base_repository = head.get("repo") or {}, base.get("repo") or {}
    return Pull(
        number=int(data["number"]),
        title=str(data.get("title") or ""),
        author=str((data.get("user") or {}).get("login") or ""),
        head=str(head.get("ref") or ""),
        base=str(base.get("ref") or ""),
        labels=tuple(str(label.get("name")) for label in data.get("labels") or ()),
        draft=bool(data.get("draft")),
        open=data.get("state") == "open",
        fork=head_repository.get("id") is None or head_repository.get("id") != base_repository.get("id"),
    )
