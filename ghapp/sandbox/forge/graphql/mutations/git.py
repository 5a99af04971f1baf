"""Refs, and commits that are made on a branch without a clone."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from ghapp.sandbox.forge.graphql import gitnodes
from ghapp.sandbox.forge.graphql.context import Context
from ghapp.sandbox.forge.graphql.errors import Refused, not_found, unprocessable
from ghapp.sandbox.forge.graphql.gitnodes import Ref
from ghapp.sandbox.forge.graphql.mutation import allow, mutation
from ghapp.sandbox.forge.model import Repository
from ghapp.sandbox.forge.operations import protection, refs
from ghapp.sandbox.forge.operations.identity import signature

_HEADS = "refs/heads/"


def _check(ctx: Context, repository: Repository, name: str, before: str, after: str | None) -> None:
    """Refuse what branch protection forbids the viewer to do to a ref; ``after`` is None for its end, "" if unknown."""
    if not name.startswith(_HEADS):
        return
    branch = name.removeprefix(_HEADS)
    reason = protection.push_refusal(ctx.state, repository, branch, before, after, ctx.me, ctx.viewer.app)
    if reason is not None:
        raise Refused("FORBIDDEN", reason)


@mutation("createRef")
def create_ref(ctx: Context, repository_id: str, name: str, oid: str) -> dict[str, Any]:
    repository: Repository = ctx.find_as(repository_id, Repository, "Repository")
    allow(ctx, repository, "contents", role="write", to="CreateRef")
    if not name.startswith("refs/") or name.count("/") < 2:
        raise unprocessable(f"Reference name is invalid: {name}")
    if repository.git.ref(name) is not None:
        raise unprocessable(f"A ref named {name} already exists in the repository.")
    if repository.git.info(oid) is None:
        raise not_found("Object", f"with the oid {oid}")
    refs.move(ctx.state, repository, name, oid, ctx.me)
    return {"ref": Ref(repository, name, oid)}


@mutation("updateRef")
def update_ref(ctx: Context, ref_id: str, oid: str, force: bool = False) -> dict[str, Any]:
    ref: Ref = ctx.find_as(ref_id, Ref, "Ref")
    allow(ctx, ref.repository, "contents", role="write", to="UpdateRef")
    _check(ctx, ref.repository, ref.name, ref.sha, oid)
    if ref.repository.git.info(oid) is None:
        raise not_found("Object", f"with the oid {oid}")
    force = force and not protection.forbids_force(ref.repository, ref.name.removeprefix(_HEADS))
    if not force and not ref.repository.git.is_ancestor(ref.sha, oid):
        raise unprocessable("Update is not a fast forward")
    refs.move(ctx.state, ref.repository, ref.name, oid, ctx.me, ref.sha)
    return {"ref": Ref(ref.repository, ref.name, oid)}


@mutation("deleteRef")
def delete_ref(ctx: Context, ref_id: str) -> dict[str, Any]:
    ref: Ref = ctx.find_as(ref_id, Ref, "Ref")
    allow(ctx, ref.repository, "contents", role="write", to="DeleteRef")
    _check(ctx, ref.repository, ref.name, ref.sha, None)
    refs.move(ctx.state, ref.repository, ref.name, None, ctx.me)
    return {}


# Commits --------------------------------------------------------------------------------------------------------------


@mutation("createCommitOnBranch")
def create_commit(
    ctx: Context,
    branch: dict[str, Any],
    expected_head_oid: str,
    message: dict[str, Any],
    file_changes: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """One commit by the viewer, signed by the forge; nothing happens when the branch is not where it was expected."""
    repository, name = _branch(ctx, branch)
    allow(ctx, repository, "contents", role="write", to="CreateCommitOnBranch")
    head = repository.git.ref(name)
    parent = repository.git.commit(head) if head else None
    if parent is None:
        raise not_found("Ref", f"with the name {name.removeprefix(_HEADS)}")
    if parent.sha != expected_head_oid:
        raise Refused(
            "STALE_DATA",
            f'Expected branch to point to "{expected_head_oid}" but it points to "{parent.sha}". Pull and try again.',
        )
    _check(ctx, repository, name, parent.sha, "")
    tree = repository.git.write_tree(_changes(repository, file_changes or {}, parent.sha), parent.tree)
    text = "\n\n".join(part for part in (message["headline"], message.get("body")) if part)
    author, committer = signature(ctx.state, ctx.me), signature(ctx.state, ctx.state.web_flow)
    sha = repository.git.write_commit(tree, (parent.sha,), author, committer, text)
    repository.web_commits.add(sha)
    refs.move(ctx.state, repository, name, sha, ctx.me, parent.sha)
    return {"commit": gitnodes.commit(repository, sha), "ref": Ref(repository, name, sha)}


def _branch(ctx: Context, wanted: dict[str, Any]) -> tuple[Repository, str]:
    """The repository and whole ref of a ``CommittableBranch``: a ref's id, or two names."""
    if wanted.get("id"):
        ref: Ref = ctx.find_as(wanted["id"], Ref, "Ref")
        return ref.repository, ref.name
    owner, slash, name = (wanted.get("repository_name_with_owner") or "").partition("/")
    if not slash or not wanted.get("branch_name"):
        raise unprocessable("A branch is named by its id, or by repositoryNameWithOwner and branchName.")
    return ctx.find_repository(owner, name), _HEADS + wanted["branch_name"].removeprefix(_HEADS)


def _changes(repository: Repository, changes: dict[str, Any], parent: str) -> list[tuple[str, str | None, str]]:
    """(mode, blob or None, path) of each file; one that exists keeps its mode."""
    entries: list[tuple[str, str | None, str]] = []
    for addition in changes.get("additions") or ():
        path = _checked(addition["path"])
        try:
            content = base64.b64decode("".join(addition["contents"].split()), validate=True)
        except binascii.Error:
            raise unprocessable(f"The contents of {path} are not Base64.") from None
        entries.append((_mode(repository, parent, path), repository.git.write_object("blob", content), path))
    for deletion in changes.get("deletions") or ():
        path = _checked(deletion["path"])
        if repository.git.info(f"{parent}:{path}") is None:
            raise unprocessable(f"A path was requested for deletion which does not exist as of commit oid `{parent}`")
        entries.append(("100644", None, path))
    return entries


def _mode(repository: Repository, commit: str, path: str) -> str:
    folder, _, name = path.rpartition("/")
    entries = repository.git.tree(f"{commit}:{folder}") or []
    return next((e.mode for e in entries if e.path == name and e.type == "blob"), "100644")


def _checked(path: str) -> str:
    """A path that stays inside the tree and outside of git's own folder."""
    parts = path.split("/")
    if not path or path.startswith("/") or any(part in ("", ".", "..") or part.lower() == ".git" for part in parts):
        raise unprocessable(f"{path!r} is not a path of a file.")
    return path
