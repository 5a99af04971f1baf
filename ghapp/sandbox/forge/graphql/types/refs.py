"""What a repository's git holds besides commits: refs, trees, blobs, tags, comparisons; and branch protection."""

from __future__ import annotations

import base64
from pathlib import PurePosixPath
from typing import Any

from ghapp.sandbox.forge.graphql import gitnodes
from ghapp.sandbox.forge.graphql.context import Context
from ghapp.sandbox.forge.graphql.errors import Refused
from ghapp.sandbox.forge.graphql.gitnodes import Blob, Commit, Comparison, GitObject, Ref, Tag, Tree, TreeEntry
from ghapp.sandbox.forge.graphql.registry import Fields
from ghapp.sandbox.forge.graphql.selection import Order, ordered, pulls_where
from ghapp.sandbox.forge.model import BranchProtection, PullRequest, Repository, ids

REPOSITORY = Fields("Repository")
REF = Fields("Ref", record=Ref)
COMPARISON = Fields("Comparison", record=Comparison)
OBJECTS = Fields("Commit", "Tree", "Blob", "Tag")
TREE = Fields("Tree", record=Tree)
BLOB = Fields("Blob", record=Blob)
TAG = Fields("Tag", record=Tag)
ENTRY = Fields("TreeEntry", record=TreeEntry)
RULE = Fields("BranchProtectionRule", record=BranchProtection)
REQUIRED = Fields("RequiredStatusCheckDescription")

_SHOWN = 512 * 1024  # bytes of a blob's text that GitHub hands out


@REPOSITORY("object")
def object_(
    repository: Repository, ctx: Context, expression: str | None = None, oid: str | None = None
) -> GitObject | None:
    """By sha, or by anything ``git rev-parse`` knows (``main:path``, ``HEAD``, ``v1.0^{tree}``)."""
    ctx.need(repository, "contents")
    if not expression and not oid:
        raise Refused("ARGUMENT_ERROR", "Either `expression` or `oid` must be given to resolve the `object` field.")
    return gitnodes.git_object(repository, oid or expression or "")


@REPOSITORY("ref")
def ref(repository: Repository, ctx: Context, qualified_name: str) -> Ref | None:
    ctx.need(repository, "contents")
    return gitnodes.ref(repository, qualified_name)


@REPOSITORY.connection("refs")
def refs(
    repository: Repository,
    ctx: Context,
    ref_prefix: str,
    query: str | None = None,
    direction: str | None = None,
    order_by: Order = None,
) -> list[Ref]:
    ctx.need(repository, "contents")
    found = [Ref(repository, name, sha) for name, (sha, _) in repository.git.refs(ref_prefix.rstrip("/")).items()]
    matching = [ref for ref in found if not query or query.lower() in ref.name.removeprefix(ref_prefix).lower()]
    if order_by and order_by["field"] == "TAG_COMMIT_DATE":
        by_date = sorted(matching, key=_commit_date)
        return by_date[::-1] if order_by["direction"] == "DESC" else by_date
    return ordered(matching, order_by or {"field": "ALPHABETICAL", "direction": direction or "ASC"})


def _commit_date(ref: Ref) -> float:
    sha = ref.repository.git.resolve(ref.name.removeprefix("refs/"))
    facts = ref.repository.git.commit(sha) if sha else None
    return facts.committer.date.timestamp() if facts else 0.0


@REPOSITORY("defaultBranchRef")
def default_branch_ref(repository: Repository, _ctx: Context) -> Ref | None:
    return gitnodes.ref(repository, f"refs/heads/{repository.default_branch}")


# Refs -----------------------------------------------------------------------------------------------------------------

REF.same("repository")
REF.renamed(id="node_id")


def _split(name: str) -> tuple[str, str]:
    """(prefix, short name): ``refs/heads/`` and ``feature/x``."""
    for prefix in ("refs/heads/", "refs/tags/"):
        if name.startswith(prefix):
            return prefix, name.removeprefix(prefix)
    return "refs/", name.removeprefix("refs/")


@REF("name")
def name(ref: Ref, _ctx: Context) -> str:
    return _split(ref.name)[1]


@REF("prefix")
def prefix(ref: Ref, _ctx: Context) -> str:
    return _split(ref.name)[0]


@REF("target")
def target(ref: Ref, _ctx: Context) -> GitObject | None:
    return gitnodes.git_object(ref.repository, ref.sha)


@REF.connection("associatedPullRequests")
def associated_pulls(ref: Ref, ctx: Context, **wanted: Any) -> list[PullRequest]:
    """The pull requests whose head this branch is."""
    branch = _split(ref.name)[1]
    pulls = [p for r in ctx.visible_repositories() for p in r.pulls if p.head_repository is ref.repository]
    return pulls_where([p for p in pulls if p.head_ref == branch], **wanted)


@REF("branchProtectionRule")
def branch_protection_rule(ref: Ref, _ctx: Context) -> BranchProtection | None:
    kind, branch = _split(ref.name)
    return ref.repository.protection(branch) if kind == "refs/heads/" else None


@REF("compare")
def compare(ref: Ref, _ctx: Context, head_ref: str) -> Comparison | None:
    """This ref as the base, ``headRef`` (a branch, a tag or a sha) as the head."""
    git = ref.repository.git
    base, head = (gitnodes.commit(ref.repository, git.resolve(n)) for n in (ref.name.removeprefix("refs/"), head_ref))
    if base is None or head is None:
        return None
    return Comparison(ref.repository, base, head, ids.node_id("CMP", ref.repository.id, f"{base.oid}{head.oid}"))


COMPARISON.renamed(id="node_id", baseTarget="base", headTarget="head")


@COMPARISON("aheadBy")
def ahead_by(comparison: Comparison, _ctx: Context) -> int:
    return comparison.ahead_behind[0]


@COMPARISON("behindBy")
def behind_by(comparison: Comparison, _ctx: Context) -> int:
    return comparison.ahead_behind[1]


@COMPARISON("status")
def comparison_status(comparison: Comparison, _ctx: Context) -> str:
    ahead, behind = comparison.ahead_behind
    if ahead and behind:
        return "DIVERGED"
    return "AHEAD" if ahead else "BEHIND" if behind else "IDENTICAL"


@COMPARISON.connection("commits")
def comparison_commits(comparison: Comparison, _ctx: Context) -> list[Commit]:
    shas = comparison.repository.git.log(comparison.head.oid, f"^{comparison.base.oid}", reverse=True)
    return [found for sha in shas if (found := gitnodes.commit(comparison.repository, sha))]


# Trees, blobs and tags ------------------------------------------------------------------------------------------------

OBJECTS.same("oid", "repository")
OBJECTS.renamed(id="node_id")


@OBJECTS("abbreviatedOid")
def abbreviated_oid(record: GitObject, _ctx: Context) -> str:
    return record.oid[:7]


@OBJECTS("commitResourcePath")
def commit_resource_path(record: GitObject, ctx: Context) -> str:
    return f"{ctx.path(record.repository)}/commit/{record.oid}"


@OBJECTS("commitUrl")
def commit_url(record: GitObject, ctx: Context) -> str:
    return ctx.url(commit_resource_path(record, ctx))


@TREE("entries")
def entries(tree: Tree, _ctx: Context) -> list[TreeEntry]:
    below = f"{tree.path}/" if tree.path else ""
    found = tree.repository.git.tree(tree.oid) or []
    return [TreeEntry(tree.repository, entry, below + entry.path) for entry in found]


ENTRY.same("repository", "path")
ENTRY.constant(isGenerated=False)
ENTRY("oid")(lambda entry, _ctx: entry.entry.sha)
ENTRY("type")(lambda entry, _ctx: entry.entry.type)
ENTRY("size")(lambda entry, _ctx: entry.entry.size or 0)
ENTRY("mode")(lambda entry, _ctx: int(entry.entry.mode, 8))
ENTRY("name")(lambda entry, _ctx: PurePosixPath(entry.path).name)
ENTRY("extension")(lambda entry, _ctx: PurePosixPath(entry.path).suffix)
ENTRY("nameRaw")(lambda entry, _ctx: _base64(PurePosixPath(entry.path).name))
ENTRY("pathRaw")(lambda entry, _ctx: _base64(entry.path))


def _base64(text: str) -> str:
    return base64.b64encode(text.encode("utf-8", "surrogateescape")).decode()


@ENTRY("object")
def entry_object(entry: TreeEntry, _ctx: Context) -> GitObject | None:
    """What the entry names; null for a submodule, whose commit is elsewhere."""
    if entry.entry.type == "tree":
        return Tree(entry.repository, entry.entry.sha, entry.path)
    return gitnodes.git_object(entry.repository, entry.entry.sha)


@ENTRY("lineCount")
def line_count(entry: TreeEntry, _ctx: Context) -> int | None:
    if entry.entry.type != "blob":
        return None
    return len((entry.repository.git.blob(entry.entry.sha) or b"").splitlines())


BLOB.renamed(byteSize="size")


@BLOB("isBinary")
def is_binary(blob: Blob, _ctx: Context) -> bool:
    return b"\0" in blob.content()[:8000]


@BLOB("isTruncated")
def is_truncated(blob: Blob, _ctx: Context) -> bool:
    return blob.size > _SHOWN


@BLOB("text")
def text(blob: Blob, ctx: Context) -> str | None:
    """UTF-8 text, at most half a mebibyte of it; null for binary content."""
    return None if is_binary(blob, ctx) else blob.content()[:_SHOWN].decode("utf-8", "replace")


TAG("name")(lambda tag, _ctx: tag.facts.tag)
TAG("message")(lambda tag, _ctx: tag.facts.message)
TAG("tagger")(lambda tag, _ctx: gitnodes.GitActor(tag.repository, tag.facts.tagger))
TAG("target")(lambda tag, _ctx: gitnodes.git_object(tag.repository, tag.facts.object))

# Branch protection ----------------------------------------------------------------------------------------------------

RULE.same("pattern", "lockBranch")
RULE.renamed(
    id="node_id",
    databaseId="id",
    allowsDeletions="allow_deletions",
    allowsForcePushes="allow_force_pushes",
    blocksCreations="block_creations",
    isAdminEnforced="enforce_admins",
    requiresCommitSignatures="required_signatures",
    requiresConversationResolution="required_conversation_resolution",
    requiresLinearHistory="required_linear_history",
    requiresStrictStatusChecks="strict",
)
REQUIRED("app")(lambda check, ctx: ctx.state.apps.get(check.app_id) if check.app_id is not None else None)
REQUIRED.same("context")


@REPOSITORY.connection("branchProtectionRules")
def branch_protection_rules(repository: Repository, ctx: Context) -> list[BranchProtection]:
    ctx.need(repository, "administration")
    return list(repository.protections)


def _rule_repository(rule: BranchProtection, ctx: Context) -> Repository:
    return next(r for r in list(ctx.state.repositories.values()) if rule in r.protections)


RULE("repository")(_rule_repository)


@RULE.connection("matchingRefs")
def matching_refs(rule: BranchProtection, ctx: Context, query: str | None = None) -> list[Ref]:
    repository = _rule_repository(rule, ctx)
    branches = refs(repository, ctx, "refs/heads/", query)
    return [ref for ref in branches if repository.protection(_split(ref.name)[1]) is rule]


RULE("requiresStatusChecks")(lambda rule, _ctx: rule.required_checks is not None)
RULE("requiredStatusCheckContexts")(lambda rule, _ctx: [check.context for check in rule.required_checks or []])
RULE("requiredStatusChecks")(lambda rule, _ctx: list(rule.required_checks or []))
RULE("restrictsPushes")(lambda rule, _ctx: rule.restrictions is not None)
RULE("requiresApprovingReviews")(lambda rule, _ctx: rule.required_reviews is not None)


def _review_rule(field: str, attribute: str, otherwise: Any) -> None:
    RULE(field)(
        lambda rule, _ctx: getattr(rule.required_reviews, attribute) if rule.required_reviews is not None else otherwise
    )


_review_rule("requiredApprovingReviewCount", "required_approving_review_count", None)
_review_rule("dismissesStaleReviews", "dismiss_stale_reviews", False)
_review_rule("requiresCodeOwnerReviews", "require_code_owner_reviews", False)
_review_rule("requireLastPushApproval", "require_last_push_approval", False)
