"""Files written through the API: one commit for each change, on a branch that must still be where the caller saw it."""

from __future__ import annotations

from ghapp.sandbox.forge.git.objects import GitCommit, Signature
from ghapp.sandbox.forge.model import App, Repository, State, User
from ghapp.sandbox.forge.operations import protection, refs
from ghapp.sandbox.forge.operations.identity import signature
from ghapp.sandbox.forge.web.errors import ApiError, not_found, unprocessable


def write_file(
    state: State,
    repository: Repository,
    user: User,
    path: str,
    content: bytes | None,
    message: str,
    *,
    branch: str = "",
    sha: str | None = None,
    author: Signature | None = None,
    committer: Signature | None = None,
    app: App | None = None,
) -> tuple[GitCommit, bool]:
    """Create, change or (``content=None``) delete a file; ``sha`` is the blob it replaces. (commit, file is new).

    409 when the blob is another one by now, 422 when ``sha`` is missing for a file that exists.
    """
    git = repository.git
    branch = branch or repository.default_branch
    tip = git.branch(branch)
    if tip is None and not (branch == repository.default_branch and content is not None):
        raise ApiError(404, f"Branch {branch} not found")
    _check_path(path)
    present = git.info(f"{tip}:{path}") if tip else None
    if present is not None and present[1] != "blob":
        raise unprocessable("Invalid request.\n\nThe path is a directory.")
    if present is None and content is None:
        raise not_found()
    if present is not None and sha is None:
        raise unprocessable('Invalid request.\n\n"sha" wasn\'t supplied.')
    if sha is not None and (present is None or present[0] != sha):
        raise ApiError(409, f"{path} does not match {sha}")
    if (reason := protection.push_refusal(state, repository, branch, tip, "", user, app)) is not None:
        raise ApiError(409, f"Could not update file: {reason}")
    blob = git.write_object("blob", content) if content is not None else None
    tree = git.write_tree([("100644", blob, path)], base=tip)
    writer = author or signature(state, user)
    by = committer or signature(state, state.web_flow)
    commit = git.write_commit(tree, (tip,) if tip else (), writer, by, message)
    repository.web_commits.add(commit)
    refs.move(state, repository, f"refs/heads/{branch}", commit, user)
    written = git.commit(commit)
    if written is None:
        raise ApiError(500, "Server Error")
    return written, present is None


def _check_path(path: str) -> None:
    parts = path.split("/")
    if not path or any(part in ("", ".", "..", ".git") for part in parts):
        raise unprocessable("path contains a malformed path component")
