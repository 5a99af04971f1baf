"""What a pull request contains: its merge base, commits and files, and whether it merges cleanly."""

from __future__ import annotations

from ghapp.sandbox.forge.git.objects import FileChange
from ghapp.sandbox.forge.git.store import RefConflict
from ghapp.sandbox.forge.model import PullRequest, State
from ghapp.sandbox.forge.operations.identity import signature


def base_tip(pull: PullRequest) -> str:
    """The commit that a pull request is compared with: its base branch now, or as it was when it was merged."""
    if pull.merged:
        return pull.base_sha
    return pull.repository.git.branch(pull.base_ref) or pull.base_sha


def merge_base(pull: PullRequest) -> str | None:
    return pull.repository.git.merge_base(base_tip(pull), pull.head_sha)


def commits(pull: PullRequest) -> tuple[str, ...]:
    """The shas of a pull request's commits, oldest first."""
    return pull.repository.git.between(base_tip(pull), pull.head_sha)


def files(pull: PullRequest) -> tuple[FileChange, ...]:
    """The files that a pull request changes."""
    return pull.repository.git.diff(merge_base(pull), pull.head_sha)


def is_behind(pull: PullRequest) -> bool:
    """Whether the base branch has commits that the head lacks."""
    return merge_base(pull) != base_tip(pull)


def refresh_mergeable(state: State, pull: PullRequest) -> bool | None:
    """Find out whether an open pull request merges cleanly, and keep ``refs/pull/N/merge`` as GitHub does.

    None for closed ones.
    """
    if pull.state != "open":
        return None
    key = (base_tip(pull), pull.head_sha)
    with state.lock:
        if pull.mergeable_for == key:
            return pull.mergeable
        git = pull.repository.git
        tree = git.merge_tree(*key)
        if tree is not None:
            who = signature(state, state.web_flow)
            message = f"Merge {pull.head_sha} into {key[0]}"
            pull.merge_commit_sha = git.write_commit(tree, key, who, who, message)
            try:
                git.update_ref(f"refs/pull/{pull.number}/merge", pull.merge_commit_sha)
            except RefConflict:
                pull.merge_commit_sha = None
        pull.mergeable, pull.mergeable_for = tree is not None, key
        return pull.mergeable
