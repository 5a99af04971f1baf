"""Check runs and suites, commit statuses and workflow runs in GitHub's shapes."""

from __future__ import annotations

from typing import Any

from ghapp.sandbox.forge.model import Annotation, CheckRun, CheckSuite, Repository, State, Status, WorkflowRun
from ghapp.sandbox.forge.model.ids import node_id
from ghapp.sandbox.forge.serialize import moment
from ghapp.sandbox.forge.serialize.accounts import simple_user
from ghapp.sandbox.forge.serialize.apps import app
from ghapp.sandbox.forge.serialize.gitdata import simple_commit
from ghapp.sandbox.forge.serialize.pulls import of_commit
from ghapp.sandbox.forge.serialize.repositories import api_url, html_url, repository


def check_run(state: State, run: CheckRun) -> dict[str, Any]:
    """``check-run``."""
    url = f"{api_url(state, run.repository)}/check-runs/{run.id}"
    page = f"{html_url(state, run.repository)}/runs/{run.id}"
    return {
        "id": run.id,
        "node_id": run.node_id,
        "name": run.name,
        "head_sha": run.head_sha,
        "external_id": run.external_id,
        "url": url,
        "html_url": page,
        "details_url": run.details_url or page,
        "status": run.status,
        "conclusion": run.conclusion,
        "started_at": moment(run.started_at),
        "completed_at": moment(run.completed_at),
        "output": {
            "title": run.title,
            "summary": run.summary,
            "text": run.text,
            "annotations_count": len(run.annotations),
            "annotations_url": f"{url}/annotations",
        },
        "check_suite": {"id": run.suite.id},
        "app": app(state, run.app),
        "pull_requests": of_commit(state, run.repository, run.head_sha),
    }


def annotation(state: State, run: CheckRun, record: Annotation) -> dict[str, Any]:
    """``check-annotation``."""
    return {
        "path": record.path,
        "blob_href": f"{html_url(state, run.repository)}/blob/{run.head_sha}/{record.path}",
        "start_line": record.start_line,
        "end_line": record.end_line,
        "start_column": record.start_column,
        "end_column": record.end_column,
        "annotation_level": record.annotation_level,
        "title": record.title,
        "message": record.message,
        "raw_details": record.raw_details,
    }


def check_suite(state: State, suite: CheckSuite) -> dict[str, Any]:
    """``check-suite``."""
    url = f"{api_url(state, suite.repository)}/check-suites/{suite.id}"
    commit = suite.repository.git.commit(suite.head_sha)
    return {
        "id": suite.id,
        "node_id": suite.node_id,
        "head_branch": suite.head_branch,
        "head_sha": suite.head_sha,
        "status": suite.status,
        "conclusion": suite.conclusion,
        "url": url,
        "before": suite.before,
        "after": suite.after,
        "pull_requests": of_commit(state, suite.repository, suite.head_sha),
        "app": app(state, suite.app),
        "repository": repository(state, suite.repository),
        "created_at": moment(suite.created_at),
        "updated_at": moment(suite.updated_at),
        "head_commit": simple_commit(commit) if commit else None,
        "latest_check_runs_count": len(suite.latest_runs()),
        "check_runs_url": f"{url}/check-runs",
        "rerequestable": True,
        "runs_rerequestable": True,
    }


def status(state: State, repository_record: Repository, record: Status) -> dict[str, Any]:
    """``status``."""
    return {**simple_status(state, repository_record, record), "creator": simple_user(state, record.creator)}


def simple_status(state: State, repository_record: Repository, record: Status) -> dict[str, Any]:
    """``simple-commit-status``."""
    return {
        "id": record.id,
        "node_id": record.node_id,
        "url": f"{api_url(state, repository_record)}/statuses/{record.sha}",
        "avatar_url": f"{state.web_url}/avatars/u/{record.creator.id}",
        "state": record.state,
        "description": record.description,
        "target_url": record.target_url,
        "context": record.context,
        "created_at": moment(record.created_at),
        "updated_at": moment(record.updated_at),
    }


def combined_state(statuses: list[Status]) -> str:
    """``failure`` if any failed, ``pending`` if any is or there is none, else ``success``."""
    states = {record.state for record in statuses}
    if states & {"failure", "error"}:
        return "failure"
    return "success" if states == {"success"} else "pending"


def workflow_run(state: State, run: WorkflowRun) -> dict[str, Any]:
    """``workflow-run``."""
    api, page = api_url(state, run.repository), html_url(state, run.repository)
    url = f"{api}/actions/runs/{run.id}"
    commit = run.repository.git.commit(run.head_sha)
    return {
        "id": run.id,
        "node_id": run.node_id,
        "name": run.name,
        "display_title": run.name,
        "path": run.path,
        "head_branch": run.head_branch,
        "head_sha": run.head_sha,
        "run_number": run.run_number,
        "run_attempt": run.run_attempt,
        "event": run.event,
        "status": run.status,
        "conclusion": run.conclusion,
        "workflow_id": run.workflow_id,
        "check_suite_id": run.check_suite_id,
        "check_suite_node_id": node_id("CS", run.check_suite_id),
        "url": url,
        "html_url": f"{page}/actions/runs/{run.id}",
        "pull_requests": of_commit(state, run.repository, run.head_sha),
        "created_at": moment(run.created_at),
        "updated_at": moment(run.updated_at),
        "run_started_at": moment(run.created_at),
        "actor": simple_user(state, run.actor),
        "triggering_actor": simple_user(state, run.actor),
        "jobs_url": f"{url}/jobs",
        "logs_url": f"{url}/logs",
        "check_suite_url": f"{api}/check-suites/{run.check_suite_id}",
        "artifacts_url": f"{url}/artifacts",
        "cancel_url": f"{url}/cancel",
        "rerun_url": f"{url}/rerun",
        "previous_attempt_url": None,
        "workflow_url": f"{api}/actions/workflows/{run.workflow_id}",
        "head_commit": simple_commit(commit) if commit else None,
        "repository": repository(state, run.repository),
        "head_repository": repository(state, run.repository),
    }


def workflow(state: State, run: WorkflowRun) -> dict[str, Any]:
    """``workflow``, which the forge knows through its runs only."""
    api, page = api_url(state, run.repository), html_url(state, run.repository)
    return {
        "id": run.workflow_id,
        "node_id": node_id("W", run.workflow_id),
        "name": run.name,
        "path": run.path,
        "state": "active",
        "created_at": moment(run.created_at),
        "updated_at": moment(run.created_at),
        "url": f"{api}/actions/workflows/{run.workflow_id}",
        "html_url": f"{page}/blob/{run.head_branch}/{run.path}",
        "badge_url": f"{page}/workflows/{run.name}/badge.svg",
    }
