"""GitHub Deployments: what was deployed where, as GitHub's own pages and other tools (Argo CD, Flux, Jira) read it.

A deployment is found again by its payload, so a repeated reconcile never makes a second one for the same merge.
"""

from __future__ import annotations

from typing import Any, Literal

from ghapp.github.client import RepositoryClient

State = Literal["queued", "pending", "in_progress", "success", "failure", "error", "inactive"]


def find(client: RepositoryClient, *, environment: str, sha: str, task: str = "deploy") -> list[dict[str, Any]]:
    """Deployments of a commit into an environment, newest first; whoever made them."""
    return client.paginate("deployments", environment=environment, sha=sha, task=task)


def create(
    client: RepositoryClient,
    *,
    environment: str,
    ref: str,
    payload: dict[str, Any],
    description: str = "",
    task: str = "deploy",
    production: bool = False,
) -> dict[str, Any]:
    """A deployment of ``ref`` (a SHA). It waits for no checks and merges nothing: that was decided before."""
    body = {
        "ref": ref,
        "environment": environment,
        "task": task,
        "payload": payload,
        "description": description[:140],
        "auto_merge": False,
        "required_contexts": [],
        "production_environment": production,
    }
    data: dict[str, Any] = client.post("deployments", body)
    return data


def one(
    client: RepositoryClient, *, environment: str, sha: str, task: str, payload: dict[str, Any], description: str = ""
) -> dict[str, Any]:
    """The deployment of a commit into an environment, made if there is none.

    Where two make one in the same moment, the older one counts for everybody and the other one is inactive.
    """
    found = find(client, environment=environment, sha=sha, task=task)
    if not found:
        made = create(client, environment=environment, ref=sha, task=task, payload=payload, description=description)
        found = find(client, environment=environment, sha=sha, task=task) or [made]
        if found[-1]["id"] != made["id"]:
            report(client, int(made["id"]), "inactive", f"the same as deployment {found[-1]['id']}")
    return found[-1]


def statuses(client: RepositoryClient, deployment: int) -> list[dict[str, Any]]:
    """What was reported about a deployment, newest first."""
    return client.paginate(f"deployments/{deployment}/statuses")


def report(
    client: RepositoryClient,
    deployment: int,
    state: State,
    description: str = "",
    *,
    log_url: str = "",
    environment_url: str = "",
) -> None:
    """Add a status. GitHub keeps every one; callers report changes only."""
    body: dict[str, Any] = {"state": state, "description": description[:140], "auto_inactive": False}
    if log_url:
        body["log_url"] = log_url
    if environment_url:
        body["environment_url"] = environment_url
    client.post(f"deployments/{deployment}/statuses", body)
