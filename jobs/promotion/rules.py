"""The policies that a promotion is judged by: the organisation's and the repository's, from default branches only.

Read by git, which costs no API budget, into mirrors that are kept. What cannot be read raises: an unreadable rule is
never an absent one.
"""

from __future__ import annotations

from ghapp import names
from ghapp.git import Git
from ghapp.github import errors
from ghapp.github.client import RepositoryClient
from ghapp.github.tokens import READ_CODE
from jobs.mirrors import mirror
from jobs.promotion.view import View
from jobs.reconcile import Context
from policies.kinds import read_folder
from policies.organisation import merge
from policies.policy import Origin, PolicySet


def rules(view: View, context: Context) -> PolicySet:
    """Every policy that could apply to this repository. Raises ``GitHubError`` or ``GitError``."""
    own = read_folder(folder(view.git, view.heads.get(view.default_branch)), Origin.REPOSITORY)
    return merge(organisation(view.client, context), own)


def organisation(client: RepositoryClient, context: Context) -> PolicySet:
    """The policies in the owner's ``.github`` repository; none where there is none, or where the app may not look."""
    name = f"{client.owner}/{names.ORGANISATION_REPOSITORY}"
    if client.full_name == name:
        return PolicySet()
    try:
        theirs = context.github.for_repository(name, READ_CODE)
        default = str(theirs.get("")["default_branch"])
    except (errors.NotInstalled, errors.NotFound):
        return PolicySet()
    git = mirror(context.settings.mirrors, theirs)
    branch = f"refs/heads/{default}"
    with git.lock():
        git.fetch(f"+{branch}*:{branch}*")
        head = git.resolve(branch)
    return read_folder(folder(git, head), Origin.ORGANISATION)


def folder(git: Git, commit: str | None) -> dict[str, str]:
    """The files of the policy folder at a commit: path → text."""
    if commit is None:
        return {}
    files = git.files(commit, names.POLICY_FOLDER)
    contents = git.read_all(list(files.values()))
    return {path: content.decode("utf-8", "replace") for path, content in zip(files, contents, strict=True)}
