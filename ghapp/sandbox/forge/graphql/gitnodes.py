"""What lives in git alone, as records that know their repository: commits, trees, blobs, tags, refs.

They are made when asked for and hold shas; contents are read from the repository when a field needs them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ghapp.sandbox.forge.git.objects import GitCommit, GitTag, Signature
from ghapp.sandbox.forge.git.objects import TreeEntry as GitTreeEntry
from ghapp.sandbox.forge.model import PullRequest, Repository, User, ids


@dataclass(frozen=True, slots=True)
class Commit:
    repository: Repository
    facts: GitCommit

    @property
    def oid(self) -> str:
        return self.facts.sha

    @property
    def node_id(self) -> str:
        return ids.commit_node_id(self.repository.id, self.oid)


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree; ``path`` is where it hangs below the commit it was reached from."""

    repository: Repository
    oid: str
    path: str = ""

    @property
    def node_id(self) -> str:
        return ids.node_id("T", self.repository.id, self.oid)


@dataclass(frozen=True, slots=True)
class Blob:
    repository: Repository
    oid: str
    size: int

    @property
    def node_id(self) -> str:
        return ids.node_id("B", self.repository.id, self.oid)

    def content(self) -> bytes:
        return self.repository.git.blob(self.oid) or b""


@dataclass(frozen=True, slots=True)
class Tag:
    repository: Repository
    facts: GitTag

    @property
    def oid(self) -> str:
        return self.facts.sha

    @property
    def node_id(self) -> str:
        return ids.node_id("TA", self.repository.id, self.oid)


@dataclass(frozen=True, slots=True)
class Ref:
    """A ref by its whole name; ``sha`` is the object it points at."""

    repository: Repository
    name: str
    sha: str

    @property
    def node_id(self) -> str:
        return ids.ref_node_id(self.repository.id, self.name)


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """An entry of a tree; ``path`` is relative to the root."""

    repository: Repository
    entry: GitTreeEntry
    path: str


@dataclass(frozen=True, slots=True)
class CommitSignature:
    """The signature on a commit and what the forge made of it, as REST's ``verification``."""

    commit: Commit
    facts: dict[str, Any]
    signer: User | None


@dataclass(frozen=True, slots=True)
class PullCommit:
    """A commit as one of a pull request's."""

    pull: PullRequest
    commit: Commit

    @property
    def node_id(self) -> str:
        return ids.node_id("PURC", self.pull.pull_id, self.commit.oid)


@dataclass(frozen=True)
class Comparison:
    """How two commits of one repository stand to each other."""

    repository: Repository
    base: Commit
    head: Commit
    node_id: str = field(default="")

    @cached_property
    def ahead_behind(self) -> tuple[int, int]:
        return self.repository.git.ahead_behind(self.base.oid, self.head.oid)


GitObject = Commit | Tree | Blob | Tag


def commit(repository: Repository, sha: str | None) -> Commit | None:
    """The commit with this sha, or None when the repository has none."""
    facts = repository.git.commit(sha) if sha else None
    return Commit(repository, facts) if facts else None


def git_object(repository: Repository, name: str) -> GitObject | None:
    """Whatever git finds under ``name`` (``sha``, ``main:path/to/file``, ``HEAD``), or None."""
    found = repository.git.info(name)
    if found is None:
        return None
    sha, kind, size = found
    if kind == "commit":
        return commit(repository, sha)
    if kind == "tree":
        return Tree(repository, sha, name.partition(":")[2].strip("/"))
    if kind == "blob":
        return Blob(repository, sha, size)
    tag = repository.git.tag(sha)
    return Tag(repository, tag) if tag else None


def ref(repository: Repository, name: str) -> Ref | None:
    """A ref by its whole name, or by a branch's or tag's."""
    for candidate in (name, f"refs/heads/{name}", f"refs/tags/{name}", f"refs/{name}"):
        if sha := repository.git.ref(candidate):
            return Ref(repository, candidate, sha)
    return None


@dataclass(frozen=True, slots=True)
class GitActor:
    """The author or committer of a commit, or the tagger of a tag."""

    repository: Repository
    signature: Signature
