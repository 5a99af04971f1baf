"""Check suites: made for every app that may write checks whenever a branch gets a new commit."""

from __future__ import annotations

from ghapp.sandbox.forge.model import App, CheckSuite, Event, Repository, State, User
from ghapp.sandbox.forge.serialize import checks


def find_or_create(
    state: State,
    repository: Repository,
    app: App,
    sha: str,
    branch: str | None,
    before: str | None = None,
) -> tuple[CheckSuite, bool]:
    """The suite of an app on a commit, and whether it is new."""
    for suite in repository.suites_of(sha):
        if suite.app is app:
            if suite.head_branch is None:
                suite.head_branch = branch
            return suite, False
    number, node_id = state.new_id("CS")
    now = state.now()
    suite = CheckSuite(number, node_id, repository, app, sha, branch, now, now, before=before, after=sha)
    repository.add_suite(suite)
    state.register(node_id, suite)
    return suite, True


def requested(state: State, suite: CheckSuite, action: str, sender: User) -> None:
    """Ask the suite's own app for checks (``requested`` or ``rerequested``)."""
    state.publish(
        Event(
            "check_suite",
            action,
            sender,
            lambda: {"check_suite": checks.check_suite(state, suite)},
            suite.repository,
            app=suite.app,
            unsolicited=True,
        )
    )


def create_for_push(
    state: State, repository: Repository, branch: str, before: str | None, after: str, pusher: User
) -> None:
    """A suite for each app that may write checks in the repository, each told about its own."""
    for installation in state.installed_on(repository):
        if installation.suspended_at is None and installation.permissions.get("checks") == "write":
            suite, new = find_or_create(state, repository, installation.app, after, branch, before)
            if new:
                requested(state, suite, "requested", pusher)
