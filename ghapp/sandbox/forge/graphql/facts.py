"""What follows from the records and takes some work to see: a pull request's commits and files, who is whose."""

from __future__ import annotations

from collections.abc import Sequence

from ghapp.sandbox.forge.git.objects import FileChange, GitCommit
from ghapp.sandbox.forge.model import Organization, PullRequest, Repository, State, User, Verification

COMMITS_LISTED = 250


def pull_commits(pull: PullRequest) -> list[str]:
    return pull.repository.git.log(pull.head_sha, f"^{pull.base_sha}", reverse=True)[:COMMITS_LISTED]


def pull_files(pull: PullRequest) -> Sequence[FileChange]:
    git = pull.repository.git
    return git.diff(git.merge_base(pull.base_sha, pull.head_sha), pull.head_sha)


def pulls_with(repository: Repository, sha: str) -> list[PullRequest]:
    return [pull for pull in repository.pulls if sha in pull_commits(pull) or pull.merge_commit_sha == sha]


def is_mergeable(_state: State, pull: PullRequest) -> bool | None:
    base = pull.repository.git.branch(pull.base_ref)
    return base is not None and pull.repository.git.merge_tree(base, pull.head_sha) is not None


def mergeable_state(state: State, pull: PullRequest) -> str:
    return "clean" if is_mergeable(state, pull) else "dirty"


def verification_of(repository: Repository, commit: GitCommit) -> Verification:
    if found := repository.verifications.get(commit.sha):
        return found
    return Verification(False, "unknown_key" if commit.signature else "unsigned", commit.signature, commit.payload)


def association(state: State, repository: Repository, user: User) -> str:
    owner = repository.owner
    if owner is user:
        return "OWNER"
    if isinstance(owner, Organization) and user.id in owner.members:
        return "MEMBER"
    return "COLLABORATOR" if user.id in repository.collaborators else "NONE"
