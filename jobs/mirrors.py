"""A bare copy of each repository that is worked on: kept between jobs, brought up to date by one fetch, never trusted.

Losing a mirror costs one clone. What is fetched is named by the caller, so that the cost of a reconcile does not grow
with the number of branches or pull requests.
"""

from __future__ import annotations

from pathlib import Path

from ghapp.git import Git
from ghapp.github.client import RepositoryClient


def mirror(mirrors: Path, client: RepositoryClient) -> Git:
    """The mirror of a repository (by id, so that renames follow), made if it is not there."""
    git = Git(mirrors / f"{client.id}.git", client.clone_url, client.git_credentials)
    git.create()
    return git
