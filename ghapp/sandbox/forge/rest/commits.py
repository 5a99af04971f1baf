"""Commits: listed, shown, compared, and the pull requests they belong to."""

from __future__ import annotations

from typing import Any

from ghapp.sandbox.forge.git.objects import EMPTY_TREE
from ghapp.sandbox.forge.model import Repository
from ghapp.sandbox.forge.operations import merging
from ghapp.sandbox.forge.operations import pulls as operations
from ghapp.sandbox.forge.rest import finding
from ghapp.sandbox.forge.serialize import gitdata, pulls
from ghapp.sandbox.forge.serialize.repositories import api_url, html_url
from ghapp.sandbox.forge.web.admission import may_read
from ghapp.sandbox.forge.web.call import Call, Reply
from ghapp.sandbox.forge.web.errors import ApiError, not_found
from ghapp.sandbox.forge.web.routing import Route

_FILES_LIMIT = 300


def _list(call: Call) -> Reply:
    git, query = call.repository.git, call.query
    tip = git.resolve(query.get("sha") or call.repository.default_branch)
    if tip is None:
        if query.get("sha"):
            raise not_found()
        raise ApiError(409, "Git Repository is empty.")
    shas = git.log(tip, path=query.get("path"), since=query.get("since"), until=query.get("until"))
    if author := query.get("author"):
        shas = [sha for sha in shas if _is_by(call, sha, author)]
    return call.page(shas, lambda sha: described(call, sha))


def _is_by(call: Call, sha: str, author: str) -> bool:
    commit = call.repository.git.commit(sha)
    if commit is None:
        return False
    account = call.state.user_by_email(commit.author.email)
    return author in (commit.author.email, commit.author.name) or (account is not None and account.login == author)


def described(call: Call, sha: str) -> dict[str, Any]:
    """A commit by its sha, without files."""
    commit = call.repository.git.commit(sha)
    if commit is None:
        raise not_found()
    return gitdata.commit(call.state, call.repository, commit)


def _get(call: Call) -> Any:
    commit = finding.commit(call, call.params["ref"])
    git, parent = call.repository.git, commit.parents[0] if commit.parents else None
    if call.accepts("sha"):
        return Reply(commit.sha.encode(), headers={"Content-Type": "application/vnd.github.sha; charset=utf-8"})
    if call.accepts("diff"):
        return text(git.diff_text(parent, commit.sha), "diff")
    if call.accepts("patch"):
        return text(git.patch_text(parent or EMPTY_TREE, commit.sha), "patch")
    files = git.diff(parent, commit.sha)
    listing = call.page(files[:3000], lambda f: gitdata.changed_file(call.state, call.repository, commit.sha, f))
    body = {
        **gitdata.commit(call.state, call.repository, commit),
        "stats": gitdata.stats(files),
        "files": listing.body,
    }
    return Reply(body, headers=listing.headers)


def text(value: str, kind: str) -> Reply:
    """A diff or patch as GitHub sends it."""
    return Reply(
        value.encode("utf-8", "replace"), headers={"Content-Type": f"application/vnd.github.{kind}; charset=utf-8"}
    )


def _pulls(call: Call) -> Reply:
    """The pull requests that contain the commit, and the one that brought it."""
    sha = finding.sha(call, call.params["commit_sha"])
    found = operations.with_commit(call.repository, sha)
    return call.page(found, lambda pull: pulls.simple_pull(call.state, pull))


def _branches_where_head(call: Call) -> Reply:
    sha = finding.sha(call, call.params["commit_sha"])
    heads = call.repository.git.refs("refs/heads").items()
    names = [name.removeprefix("refs/heads/") for name, (tip, _) in heads if tip == sha]
    url = f"{api_url(call.state, call.repository)}/commits/{sha}"
    return call.page(
        names,
        lambda name: {
            "name": name,
            "commit": {"sha": sha, "url": url},
            "protected": call.repository.protection(name) is not None,
        },
    )


# Comparisons ----------------------------------------------------------------------------------------------------------


def _resolved(call: Call, side: str) -> str:
    """The commit that one side means; ``owner:branch`` is a fork's, whose commits are brought here to compare."""
    repository, name = call.repository, side
    if ":" in side:
        owner, _, name = side.partition(":")
        repository = _relative(call, owner)
    sha = repository.git.resolve(name)
    if sha is None:
        raise not_found()
    if repository is not call.repository:
        call.repository.git.fetch(repository.git, sha)
    return sha


def _relative(call: Call, owner: str) -> Repository:
    own = call.repository
    network = [own, *call.state.forks_of(own), *([own.parent] if own.parent else [])]
    if own.parent is not None:
        network += call.state.forks_of(own.parent)
    for repository in network:
        if repository.owner.login.lower() == owner.lower() and may_read(call.state, call.actor, repository):
            return repository
    raise not_found()


def _compare(call: Call) -> Any:
    left, dots, right = call.params["basehead"].partition("...")
    if not dots:
        raise not_found()
    git = call.repository.git
    base, head = _resolved(call, left), _resolved(call, right)
    fork_point = git.merge_base(base, head)
    if fork_point is None:
        raise ApiError(404, f"No common ancestor between {left} and {right}.")
    if call.accepts("diff"):
        return text(git.diff_text(fork_point, head), "diff")
    if call.accepts("patch"):
        return text(git.patch_text(fork_point, head), "patch")
    return _comparison(call, left, right, base, head, fork_point)


def _comparison(call: Call, left: str, right: str, base: str, head: str, fork_point: str) -> Reply:
    git, state, repository = call.repository.git, call.state, call.repository
    ahead, behind = git.ahead_behind(base, head)
    status = {(False, False): "identical", (True, False): "ahead", (False, True): "behind"}.get(
        (ahead > 0, behind > 0), "diverged"
    )
    paged = "page" in call.query or "per_page" in call.query
    shas = git.between(base, head)
    commits = call.page(shas if paged else shas[:250], lambda sha: described(call, sha))
    listed = commits.body if paged else [described(call, sha) for sha in shas[:250]]
    first_page = call.query.get("page", "1") == "1"
    files = git.diff(fork_point, head)[:_FILES_LIMIT] if first_page else ()
    page = f"{html_url(state, repository)}/compare/{left}...{right}"
    return Reply(
        {
            "url": f"{api_url(state, repository)}/compare/{left}...{right}",
            "html_url": page,
            "permalink_url": page,
            "diff_url": f"{page}.diff",
            "patch_url": f"{page}.patch",
            "base_commit": described(call, base),
            "merge_base_commit": described(call, fork_point),
            "status": status,
            "ahead_by": ahead,
            "behind_by": behind,
            "total_commits": ahead,
            "commits": listed,
            "files": [gitdata.changed_file(state, repository, head, f) for f in files],
        },
        headers=commits.headers if paged else {},
    )


def _merge(call: Call) -> Reply | None:
    """Merge one branch into another without a pull request."""
    body = call.body
    base, head = body.required("base"), body.required("head")
    sha = merging.merge_branches(
        call.state, call.repository, call.actor.person, base, head, body.text("commit_message"), call.actor.app
    )
    return Reply(described(call, sha), 201) if sha is not None else None


_COMMITS = "/repos/{owner}/{repo}/commits"

ROUTES = [
    Route("GET", _COMMITS, _list, "contents:read"),
    Route("GET", f"{_COMMITS}/{{ref}}", _get, "contents:read"),
    Route("GET", f"{_COMMITS}/{{commit_sha}}/pulls", _pulls, "pull_requests:read|contents:read"),
    Route("GET", f"{_COMMITS}/{{commit_sha}}/branches-where-head", _branches_where_head, "contents:read"),
    Route("GET", "/repos/{owner}/{repo}/compare/{basehead}", _compare, "contents:read"),
    Route("POST", "/repos/{owner}/{repo}/merges", _merge, "contents:write"),
]
