"""Commit statuses, and runs of GitHub Actions, which the forge only records."""

from __future__ import annotations

from typing import Any

from ghapp.sandbox.forge.model import App, Event, Repository, State, Status, User, WorkflowRun
from ghapp.sandbox.forge.serialize import checks, gitdata
from ghapp.sandbox.forge.serialize.accounts import simple_user
from ghapp.sandbox.forge.web.errors import invalid, unprocessable

STATES = ("error", "failure", "pending", "success")


def create(
    state: State,
    repository: Repository,
    sha: str,
    user: User,
    value: str,
    context: str = "default",
    description: str | None = None,
    target_url: str | None = None,
    app: App | None = None,
) -> Status:
    """Say something about a commit."""
    commit = repository.git.commit(sha)
    if commit is None:
        raise unprocessable(f"No commit found for SHA: {sha}")
    if value not in STATES:
        raise invalid("Status", "state", "custom", "state is not included in the list")
    if description is not None and len(description) > 140:
        raise invalid("Status", "description", "custom", "description is too long (maximum is 140 characters)")
    number, node_id = state.new_id("SC")
    now = state.now()
    record = Status(
        number, node_id, commit.sha, value, context or "default", user, now, now, description, target_url, app
    )
    repository.statuses.setdefault(commit.sha, []).append(record)
    state.register(node_id, record)

    def payload() -> dict[str, Any]:
        heads = repository.git.refs("refs/heads")
        branches = [
            {"name": ref.removeprefix("refs/heads/"), "commit": {"sha": tip, "url": ""}, "protected": False}
            for ref, (tip, _) in heads.items()
            if tip == commit.sha
        ]
        described = checks.status(state, repository, record)
        return {
            **{key: described[key] for key in ("id", "state", "context", "description", "target_url", "created_at")},
            "updated_at": described["updated_at"],
            "sha": commit.sha,
            "name": repository.full_name,
            "avatar_url": simple_user(state, user)["avatar_url"],
            "commit": gitdata.commit(state, repository, commit),
            "branches": branches,
        }

    state.publish(Event("status", None, user, payload, repository))
    return record


def record_workflow_run(
    state: State,
    repository: Repository,
    actor: User,
    *,
    name: str,
    head_sha: str,
    head_branch: str,
    event: str = "push",
    path: str = ".github/workflows/ci.yml",
    status: str = "completed",
    conclusion: str | None = "success",
) -> WorkflowRun:
    """Pretend that GitHub Actions ran a workflow on a commit."""
    number, node_id = state.new_id("WFR")
    now = state.now()
    run = WorkflowRun(
        number,
        node_id,
        repository,
        name,
        path,
        head_sha,
        head_branch,
        event,
        actor,
        now,
        now,
        status,
        conclusion,
        run_number=len(repository.workflow_runs) + 1,
    )
    repository.workflow_runs.append(run)
    state.register(node_id, run)
    action = "completed" if status == "completed" else "requested"
    payload = {"workflow_run": checks.workflow_run(state, run), "workflow": checks.workflow(state, run)}
    state.publish(Event("workflow_run", action, actor, lambda: payload, repository))
    return run
