"""Repositories: settings, collaborators, labels, releases, and the way to everything that is in them."""

from __future__ import annotations

from typing import Any

from ghapp.sandbox.forge.graphql import gitnodes
from ghapp.sandbox.forge.graphql.context import Context
from ghapp.sandbox.forge.graphql.errors import Refused, not_found
from ghapp.sandbox.forge.graphql.gitnodes import GitObject, Ref
from ghapp.sandbox.forge.graphql.registry import Fields
from ghapp.sandbox.forge.graphql.selection import Order, ordered, pulls_where, repositories_where
from ghapp.sandbox.forge.model import Issue, Label, Organization, PullRequest, Release, Repository, User

REPOSITORY = Fields("Repository", record=Repository)
COLLABORATOR = Fields("RepositoryCollaboratorEdge")
LABEL = Fields("Label", record=Label)
RELEASE = Fields("Release", record=Release)

REPOSITORY.same("createdAt", "updatedAt", "pushedAt", "name", "description", "owner", "parent", "deleteBranchOnMerge")
REPOSITORY.same("allowUpdateBranch")
REPOSITORY.renamed(
    id="node_id",
    databaseId="id",
    nameWithOwner="full_name",
    homepageUrl="homepage",
    isArchived="archived",
    isFork="fork",
    isPrivate="private",
    autoMergeAllowed="allow_auto_merge",
    mergeCommitAllowed="allow_merge_commit",
    squashMergeAllowed="allow_squash_merge",
    rebaseMergeAllowed="allow_rebase_merge",
)
REPOSITORY.constant(
    hasIssuesEnabled=True,
    isDisabled=False,
    isLocked=False,
    isMirror=False,
    isTemplate=False,
    stargazerCount=0,
    viewerDefaultMergeMethod="MERGE",
)


@REPOSITORY("resourcePath")
def resource_path(repository: Repository, ctx: Context) -> str:
    return ctx.path(repository)


@REPOSITORY("url")
def url(repository: Repository, ctx: Context) -> str:
    return ctx.url(ctx.path(repository))


@REPOSITORY("sshUrl")
def ssh_url(repository: Repository, _ctx: Context) -> str:
    return f"git@sandbox.invalid:{repository.full_name}.git"


@REPOSITORY("visibility")
def visibility(repository: Repository, _ctx: Context) -> str:
    return repository.visibility.upper()


@REPOSITORY("archivedAt")
def archived_at(repository: Repository, _ctx: Context) -> Any:
    return repository.updated_at if repository.archived else None


@REPOSITORY("isInOrganization")
def is_in_organization(repository: Repository, _ctx: Context) -> bool:
    return isinstance(repository.owner, Organization)


@REPOSITORY("isEmpty")
def is_empty(repository: Repository, _ctx: Context) -> bool:
    return not repository.git.refs("refs/heads")


@REPOSITORY("viewerPermission")
def viewer_permission(repository: Repository, ctx: Context) -> str | None:
    """The viewer's role; null for apps, whose rights are permissions and not a role."""
    if ctx.viewer.token is not None:
        return None
    role = ctx.state.permission(repository, ctx.me)
    return role.upper() if role != "none" else None


@REPOSITORY("viewerCanAdminister")
def viewer_can_administer(repository: Repository, ctx: Context) -> bool:
    return ctx.viewer.token is None and ctx.has_role(repository, "admin")


@REPOSITORY("forkCount")
def fork_count(repository: Repository, ctx: Context) -> int:
    return len(ctx.state.forks_of(repository))


@REPOSITORY.connection("forks")
def forks(repository: Repository, ctx: Context, **wanted: Any) -> list[Repository]:
    return repositories_where([fork for fork in ctx.state.forks_of(repository) if ctx.sees(fork)], **wanted)


# People ---------------------------------------------------------------------------------------------------------------


def _matches(user: User, query: str | None) -> bool:
    return not query or query.lower() in f"{user.login} {user.name or ''}".lower()


@REPOSITORY.connection("collaborators")
def collaborators(
    repository: Repository,
    ctx: Context,
    affiliation: str | None = None,
    query: str | None = None,
    login: str | None = None,
) -> list[User]:
    """Who has access beyond the public's; ``query`` matches within logins and names, as GitHub's does."""
    if ctx.viewer.token is None and not ctx.has_role(repository, "write"):
        raise Refused("FORBIDDEN", "You do not have permission to view repository collaborators.")
    members = repository.owner.members if isinstance(repository.owner, Organization) else {}
    return [
        user
        for user, _ in ctx.state.collaborators(repository)
        if (affiliation != "DIRECT" or user.id in repository.collaborators)
        and (affiliation != "OUTSIDE" or (user.id in repository.collaborators and user.id not in members))
        and (login is None or user.login.lower() == login.lower())
        and _matches(user, query)
    ]


@COLLABORATOR("permission")
def collaborator_permission(edge: Any, ctx: Context) -> str:
    return ctx.state.permission(edge.owner, edge.node).upper()


@REPOSITORY.connection("assignableUsers")
def assignable_users(repository: Repository, ctx: Context, query: str | None = None) -> list[User]:
    return [user for user, _ in ctx.state.collaborators(repository) if _matches(user, query)]


# Issues and pull requests ---------------------------------------------------------------------------------------------


@REPOSITORY("pullRequest")
def pull_request(repository: Repository, ctx: Context, number: int) -> PullRequest:
    ctx.need(repository, "pull_requests")
    if (found := repository.pull(number)) is None:
        raise not_found("PullRequest", f"with the number of {number}")
    return found


@REPOSITORY("issue")
def issue(repository: Repository, ctx: Context, number: int) -> Issue:
    ctx.need(repository, "issues")
    found = repository.issues.get(number)
    if found is None or isinstance(found, PullRequest):
        raise not_found("Issue", f"with the number of {number}")
    return found


@REPOSITORY("issueOrPullRequest")
def issue_or_pull_request(repository: Repository, ctx: Context, number: int) -> Issue:
    if (found := repository.issues.get(number)) is None:
        raise not_found("issue or pull request", f"with the number of {number}")
    ctx.need(repository, "pull_requests" if isinstance(found, PullRequest) else "issues")
    return found


@REPOSITORY.connection("pullRequests")
def pull_requests(repository: Repository, ctx: Context, **wanted: Any) -> list[PullRequest]:
    ctx.need(repository, "pull_requests")
    return pulls_where(repository.pulls, **wanted)


@REPOSITORY.connection("issues")
def issues(
    repository: Repository,
    ctx: Context,
    states: list[str] | None = None,
    labels: list[str] | None = None,
    filter_by: dict[str, Any] | None = None,
    order_by: Order = None,
) -> list[Issue]:
    ctx.need(repository, "issues")
    wanted = filter_by or {}
    states, labels = wanted.get("states", states), wanted.get("labels", labels)
    author, assignee, since = wanted.get("created_by"), wanted.get("assignee"), wanted.get("since")
    found = [
        issue
        for issue in list(repository.issues.values())
        if not isinstance(issue, PullRequest)
        and (states is None or issue.state.upper() in states)
        and (labels is None or {name.lower() for name in labels} & {label.name.lower() for label in issue.labels})
        and (author is None or issue.user.login.lower() == author.lower())
        and (assignee is None or assignee.lower() in {user.login.lower() for user in issue.assignees})
        and (since is None or issue.updated_at >= since)
    ]
    return ordered(found, order_by)


# Labels and releases --------------------------------------------------------------------------------------------------


@REPOSITORY("label")
def label(repository: Repository, _ctx: Context, name: str) -> Label | None:
    return repository.label(name)


@REPOSITORY.connection("labels")
def labels(repository: Repository, _ctx: Context, query: str | None = None, order_by: Order = None) -> list[Label]:
    wanted = (query or "").lower()
    found = [label for label in list(repository.labels) if wanted in f"{label.name} {label.description or ''}".lower()]
    return ordered(found, order_by)


LABEL.same("color", "description", "name")
LABEL.renamed(id="node_id", isDefault="default")
LABEL.constant(createdAt=None, updatedAt=None)
LABEL("repository")(lambda label, ctx: ctx.repository_of(label))


@LABEL("resourcePath")
def label_path(label: Label, ctx: Context) -> str:
    return f"{ctx.path(ctx.repository_of(label))}/labels/{label.name}"


@LABEL("url")
def label_url(label: Label, ctx: Context) -> str:
    return ctx.url(label_path(label, ctx))


@LABEL.connection("pullRequests")
def labelled_pulls(label: Label, ctx: Context, **wanted: Any) -> list[PullRequest]:
    return pulls_where([pull for pull in ctx.repository_of(label).pulls if label in pull.labels], **wanted)


@REPOSITORY("release")
def release(repository: Repository, _ctx: Context, tag_name: str) -> Release | None:
    return next((r for r in list(repository.releases) if r.tag_name == tag_name), None)


@REPOSITORY("latestRelease")
def latest_release(repository: Repository, _ctx: Context) -> Release | None:
    final = [r for r in list(repository.releases) if not r.draft and not r.prerelease]
    return final[-1] if final else None


@REPOSITORY.connection("releases")
def releases(repository: Repository, _ctx: Context, order_by: Order = None) -> list[Release]:
    return ordered(reversed(list(repository.releases)), order_by)


RELEASE.same("author", "createdAt", "name", "publishedAt", "tagName")
RELEASE.renamed(id="node_id", databaseId="id", description="body", isDraft="draft", isPrerelease="prerelease")
RELEASE.renamed(updatedAt="created_at")
RELEASE("repository")(lambda release, ctx: ctx.repository_of(release))


@RELEASE("isLatest")
def is_latest(release: Release, ctx: Context) -> bool:
    return latest_release(ctx.repository_of(release), ctx) is release


@RELEASE("resourcePath")
def release_path(release: Release, ctx: Context) -> str:
    return f"{ctx.path(ctx.repository_of(release))}/releases/tag/{release.tag_name}"


@RELEASE("url")
def release_url(release: Release, ctx: Context) -> str:
    return ctx.url(release_path(release, ctx))


@RELEASE("tag")
def release_tag(release: Release, ctx: Context) -> Ref | None:
    return gitnodes.ref(ctx.repository_of(release), f"refs/tags/{release.tag_name}")


@RELEASE("tagCommit")
def release_commit(release: Release, ctx: Context) -> GitObject | None:
    repository = ctx.repository_of(release)
    sha = repository.git.resolve(release.tag_name)
    return gitnodes.commit(repository, sha)
