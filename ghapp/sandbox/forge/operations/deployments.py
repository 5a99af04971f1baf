"""Deployments and their statuses, with the checks that GitHub makes and the older ones that it makes inactive."""

from __future__ import annotations

from typing import Any

from ghapp.sandbox.forge.model import App, Deployment, DeploymentStatus, Event, Repository, State, User
from ghapp.sandbox.forge.operations import protection
from ghapp.sandbox.forge.serialize import deployments
from ghapp.sandbox.forge.serialize.checks import combined_state
from ghapp.sandbox.forge.web.call import Body
from ghapp.sandbox.forge.web.errors import ApiError, invalid, unprocessable

STATES = ("error", "failure", "inactive", "in_progress", "queued", "pending", "success")


def create(state: State, repository: Repository, user: User, body: Body, app: App | None = None) -> Deployment:
    """A deployment from a REST body; 409 when the ref's required contexts have not all succeeded."""
    ref = body.required("ref")
    sha = repository.git.resolve(ref)
    if sha is None:
        raise unprocessable(f"No ref found for: {ref}")
    _require_contexts(repository, ref, sha, body)
    environment = body.text("environment", "production")
    number, node_id = state.new_id("DE")
    now = state.now()
    record = Deployment(
        id=number,
        node_id=node_id,
        repository=repository,
        sha=sha,
        ref=ref,
        task=body.text("task", "deploy"),
        environment=environment,
        original_environment=environment,
        creator=user,
        created_at=now,
        updated_at=now,
        payload=body.get("payload") if body.get("payload") is not None else {},
        description=body.optional_text("description"),
        transient_environment=body.flag("transient_environment"),
        production_environment=body.flag("production_environment", environment == "production"),
        app=app,
    )
    repository.deployments.append(record)
    state.register(node_id, record)
    payload = {"deployment": deployments.deployment(state, record), "workflow": None, "workflow_run": None}
    state.publish(Event("deployment", "created", user, lambda: payload, repository))
    return record


def _require_contexts(repository: Repository, ref: str, sha: str, body: Body) -> None:
    """All contexts that were reported must be good unless the caller names others (``[]``: none)."""
    if "required_contexts" not in body:
        statuses = repository.latest_statuses(sha)
        runs = [run for suite in repository.suites_of(sha) for run in suite.latest_runs()]
        bad = [s.context for s in statuses if s.state != "success"]
        bad += [run.name for run in runs if run.conclusion not in ("success", "neutral", "skipped")]
        if bad:
            message = f"Conflict: Commit statuses checks failed for {ref}."
            errors = [{"contexts": [{"context": c, "state": combined_state(statuses)} for c in bad]}]
            raise ApiError(409, message, errors)
        return
    for context in body.texts("required_contexts"):
        if protection.context_state(repository, sha, context) != "success":
            raise ApiError(409, f"Conflict: Commit statuses checks failed for {ref}.")


def add_status(
    state: State, deployment: Deployment, user: User, body: Body, app: App | None = None
) -> DeploymentStatus:
    """How a deployment goes. A success makes the environment's earlier successes inactive, unless told not to."""
    value = body.required("state")
    if value not in STATES:
        raise invalid("DeploymentStatus", "state", "custom", "state is not included in the list")
    description = body.text("description")
    if len(description) > 140:
        raise invalid(
            "DeploymentStatus", "description", "custom", "description is too long (maximum is 140 characters)"
        )
    record = _append(state, deployment, user, value, app)
    record.description = description
    record.environment = body.text("environment", deployment.environment)
    record.environment_url = body.text("environment_url")
    record.log_url = body.text("log_url") or body.text("target_url")
    deployment.environment = record.environment
    if value == "success" and body.flag("auto_inactive", True):
        _retire_older(state, deployment, user)
    if value != "inactive":

        def payload() -> dict[str, Any]:
            return {
                "deployment_status": deployments.deployment_status(state, deployment, record),
                "deployment": deployments.deployment(state, deployment),
                "check_run": None,
                "workflow": None,
                "workflow_run": None,
            }

        state.publish(Event("deployment_status", "created", user, payload, deployment.repository))
    return record


def _append(state: State, deployment: Deployment, user: User, value: str, app: App | None) -> DeploymentStatus:
    number, node_id = state.new_id("DES")
    now = state.now()
    record = DeploymentStatus(number, node_id, value, user, now, now, environment=deployment.environment, app=app)
    deployment.statuses.append(record)
    deployment.updated_at = now
    state.register(node_id, record)
    return record


def _retire_older(state: State, newest: Deployment, user: User) -> None:
    for older in list(newest.repository.deployments):
        if (
            older is not newest
            and older.id < newest.id
            and older.environment == newest.environment
            and not older.transient_environment
            and not older.production_environment
            and older.statuses
            and older.statuses[-1].state == "success"
        ):
            _append(state, older, user, "inactive", None)


def delete(state: State, deployment: Deployment) -> None:
    """Only one that is not active may be deleted, unless it is the only one."""
    active = bool(deployment.statuses) and deployment.statuses[-1].state == "success"
    if active and len(deployment.repository.deployments) > 1:
        raise unprocessable(
            "We cannot delete an active deployment unless it is the only deployment in a given repository."
        )
    deployment.repository.deployments.remove(deployment)
    state.forget(deployment.node_id)
