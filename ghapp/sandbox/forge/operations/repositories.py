"""Repositories from creation to deletion: forked, renamed, transferred, archived, protected."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal

from ghapp.sandbox.forge.git.store import GitStore
from ghapp.sandbox.forge.model import (
    Account,
    BranchProtection,
    Event,
    Release,
    Repository,
    RequiredCheck,
    RequiredReviews,
    Restrictions,
    State,
    User,
)
from ghapp.sandbox.forge.operations import refs
from ghapp.sandbox.forge.operations.accounts import keeper
from ghapp.sandbox.forge.serialize.accounts import simple_user
from ghapp.sandbox.forge.serialize.repositories import release as serialize_release
from ghapp.sandbox.forge.web.errors import invalid, unprocessable

# Makes the bare repository for a new repository's id and default branch.
StoreFactory = Callable[[int, str], GitStore]

Visibility = Literal["public", "private", "internal"]


def announce(state: State, repository: Repository, action: str, sender: User | None = None, **more: Any) -> None:
    """Publish a ``repository`` event."""
    by = sender or keeper(state, repository.owner)
    state.publish(Event("repository", action, by, lambda: more, repository))


def _free_name(state: State, owner: Account, name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,100}", name) or name in (".", ".."):
        raise invalid("Repository", "name")
    taken = state.repository(owner.login, name)
    if taken is not None and taken.full_name.lower() == f"{owner.login}/{name}".lower():
        raise invalid("Repository", "name", "custom", "name already exists on this account")
    return name


def create(
    state: State,
    store: StoreFactory,
    owner: Account,
    name: str,
    *,
    default_branch: str = "main",
    private: bool = False,
    description: str | None = None,
    parent: Repository | None = None,
    sender: User | None = None,
) -> Repository:
    """An empty repository."""
    _free_name(state, owner, name)
    number, node_id = state.new_id("R")
    now = state.now()
    repository = Repository(
        id=number,
        node_id=node_id,
        owner=owner,
        name=name,
        git=store(number, default_branch),
        created_at=now,
        updated_at=now,
        pushed_at=now,
        default_branch=default_branch,
        visibility="private" if private else "public",
        description=description,
        parent=parent,
    )
    state.register(node_id, repository)
    state.name_repository(repository)
    announce(state, repository, "created", sender)
    return repository


def fork(state: State, store: StoreFactory, parent: Repository, owner: Account, name: str, sender: User) -> Repository:
    """An account's fork of a repository; the one that there is, if there is one."""
    for existing in state.forks_of(parent):
        if existing.owner is owner:
            return existing
    if parent.owner is owner:
        raise unprocessable("You cannot fork your own repository.")
    forked = create(
        state,
        store,
        owner,
        name or parent.name,
        default_branch=parent.default_branch,
        private=parent.private,
        description=parent.description,
        parent=parent,
        sender=sender,
    )
    forked.git.copy_refs(parent.git, "refs/heads/*", "refs/tags/*")
    from_parent = {"forkee": {"id": forked.id, "full_name": forked.full_name, "owner": simple_user(state, owner)}}
    state.publish(Event("fork", None, sender, lambda: from_parent, parent))
    return forked


def rename(state: State, repository: Repository, name: str, sender: User | None = None) -> None:
    """Change the name; the old one goes on leading here."""
    if name == repository.name:
        return
    old = repository.name
    if name.lower() != old.lower():
        _free_name(state, repository.owner, name)
    repository.name, repository.updated_at = name, state.now()
    state.name_repository(repository)
    announce(state, repository, "renamed", sender, changes={"repository": {"name": {"from": old}}})


def transfer(state: State, repository: Repository, owner: Account, sender: User | None = None) -> None:
    """Give a repository to another account; installations on the old one lose it."""
    old = repository.owner
    if old is owner:
        raise unprocessable("Repositories cannot be transferred to the original owner")
    _free_name(state, owner, repository.name)
    repository.owner, repository.updated_at = owner, state.now()
    for installation in state.installations.values():
        installation.repository_ids.discard(repository.id)
    state.name_repository(repository)
    kind = "organization" if old.type == "Organization" else "user"
    changes = {"owner": {"from": {kind: simple_user(state, old)}}}
    announce(state, repository, "transferred", sender, changes=changes)


def set_archived(state: State, repository: Repository, archived: bool, sender: User | None = None) -> None:
    """Make it read-only, or writable again."""
    if repository.archived != archived:
        repository.archived, repository.updated_at = archived, state.now()
        announce(state, repository, "archived" if archived else "unarchived", sender)


def set_visibility(state: State, repository: Repository, visibility: Visibility, sender: User | None = None) -> None:
    """Make it private or public."""
    if repository.visibility != visibility:
        repository.visibility = visibility
        announce(state, repository, "publicized" if visibility == "public" else "privatized", sender)


def set_default_branch(state: State, repository: Repository, branch: str, sender: User | None = None) -> None:
    """Make another branch the default one; 422 when there is none of that name."""
    if branch == repository.default_branch:
        return
    if repository.git.branch(branch) is None:
        raise invalid("Repository", "default_branch")
    old, repository.default_branch = repository.default_branch, branch
    repository.git.set_head(branch)
    announce(state, repository, "edited", sender, changes={"default_branch": {"from": old}})


def delete(state: State, repository: Repository, sender: User | None = None) -> None:
    """Delete a repository with everything in it; forks live on without a parent."""
    announce(state, repository, "deleted", sender)
    for other in state.forks_of(repository):
        other.parent = None
    for other in list(state.repositories.values()):
        for pull in other.pulls:
            if pull.head_repository is repository:
                pull.head_repository = None
    for installation in state.installations.values():
        installation.repository_ids.discard(repository.id)
    state.forget_repository(repository)
    repository.git.delete()


def protect(
    state: State,
    repository: Repository,
    pattern: str,
    *,
    required_checks: list[RequiredCheck] | None = None,
    strict: bool = False,
    required_reviews: RequiredReviews | None = None,
    restrictions: Restrictions | None = None,
    **flags: bool,
) -> BranchProtection:
    """Set the rules of the branches that match; ``flags`` are the booleans of :class:`BranchProtection`."""
    unprotect(state, repository, pattern)
    number, node_id = state.new_id("BPR")
    rule = BranchProtection(
        number,
        node_id,
        pattern,
        required_checks,
        strict,
        required_reviews,
        restrictions,
        **flags,
    )
    repository.protections.append(rule)
    state.register(node_id, rule)
    return rule


def unprotect(state: State, repository: Repository, pattern: str) -> None:
    for rule in [rule for rule in repository.protections if rule.pattern == pattern]:
        repository.protections.remove(rule)
        state.forget(rule.node_id)


def create_release(
    state: State,
    repository: Repository,
    author: User,
    *,
    tag: str,
    target: str = "",
    name: str | None = None,
    body: str | None = None,
    draft: bool = False,
    prerelease: bool = False,
) -> Release:
    """A release; its tag is made if there is none, unless it is a draft."""
    if any(r.tag_name == tag and not r.draft for r in repository.releases):
        raise invalid("Release", "tag_name", "already_exists")
    target = target or repository.default_branch
    if not draft and repository.git.ref(f"refs/tags/{tag}") is None:
        sha = repository.git.resolve(target)
        if sha is None:
            raise invalid("Release", "target_commitish")
        refs.move(state, repository, f"refs/tags/{tag}", sha, author)
    number, node_id = state.new_id("RE")
    now = state.now()
    published = None if draft else now
    record = Release(number, node_id, tag, target, author, now, published, name, body, draft, prerelease)
    repository.releases.append(record)
    state.register(node_id, record)
    payload = {"release": serialize_release(state, repository, record)}
    state.publish(Event("release", "created" if draft else "published", author, lambda: payload, repository))
    return record
