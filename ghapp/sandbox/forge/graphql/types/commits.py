"""Commits: who made them and how, what they change, their signature, and where they are going."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ghapp.sandbox.forge.git.objects import Signature
from ghapp.sandbox.forge.graphql import gitnodes, signatures
from ghapp.sandbox.forge.graphql.context import Context
from ghapp.sandbox.forge.graphql.gitnodes import Commit, CommitSignature, GitActor, Tree, TreeEntry
from ghapp.sandbox.forge.graphql.registry import Fields, kind_by
from ghapp.sandbox.forge.graphql.selection import Order, ordered
from ghapp.sandbox.forge.model import PullRequest, User
from ghapp.sandbox.forge.operations import comparison
from ghapp.sandbox.forge.serialize.gitdata import verification

COMMIT = Fields("Commit", record=Commit)
ACTOR = Fields("GitActor", record=GitActor)
SIGNATURE = Fields("GpgSignature", "SshSignature", "SmimeSignature", "UnknownSignature")

kind_by(CommitSignature, lambda signed: signatures.kind(signed.facts["signature"]))

_CO_AUTHOR = re.compile(r"(?im)^co-authored-by: *(.*?) *<([^>]+)>\s*$")


def _fact(read: Callable[[Any], Any]) -> Callable[[Commit, Context], Any]:
    return lambda commit, _ctx: read(commit.facts)


COMMIT("message")(_fact(lambda facts: facts.message))
COMMIT("messageHeadline")(_fact(lambda facts: facts.headline))
COMMIT("messageBody")(_fact(lambda facts: facts.message.partition("\n")[2].strip("\n")))
COMMIT("authoredDate")(_fact(lambda facts: facts.author.date))
COMMIT("committedDate")(_fact(lambda facts: facts.committer.date))
COMMIT("authoredByCommitter")(_fact(lambda facts: facts.author.email.lower() == facts.committer.email.lower()))
COMMIT("author")(lambda commit, _ctx: GitActor(commit.repository, commit.facts.author))
COMMIT("committer")(lambda commit, _ctx: GitActor(commit.repository, commit.facts.committer))
COMMIT("tree")(lambda commit, _ctx: Tree(commit.repository, commit.facts.tree))


@COMMIT.connection("authors")
def authors(commit: Commit, _ctx: Context) -> list[GitActor]:
    """The author and everybody named by a ``Co-authored-by`` trailer."""
    author = commit.facts.author
    others = [Signature(name, email, author.date) for name, email in _CO_AUTHOR.findall(commit.facts.message)]
    return [GitActor(commit.repository, who) for who in {who.email.lower(): who for who in (author, *others)}.values()]


@COMMIT("committedViaWeb")
def committed_via_web(commit: Commit, _ctx: Context) -> bool:
    return commit.oid in commit.repository.web_commits


# GitHub answers null to everybody since 2023; so does the sandbox, that nobody builds on it.
COMMIT.constant(pushedDate=None)


@COMMIT.connection("parents")
def parents(commit: Commit, _ctx: Context) -> list[Commit]:
    found = (gitnodes.commit(commit.repository, sha) for sha in commit.facts.parents)
    return [parent for parent in found if parent]


@COMMIT.connection("history")
def history(
    commit: Commit,
    ctx: Context,
    path: str | None = None,
    since: str | None = None,
    until: str | None = None,
    author: dict[str, Any] | None = None,
) -> list[Commit]:
    shas = commit.repository.git.log(commit.oid, path=path, since=since, until=until)
    found = (gitnodes.commit(commit.repository, sha) for sha in shas)
    return [c for c in found if c and (author is None or _is_by(ctx, c, author))]


def _is_by(ctx: Context, commit: Commit, wanted: dict[str, Any]) -> bool:
    email = commit.facts.author.email
    user = ctx.state.user_by_email(email)
    emails = {address.lower() for address in wanted.get("emails") or ()}
    return email.lower() in emails or (user is not None and user.node_id == wanted.get("id"))


@COMMIT.connection("associatedPullRequests")
def associated_pulls(commit: Commit, ctx: Context, order_by: Order = None) -> list[PullRequest]:
    """The pull requests that bring or brought the commit into the repository."""
    ctx.need(commit.repository, "pull_requests")
    found = [
        pull
        for pull in commit.repository.pulls
        if commit.oid == pull.merge_commit_sha or commit.oid in comparison.commits(pull)
    ]
    return ordered(found, order_by)


@COMMIT("file")
def file(commit: Commit, _ctx: Context, path: str) -> TreeEntry | None:
    folder, _, name = path.strip("/").rpartition("/")
    entries = commit.repository.git.tree(f"{commit.oid}:{folder}") or []
    found = next((entry for entry in entries if entry.path == name), None)
    return TreeEntry(commit.repository, found, path.strip("/")) if found else None


# What it changes ------------------------------------------------------------------------------------------------------


def _changes(commit: Commit) -> Any:
    first = commit.facts.parents[0] if commit.facts.parents else None
    return commit.repository.git.diff(first, commit.oid)


COMMIT("additions")(lambda commit, _ctx: sum(change.additions for change in _changes(commit)))
COMMIT("deletions")(lambda commit, _ctx: sum(change.deletions for change in _changes(commit)))
COMMIT("changedFiles", "changedFilesIfAvailable")(lambda commit, _ctx: len(_changes(commit)))


# Addresses ------------------------------------------------------------------------------------------------------------


@COMMIT("resourcePath")
def resource_path(commit: Commit, ctx: Context) -> str:
    return f"{ctx.path(commit.repository)}/commit/{commit.oid}"


@COMMIT("url")
def url(commit: Commit, ctx: Context) -> str:
    return ctx.url(resource_path(commit, ctx))


@COMMIT("treeResourcePath")
def tree_path(commit: Commit, ctx: Context) -> str:
    return f"{ctx.path(commit.repository)}/tree/{commit.oid}"


@COMMIT("treeUrl")
def tree_url(commit: Commit, ctx: Context) -> str:
    return ctx.url(tree_path(commit, ctx))


@COMMIT("tarballUrl")
def tarball_url(commit: Commit, ctx: Context) -> str:
    return ctx.url(f"/api/v3/repos/{commit.repository.full_name}/tarball/{commit.oid}")


@COMMIT("zipballUrl")
def zipball_url(commit: Commit, ctx: Context) -> str:
    return ctx.url(f"/api/v3/repos/{commit.repository.full_name}/zipball/{commit.oid}")


# People and signatures ------------------------------------------------------------------------------------------------

ACTOR("name")(lambda actor, _ctx: actor.signature.name)
ACTOR("email")(lambda actor, _ctx: actor.signature.email)
ACTOR("date")(lambda actor, _ctx: actor.signature.date)


@ACTOR("user")
def user(actor: GitActor, ctx: Context) -> User | None:
    return ctx.state.user_by_email(actor.signature.email)


@ACTOR("avatarUrl")
def avatar_url(actor: GitActor, ctx: Context, size: int | None = None) -> str:
    known = user(actor, ctx)
    return (ctx.avatar_url(known) if known else ctx.url("/avatars/0")) + (f"?s={size}" if size else "")


def _said(name: str, otherwise: Any = None) -> Callable[[CommitSignature, Context], Any]:
    return lambda signed, _ctx: signed.facts[name] or otherwise


SIGNATURE.same("signer")
SIGNATURE("email")(lambda signed, _ctx: signed.commit.facts.committer.email)
SIGNATURE("isValid")(_said("verified", False))
SIGNATURE("payload")(_said("payload", ""))
SIGNATURE("signature")(_said("signature"))
SIGNATURE("state")(lambda signed, _ctx: signatures.state(signed.facts["reason"]))
SIGNATURE("verifiedAt")(lambda signed, _ctx: signed.commit.facts.committer.date if signed.facts["verified"] else None)
SIGNATURE("wasSignedByGitHub")(lambda signed, ctx: signed.signer is ctx.state.web_flow)
Fields("GpgSignature")("keyId")(
    lambda signed, ctx: (
        signatures.WEB_FLOW_KEY
        if signed.signer is ctx.state.web_flow
        else signatures.gpg_key_id(signed.facts["signature"])
    )
)
Fields("SshSignature")("keyFingerprint")(lambda signed, _ctx: signatures.ssh_fingerprint(signed.facts["signature"]))


@COMMIT("signature")
def signature(commit: Commit, ctx: Context) -> CommitSignature | None:
    """Null for an unsigned commit. What the forge commits itself is signed by ``web-flow``."""
    facts = verification(commit.repository, commit.facts)
    if not facts["signature"]:
        return None
    known = commit.repository.verifications.get(commit.oid)
    signer = known.signer if known else ctx.state.web_flow if committed_via_web(commit, ctx) else None
    return CommitSignature(commit, facts, signer)
