"""From names and numbers in a path or body to records, or GitHub's 404 or 422."""

from __future__ import annotations

from typing import TypeVar

from ghapp.sandbox.forge.git.objects import GitCommit
from ghapp.sandbox.forge.model import App, Issue, Organization, PullRequest, Repository, State, Team, User
from ghapp.sandbox.forge.web.call import Call
from ghapp.sandbox.forge.web.errors import ApiError, invalid, not_found, unprocessable

T = TypeVar("T")


def record(call: Call, prefix: str, kind: type[T], parameter: str) -> T:
    """The record with the id in the path, if it is in the path's repository."""
    found = call.state.find(prefix, call.number(parameter))
    if not isinstance(found, kind) or getattr(found, "repository", call.repository) is not call.repository:
        raise not_found()
    return found


def pull(call: Call) -> PullRequest:
    found = call.repository.pull(call.number("pull_number"))
    if found is None:
        raise not_found()
    return found


def issue(call: Call) -> Issue:
    found = call.repository.issues.get(call.number("issue_number"))
    if found is None:
        raise not_found()
    return found


def user(state: State, login: str) -> User:
    found = state.user(login)
    if found is None:
        raise not_found()
    return found


def organization(call: Call) -> Organization:
    found = call.state.organization(call.params["org"])
    if found is None:
        raise not_found()
    return found


def team(call: Call) -> Team:
    found = call.state.team(call.params["org"], call.params["team_slug"])
    if found is None:
        raise not_found()
    return found


def sha(call: Call, name: str) -> str:
    """The commit that a ref in the path means; 422 for something like a sha that is not there, 404 for other names."""
    found = call.repository.git.resolve(name)
    if found is None:
        raise unprocessable(f"No commit found for SHA: {name}")
    return found


def commit(call: Call, name: str) -> GitCommit:
    found = call.repository.git.commit(sha(call, name))
    if found is None:
        raise unprocessable(f"No commit found for SHA: {name}")
    return found


def users(state: State, logins: list[str], resource: str, field: str) -> list[User]:
    """People by login; 422 for the first that does not exist."""
    found = [(login, state.user(login)) for login in logins]
    if any(person is None for _, person in found):
        raise invalid(resource, field)
    return [person for _, person in found if person is not None]


def teams(repository: Repository, slugs: list[str], resource: str, field: str) -> list[Team]:
    """Teams of a repository's organisation by slug; 422 for the first that does not exist."""
    known = repository.owner.teams if isinstance(repository.owner, Organization) else {}
    if any(slug.lower() not in known for slug in slugs):
        raise invalid(resource, field)
    return [known[slug.lower()] for slug in slugs]


def app_or_refusal(call: Call) -> App:
    """The app that asks, for what only apps may do."""
    if call.actor.app is None:
        raise ApiError(403, "You must authenticate via a GitHub App.")
    return call.actor.app
