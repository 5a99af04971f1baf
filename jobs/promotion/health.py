"""How a deployed release is doing, as the statuses of its GitHub Deployment tell it; whoever reported them.

The agent, Argo CD and Flux all report there, so this is the one place where health is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ghapp.evidence.deployment import Deployment
from ghapp.github import deployments
from ghapp.github.client import RepositoryClient
from jobs.promotion.view import Placed

WAITING = ("queued", "pending", "in_progress")
BAD = ("failure", "error")


@dataclass(frozen=True, slots=True)
class Health:
    """``state`` is GitHub's newest status (``queued`` where there is none); times are in UTC.

    ``healthy_since`` is set only while the newest status is ``success``: the start of the unbroken run of them.
    ``description`` is what the reporter said last.
    """

    state: str
    healthy_since: datetime | None = None
    failed_at: datetime | None = None
    description: str = ""
    deployment: int = 0


def health_of(statuses: Sequence[Mapping[str, Any]], *, deployment: int = 0) -> Health:
    """From a deployment's statuses, in any order.

    A soak counts from *healthy*: any other status in between starts it afresh.
    """
    newest_first = sorted(statuses, key=lambda s: (str(s["created_at"]), int(s.get("id") or 0)), reverse=True)
    told = [s for s in newest_first if s["state"] != "inactive"]
    if not told:
        return Health("queued", deployment=deployment)
    state, said = str(told[0]["state"]), str(told[0].get("description") or "")
    since = None
    for status in told:
        if status["state"] != "success":
            break
        since = _moment(status["created_at"])
    failed = next((_moment(s["created_at"]) for s in told if s["state"] in BAD), None)
    return Health(state, since, failed, said, deployment)


def task(app: str) -> str:
    """The ``task`` of an app's GitHub Deployments: several apps share an environment without hiding each other."""
    return f"deploy:{app}"


def read(client: RepositoryClient, placed: Placed) -> Health:
    """The health of what is deployed; two calls. Makes the GitHub Deployment if there is none yet (one more)."""
    record = placed.deployment
    found = deployments.one(
        client,
        environment=record.environment,
        sha=placed.commit.sha,
        task=task(record.app),
        payload=payload(record),
        description=f"{record.app} {record.release}",
    )
    number = int(found["id"])
    return health_of(deployments.statuses(client, number), deployment=number)


def payload(record: Deployment) -> dict[str, Any]:
    """What the deployment carries for other tools."""
    return {
        "app": record.app,
        "release": record.release,
        "source_commit": record.commit,
        "images": dict(record.images),
        "kind": record.kind,
    }


def retire(client: RepositoryClient, environment: str, app: str, keep: int) -> None:
    """Mark the app's older deployments in the environment inactive, as GitHub's Environments page expects."""
    listed = client.get("deployments", environment=environment, task=task(app), per_page=5)
    for one in (d for d in listed if int(d["id"]) < keep):
        statuses = client.get(f"deployments/{one['id']}/statuses", per_page=1)
        if statuses and statuses[0]["state"] != "inactive":
            deployments.report(client, int(one["id"]), "inactive", "replaced by a newer release")


def _moment(text: Any) -> datetime:
    return datetime.fromisoformat(str(text).replace("Z", "+00:00")).astimezone(UTC)
