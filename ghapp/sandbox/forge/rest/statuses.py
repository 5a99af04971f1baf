"""Commit statuses, and runs of GitHub Actions as far as they are listed."""

from __future__ import annotations

from typing import Any

from ghapp.sandbox.forge.model import WorkflowRun
from ghapp.sandbox.forge.operations import statuses as operations
from ghapp.sandbox.forge.rest import finding
from ghapp.sandbox.forge.serialize import checks, repositories
from ghapp.sandbox.forge.web.call import Call, Reply
from ghapp.sandbox.forge.web.routing import Route


def _create(call: Call) -> Reply:
    body = call.body
    record = operations.create(
        call.state,
        call.repository,
        call.params["sha"],
        call.actor.person,
        body.required("state"),
        body.text("context", "default"),
        body.optional_text("description"),
        body.optional_text("target_url"),
        call.actor.app,
    )
    return Reply(checks.status(call.state, call.repository, record), 201)


def _list(call: Call) -> Reply:
    sha = finding.sha(call, call.params["ref"])
    found = sorted(call.repository.statuses.get(sha, ()), key=lambda s: -s.id)
    return call.page(found, lambda s: checks.status(call.state, call.repository, s))


def _combined(call: Call) -> Reply:
    sha = finding.sha(call, call.params["ref"])
    found = call.repository.latest_statuses(sha)
    url = f"{repositories.api_url(call.state, call.repository)}/commits/{sha}"
    extra: dict[str, Any] = {
        "state": checks.combined_state(found),
        "sha": sha,
        "repository": repositories.repository(call.state, call.repository),
        "commit_url": url,
        "url": f"{url}/status",
    }
    return call.page(found, lambda s: checks.simple_status(call.state, call.repository, s), "statuses", extra=extra)


def _runs(call: Call) -> Reply:
    wanted = {
        "head_sha": call.query.get("head_sha"),
        "head_branch": call.query.get("branch"),
        "event": call.query.get("event"),
    }
    status = call.query.get("status")
    found = [
        run
        for run in list(call.repository.workflow_runs)[::-1]
        if all(value is None or getattr(run, name) == value for name, value in wanted.items())
        and status in (None, run.status, run.conclusion)
    ]
    return call.page(found, lambda run: checks.workflow_run(call.state, run), "workflow_runs")


def _run(call: Call) -> dict[str, Any]:
    return checks.workflow_run(call.state, finding.record(call, "WFR", WorkflowRun, "run_id"))


ROUTES = [
    Route("POST", "/repos/{owner}/{repo}/statuses/{sha}", _create, "statuses:write"),
    Route("GET", "/repos/{owner}/{repo}/commits/{ref}/statuses", _list, "statuses:read"),
    Route("GET", "/repos/{owner}/{repo}/commits/{ref}/status", _combined, "statuses:read"),
    Route("GET", "/repos/{owner}/{repo}/actions/runs", _runs, "actions:read"),
    Route("GET", "/repos/{owner}/{repo}/actions/runs/{run_id}", _run, "actions:read"),
]
