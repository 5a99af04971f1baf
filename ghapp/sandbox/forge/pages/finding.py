"""What pages look up before they show it; whatever is not there is a page that says so."""

from __future__ import annotations

from flask import current_app
from werkzeug.exceptions import NotFound

from ghapp.sandbox.forge.git.objects import GitCommit
from ghapp.sandbox.forge.model import CheckRun, PullRequest, Repository, State


def forge() -> State:
    """The forge whose pages these are."""
    state: State = current_app.extensions["forge"]
    return state


def repository(owner: str, repo: str) -> Repository:
    """By present or former name."""
    found = forge().repository(owner, repo)
    if found is None:
        raise NotFound(f"There is no repository {owner}/{repo} here.")
    return found


def pull_request(owner: str, repo: str, number: int) -> PullRequest:
    found = repository(owner, repo).pull(number)
    if found is None:
        raise NotFound(f"{owner}/{repo} has no pull request {number}.")
    return found


def commit(repository: Repository, name: str) -> GitCommit:
    """By branch, tag, ref or sha."""
    sha = repository.git.resolve(name)
    found = repository.git.commit(sha) if sha else None
    if found is None:
        raise NotFound(f"{repository.full_name} has no commit that is called {name}.")
    return found


def check_run(repository: Repository, run_id: int) -> CheckRun:
    found = forge().find("CR", run_id)
    if isinstance(found, CheckRun) and found.repository is repository:
        return found
    raise NotFound(f"{repository.full_name} has no check run {run_id}.")
