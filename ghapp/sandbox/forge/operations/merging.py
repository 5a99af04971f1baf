"""Merging pull requests: whether one may be merged, the three methods, and what they leave in git."""

from __future__ import annotations

import re

from ghapp.sandbox.forge.git.objects import GitCommit, Signature
from ghapp.sandbox.forge.git.store import RefConflict
from ghapp.sandbox.forge.model import App, PullRequest, Repository, State, User
from ghapp.sandbox.forge.operations import comparison, protection, pulls, refs
from ghapp.sandbox.forge.operations.identity import signature
from ghapp.sandbox.forge.web.errors import ApiError, unprocessable

METHODS = ("merge", "squash", "rebase")

_NOT_MERGEABLE = "Pull Request is not mergeable"


def mergeable_state(state: State, pull: PullRequest) -> str:
    """GitHub's word for it: clean, dirty, blocked, behind, unstable, draft or unknown."""
    mergeable = comparison.refresh_mergeable(state, pull)
    if mergeable is None:
        return "unknown"
    if not mergeable:
        return "dirty"
    if pull.draft:
        return "draft"
    reasons = protection.unmet(state, pull)
    if any("not up to date" in reason for reason in reasons) and len(reasons) == 1:
        return "behind"
    if reasons:
        return "blocked"
    return "unstable" if _unstable(pull) else "clean"


def _unstable(pull: PullRequest) -> bool:
    """Whether a check that nobody requires is not (yet) good."""
    repository, sha = pull.repository, pull.head_sha
    runs = [run for suite in repository.suites_of(sha) for run in suite.latest_runs()]
    if any(run.conclusion not in ("success", "neutral", "skipped") for run in runs):
        return True
    return any(status.state != "success" for status in repository.latest_statuses(sha))


def refusal(state: State, pull: PullRequest, user: User, app: App | None, method: str) -> ApiError | None:
    """The error that GitHub answers a merge with, or None when it may go ahead."""
    repository = pull.repository
    if pull.state != "open":
        return ApiError(405, _NOT_MERGEABLE)
    if pull.draft:
        return ApiError(405, "Pull Request is still a draft")
    allowed = {
        "merge": repository.allow_merge_commit,
        "squash": repository.allow_squash_merge,
        "rebase": repository.allow_rebase_merge,
    }
    if not allowed[method]:
        words = {"merge": "Merge commits", "squash": "Squash merges", "rebase": "Rebase merges"}[method]
        return ApiError(405, f"{words} are not allowed on this repository.")
    rule = repository.protection(pull.base_ref)
    if rule is not None:
        if rule.required_linear_history and method == "merge":
            return ApiError(405, "This branch must not contain merge commits.")
        if not protection.may_push(state, repository, rule, user, app):
            return ApiError(405, "You're not authorized to push to this branch. Visit the branch protection settings.")
        if not protection.is_exempt(state, repository, rule, user, app) and (reasons := protection.unmet(state, pull)):
            return ApiError(405, " ".join(reasons))
    if not comparison.refresh_mergeable(state, pull):
        return ApiError(405, _NOT_MERGEABLE)
    return None


def merge(
    state: State,
    pull: PullRequest,
    user: User,
    *,
    app: App | None = None,
    method: str = "merge",
    sha: str | None = None,
    title: str | None = None,
    message: str | None = None,
) -> str:
    """Merge and return the new commit's sha. Raises 405 when it may not be, 409 when ``sha`` is not its head."""
    if method not in METHODS:
        raise unprocessable("Invalid request.\n\nmerge_method must be one of merge, squash, rebase.")
    if (error := refusal(state, pull, user, app, method)) is not None:
        raise error
    if sha is not None and sha != pull.head_sha:
        raise ApiError(409, "Head branch was modified. Review and try the merge again.")
    base = comparison.base_tip(pull)
    commit = {"merge": _merge_commit, "squash": _squash, "rebase": _rebase}[method](
        state, pull, user, base, title, message
    )
    repository, ref = pull.repository, f"refs/heads/{pull.base_ref}"
    try:
        repository.git.update_ref(ref, commit, base)
    except RefConflict:
        raise ApiError(405, "Base branch was modified. Review and try the merge again.") from None
    pulls.mark_merged(state, pull, user, base, commit)
    refs.moved(state, repository, [refs.RefUpdate(ref, base, commit)], user)
    pulls.announce(state, pull, "closed", user)
    if repository.delete_branch_on_merge and pull.head_repository is repository:
        refs.move(state, repository, f"refs/heads/{pull.head_ref}", None, user)
    return commit


def _trees_merged(pull: PullRequest, base: str) -> str:
    tree = pull.repository.git.merge_tree(base, pull.head_sha)
    if tree is None:
        raise ApiError(405, _NOT_MERGEABLE)
    return tree


def _text(title: str, body: str) -> str:
    return f"{title}\n\n{body}".strip() if body else title


def _commit_by_forge(
    state: State, pull: PullRequest, tree: str, parents: tuple[str, ...], author: Signature, message: str
) -> str:
    """A commit as the merge button makes it: committed, and hence signed, by the forge itself."""
    sha = pull.repository.git.write_commit(tree, parents, author, signature(state, state.web_flow), message)
    pull.repository.web_commits.add(sha)
    return sha


def _merge_commit(
    state: State, pull: PullRequest, user: User, base: str, title: str | None, message: str | None
) -> str:
    tree = _trees_merged(pull, base)
    headline = title or f"Merge pull request #{pull.number} from {pull.head_owner}/{pull.head_ref}"
    text = _text(headline, pull.title if message is None and title is None else message or "")
    return _commit_by_forge(state, pull, tree, (base, pull.head_sha), signature(state, user), text)


def _own_commits(pull: PullRequest) -> list[GitCommit]:
    found = (pull.repository.git.commit(sha) for sha in comparison.commits(pull))
    return [commit for commit in found if commit is not None]


def _squash(state: State, pull: PullRequest, _user: User, base: str, title: str | None, message: str | None) -> str:
    tree = _trees_merged(pull, base)
    commits = [commit for commit in _own_commits(pull) if len(commit.parents) < 2]
    single = commits[0] if len(commits) == 1 else None
    default_title, default_body = pull.title, "\n\n".join(f"* {commit.message}" for commit in commits)
    if single is not None:
        default_title, _, default_body = single.message.partition("\n\n")
    body = default_body if message is None else message
    author = single.author if single else signature(state, pull.user)
    body = _with_co_authors(body, author, [commit.author for commit in commits])
    headline = title or f"{default_title} (#{pull.number})"
    return _commit_by_forge(state, pull, tree, (base,), author, _text(headline, body))


def _with_co_authors(body: str, author: Signature, authors: list[Signature]) -> str:
    others = dict.fromkeys(f"{who.name} <{who.email}>" for who in authors if who.email != author.email)
    lines = [f"Co-authored-by: {who}" for who in others if not re.search(re.escape(who), body)]
    return "\n\n".join(part for part in (body, "\n".join(lines)) if part)


def _rebase(state: State, pull: PullRequest, user: User, base: str, _title: str | None, _message: str | None) -> str:
    git, tip = pull.repository.git, base
    for commit in _own_commits(pull):
        if len(commit.parents) > 1:
            continue
        tree = git.pick_tree(tip, commit)
        if tree is None:
            raise ApiError(405, "This branch can't be rebased")
        tip = git.write_commit(tree, (tip,), commit.author, signature(state, user), commit.message)
    return tip


def merge_branches(
    state: State, repository: Repository, user: User, base: str, head: str, message: str, app: App | None = None
) -> str | None:
    """Merge one branch or commit into a branch; None when it is in there. 404 for unknown ones, 409 on conflict."""
    git = repository.git
    tip, other = git.branch(base), git.resolve(head)
    if tip is None:
        raise ApiError(404, "Base does not exist")
    if other is None:
        raise ApiError(404, "Head does not exist")
    if git.is_ancestor(other, tip):
        return None
    if (reason := protection.push_refusal(state, repository, base, tip, "", user, app)) is not None:
        raise ApiError(409, reason)
    tree = git.merge_tree(tip, other)
    if tree is None:
        raise ApiError(409, "Merge conflict")
    text = message or f"Merge {head} into {base}"
    commit = git.write_commit(tree, (tip, other), signature(state, user), signature(state, state.web_flow), text)
    repository.web_commits.add(commit)
    refs.move(state, repository, f"refs/heads/{base}", commit, user, tip)
    return commit


def update_branch(state: State, pull: PullRequest, user: User, expected_head: str | None) -> None:
    """Merge the base branch into the head; 422 when there is nothing to do, it conflicts or the head moved."""
    source = pull.head_repository
    if expected_head is not None and expected_head != pull.head_sha:
        raise unprocessable(f"expected_head_sha was {expected_head} but the current head is {pull.head_sha}")
    if source is None or pull.state != "open":
        raise unprocessable("This pull request cannot be updated.")
    base = comparison.base_tip(pull)
    if not comparison.is_behind(pull):
        raise unprocessable("There are no new commits on the base branch.")
    tree = pull.repository.git.merge_tree(pull.head_sha, base)
    if tree is None:
        raise unprocessable("merge conflict between base and head")
    message = f"Merge branch '{pull.base_ref}' into {pull.head_ref}"
    commit = _commit_by_forge(state, pull, tree, (pull.head_sha, base), signature(state, user), message)
    if source is not pull.repository:
        source.git.fetch(pull.repository.git, commit)
        source.web_commits.add(commit)
    refs.move(state, source, f"refs/heads/{pull.head_ref}", commit, user, pull.head_sha)
