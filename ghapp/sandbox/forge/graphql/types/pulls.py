"""Pull requests: head and base, commits and files, whether they may be merged, and what was asked of whom."""

from __future__ import annotations

from dataclasses import dataclass

from ghapp.sandbox.forge.git.objects import FileChange
from ghapp.sandbox.forge.graphql import gitnodes
from ghapp.sandbox.forge.graphql.context import Context
from ghapp.sandbox.forge.graphql.gitnodes import Commit, PullCommit, Ref
from ghapp.sandbox.forge.graphql.registry import Fields
from ghapp.sandbox.forge.graphql.selection import pull_state
from ghapp.sandbox.forge.model import AutoMerge, Organization, PullRequest, Team, User, ids
from ghapp.sandbox.forge.operations import comparison, merging

# As many commits as GitHub lists of a pull request.
COMMITS_LISTED = 250

PULL = Fields("PullRequest", record=PullRequest)
PULL_COMMIT = Fields("PullRequestCommit", record=PullCommit)
FILE = Fields("PullRequestChangedFile", record=FileChange)
REQUEST = Fields("ReviewRequest")
AUTO_MERGE = Fields("AutoMergeRequest")

PULL.same("merged", "mergedAt", "mergedBy", "maintainerCanModify", "headRepository", "isCrossRepository")
PULL.renamed(
    id="pull_node_id",
    databaseId="pull_id",
    isDraft="draft",
    baseRefName="base_ref",
    baseRefOid="base_sha",
    headRefName="head_ref",
    headRefOid="head_sha",
    baseRepository="repository",
)
PULL.constant(activeLockReason=None, isMergeQueueEnabled=False)
PULL("fullDatabaseId")(lambda pull, _ctx: str(pull.pull_id))
PULL("state")(lambda pull, _ctx: pull_state(pull))
PULL("permalink")(lambda pull, ctx: ctx.url(ctx.path(pull)))
PULL("checksResourcePath")(lambda pull, ctx: f"{ctx.path(pull)}/checks")
PULL("checksUrl")(lambda pull, ctx: ctx.url(f"{ctx.path(pull)}/checks"))


@PULL("headRepositoryOwner")
def head_repository_owner(pull: PullRequest, ctx: Context) -> User | Organization | None:
    """Whose the head is, also when the fork itself is gone."""
    return pull.head_repository.owner if pull.head_repository else ctx.state.account(pull.head_owner)


@PULL("headRef")
def head_ref(pull: PullRequest, _ctx: Context) -> Ref | None:
    return gitnodes.ref(pull.head_repository, f"refs/heads/{pull.head_ref}") if pull.head_repository else None


@PULL("baseRef")
def base_ref(pull: PullRequest, _ctx: Context) -> Ref | None:
    return gitnodes.ref(pull.repository, f"refs/heads/{pull.base_ref}")


@PULL.connection("participants")
def participants(pull: PullRequest, _ctx: Context) -> list[User]:
    """The author and everybody who commented or reviewed; apps are not people."""
    spoke = [pull.user, *(c.user for c in list(pull.comments)), *(r.user for r in list(pull.reviews))]
    return [user for user in dict.fromkeys(spoke) if user.type == "User"]


@PULL("totalCommentsCount")
def total_comments_count(pull: PullRequest, _ctx: Context) -> int:
    return len(pull.comments) + len(pull.review_comments) + sum(bool(review.body) for review in list(pull.reviews))


# Commits and files ----------------------------------------------------------------------------------------------------


@PULL.connection("commits")
def commits(pull: PullRequest, _ctx: Context) -> list[PullCommit]:
    """Oldest first, and no more than GitHub lists."""
    found = (gitnodes.commit(pull.repository, sha) for sha in comparison.commits(pull)[:COMMITS_LISTED])
    return [PullCommit(pull, commit) for commit in found if commit]


PULL_COMMIT.renamed(id="node_id", pullRequest="pull")
PULL_COMMIT.same("commit")


@PULL_COMMIT("resourcePath")
def pull_commit_path(entry: PullCommit, ctx: Context) -> str:
    return f"{ctx.path(entry.pull)}/commits/{entry.commit.oid}"


@PULL_COMMIT("url")
def pull_commit_url(entry: PullCommit, ctx: Context) -> str:
    return ctx.url(pull_commit_path(entry, ctx))


@PULL.connection("files")
def files(pull: PullRequest, _ctx: Context) -> list[FileChange]:
    return list(comparison.files(pull))


PULL("additions")(lambda pull, _ctx: sum(file.additions for file in comparison.files(pull)))
PULL("deletions")(lambda pull, _ctx: sum(file.deletions for file in comparison.files(pull)))
PULL("changedFiles")(lambda pull, _ctx: len(comparison.files(pull)))
FILE.same("additions", "deletions")
FILE.renamed(path="filename")
FILE("changeType")(lambda file, _ctx: "DELETED" if file.status == "removed" else file.status.upper())

# Merging --------------------------------------------------------------------------------------------------------------


@PULL("mergeable")
def mergeable(pull: PullRequest, ctx: Context) -> str:
    return {True: "MERGEABLE", False: "CONFLICTING", None: "UNKNOWN"}[comparison.refresh_mergeable(ctx.state, pull)]


@PULL("mergeStateStatus")
def merge_state_status(pull: PullRequest, ctx: Context) -> str:
    return merging.mergeable_state(ctx.state, pull).upper()


@PULL("isInMergeQueue")
def is_in_merge_queue(pull: PullRequest, _ctx: Context) -> bool:
    """Whether a group with this pull request is being checked."""
    groups = f"refs/heads/gh-readonly-queue/{pull.base_ref}"
    return any(ref.startswith(f"{groups}/pr-{pull.number}-") for ref in pull.repository.git.refs(groups))


@PULL("canBeRebased")
def can_be_rebased(pull: PullRequest, ctx: Context) -> bool:
    return bool(comparison.refresh_mergeable(ctx.state, pull))


@PULL("mergeCommit")
def merge_commit(pull: PullRequest, _ctx: Context) -> Commit | None:
    return gitnodes.commit(pull.repository, pull.merge_commit_sha) if pull.merged else None


@PULL("potentialMergeCommit")
def potential_merge_commit(pull: PullRequest, _ctx: Context) -> Commit | None:
    sha = pull.repository.git.ref(f"refs/pull/{pull.number}/merge") if pull.state == "open" else None
    return gitnodes.commit(pull.repository, sha)


@dataclass(frozen=True, slots=True)
class AutoMergeRequest:
    """A pull request's wish to be merged."""

    pull: PullRequest
    wish: AutoMerge


@PULL("autoMergeRequest")
def auto_merge_request(pull: PullRequest, _ctx: Context) -> AutoMergeRequest | None:
    return AutoMergeRequest(pull, pull.auto_merge) if pull.auto_merge else None


AUTO_MERGE.renamed(pullRequest="pull")
AUTO_MERGE.constant(authorEmail=None)
AUTO_MERGE("commitHeadline")(lambda request, _ctx: request.wish.commit_title)
AUTO_MERGE("commitBody")(lambda request, _ctx: request.wish.commit_message)
AUTO_MERGE("enabledAt")(lambda request, _ctx: request.wish.enabled_at)
AUTO_MERGE("enabledBy")(lambda request, _ctx: request.wish.enabled_by)
AUTO_MERGE("mergeMethod")(lambda request, _ctx: request.wish.merge_method.upper())

# Requests for review --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReviewRequest:
    """Someone whose review is wanted and who has not given it yet."""

    pull: PullRequest
    reviewer: User | Team

    @property
    def node_id(self) -> str:
        return ids.node_id("RR", self.pull.pull_id, self.reviewer.node_id)


@PULL.connection("reviewRequests")
def review_requests(pull: PullRequest, _ctx: Context) -> list[ReviewRequest]:
    wanted: list[User | Team] = [*pull.requested_reviewers, *pull.requested_teams]
    return [ReviewRequest(pull, reviewer) for reviewer in wanted]


REQUEST.renamed(id="node_id", pullRequest="pull", requestedReviewer="reviewer")
REQUEST.constant(asCodeOwner=False, databaseId=None)
