"""Branches and tags that move: by push, by the API, by merges. Everything that follows from it happens here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ghapp.sandbox.forge.git.objects import ZERO, GitCommit
from ghapp.sandbox.forge.model import Event, Repository, State, User
from ghapp.sandbox.forge.operations import pulls, suites
from ghapp.sandbox.forge.serialize import moment
from ghapp.sandbox.forge.serialize.accounts import simple_user
from ghapp.sandbox.forge.serialize.repositories import html_url
from ghapp.sandbox.forge.serialize.repositories import repository as serialize_repository

HEADS, TAGS = "refs/heads/", "refs/tags/"


@dataclass(frozen=True, slots=True)
class RefUpdate:
    """A ref that has moved from ``before`` to ``after``; None where it did not exist."""

    ref: str
    before: str | None
    after: str | None


def move(state: State, repository: Repository, ref: str, new: str | None, pusher: User, old: str | None = None) -> None:
    """Move, create or delete a ref on an API's behalf and do what follows; ``RefConflict`` if it is not ``old``."""
    before = repository.git.ref(ref)
    repository.git.update_ref(ref, new, old if old is not None else (before or ZERO))
    moved(state, repository, [RefUpdate(ref, before, new)], pusher)


def moved(state: State, repository: Repository, updates: Iterable[RefUpdate], pusher: User) -> None:
    """Do what follows from refs that have moved: events, suites, pull requests."""
    now = state.now()
    for update in updates:
        if update.before == update.after:
            continue
        repository.pushed_at = repository.updated_at = now
        if update.after is not None:
            repository.pushed_dates.setdefault(update.after, now)
        if update.ref.startswith(HEADS):
            _adopt_default_branch(repository, update)
        if not update.ref.startswith((HEADS, TAGS)):
            continue
        _announce(state, repository, update, pusher)
        if update.ref.startswith(HEADS):
            branch = update.ref.removeprefix(HEADS)
            if update.after is not None:
                suites.create_for_push(state, repository, branch, update.before, update.after, pusher)
            pulls.follow_head(state, repository, branch, update.before, update.after, pusher)
            pulls.follow_base(state, repository, branch, update.before, update.after, pusher)


def _adopt_default_branch(repository: Repository, update: RefUpdate) -> None:
    """The first branch that is pushed becomes the default one, unless the default one is there."""
    if update.before is None and repository.git.branch(repository.default_branch) is None:
        repository.default_branch = update.ref.removeprefix(HEADS)
        repository.git.set_head(repository.default_branch)


def _announce(state: State, repository: Repository, update: RefUpdate, pusher: User) -> None:
    kind = "branch" if update.ref.startswith(HEADS) else "tag"
    short = update.ref.removeprefix(HEADS).removeprefix(TAGS)
    if update.before is None or update.after is None:
        name = "create" if update.before is None else "delete"
        about: dict[str, Any] = {"ref": short, "ref_type": kind, "pusher_type": "user"}
        if name == "create":
            about |= {"master_branch": repository.default_branch, "description": repository.description}
        state.publish(Event(name, None, pusher, lambda: about, repository))
    state.publish(Event("push", None, pusher, lambda: push_payload(state, repository, update, pusher), repository))


def push_payload(state: State, repository: Repository, update: RefUpdate, pusher: User) -> dict[str, Any]:
    """What is peculiar to a ``push`` event."""
    git, page = repository.git, html_url(state, repository)
    before, after = update.before, update.after
    commits = _commits(state, repository, update)
    head = git.info(f"{after}^{{commit}}") if after else None
    head_commit = next((c for c in commits if head and c["id"] == head[0]), None)
    if head is not None and head_commit is None:
        head_commit = _described(state, repository, git.touched(head[0], limit=1))[0]
    forced = before is not None and after is not None and not git.is_ancestor(before, after)
    span = f"{before[:12]}...{after[:12]}" if before and after else (after or before or "")[:12]
    email = pusher.email or pusher.noreply_email
    return {
        "ref": update.ref,
        "before": before or ZERO,
        "after": after or ZERO,
        "base_ref": None,
        "created": before is None,
        "deleted": after is None,
        "forced": forced,
        "compare": f"{page}/compare/{span}" if before else f"{page}/commit/{span}",
        "pusher": {"name": pusher.login, "email": email},
        "repository": _pushed_repository(state, repository),
        "commits": commits,
        "head_commit": head_commit,
    }


def _pushed_repository(state: State, repository: Repository) -> dict[str, Any]:
    """Push events alone show a repository with times as numbers and its owner with a name."""
    owner = repository.owner
    return {
        **serialize_repository(state, repository),
        "created_at": int(repository.created_at.timestamp()),
        "pushed_at": int(repository.pushed_at.timestamp()),
        "master_branch": repository.default_branch,
        "stargazers": 0,
        "owner": {**simple_user(state, owner), "name": owner.login, "email": getattr(owner, "email", None)},
    }


def _commits(state: State, repository: Repository, update: RefUpdate) -> list[dict[str, Any]]:
    """The commits that a push brought, oldest first; for a new branch those that no other branch has."""
    if update.after is None or not update.ref.startswith(HEADS):
        return []
    others = ["--not", f"--exclude={update.ref}", "--glob=refs/heads/*"]
    known = others if update.before is None else [f"^{update.before}"]
    return _described(state, repository, repository.git.touched(update.after, *known))


def _described(
    state: State, repository: Repository, touched: list[tuple[str, list[str], list[str], list[str]]]
) -> list[dict[str, Any]]:
    described: list[dict[str, Any]] = []
    for sha, added, removed, modified in touched:
        commit = repository.git.commit(sha)
        if commit is not None:
            entry = _commit(state, repository, commit)
            described.append({**entry, "added": added, "removed": removed, "modified": modified})
    return described


def _commit(state: State, repository: Repository, commit: GitCommit) -> dict[str, Any]:
    def who(name: str, email: str) -> dict[str, Any]:
        account = state.user_by_email(email)
        return {"name": name, "email": email, **({"username": account.login} if account else {})}

    return {
        "id": commit.sha,
        "tree_id": commit.tree,
        "distinct": True,
        "message": commit.message,
        "timestamp": moment(commit.committer.date),
        "url": f"{html_url(state, repository)}/commit/{commit.sha}",
        "author": who(commit.author.name, commit.author.email),
        "committer": who(commit.committer.name, commit.committer.email),
    }
