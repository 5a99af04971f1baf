"""Kubernetes Events: what the agent did, for people who look at the cluster. On change only, best effort."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from ghapp.agent import names
from ghapp.agent.inventory import slug
from ghapp.agent.kube.client import Kube, escaped
from ghapp.agent.kube.errors import ApiError, Unreachable
from ghapp.agent.report import Outcome

_MOST = 10


async def tell(kube: Kube, namespace: str, outcome: Outcome) -> None:
    """Record a pass that changed or failed something, on the environment's inventory."""
    told: list[tuple[str, str, str]] = []
    changes = [f"{len(n)} {w}" for n, w in _changes(outcome) if n]
    if changes:
        told.append(("Normal", "Applied", f"{outcome.sha[:12]}: {', '.join(changes)}"))
    for drift in outcome.drift[:_MOST]:
        by = f" by {', '.join(drift.managers)}" if drift.managers else ""
        told.append(("Warning", "Drifted", f"{drift.object}: {', '.join(drift.fields)}{by}"))
    for failure in outcome.errors()[:_MOST]:
        told.append(("Warning", "Failed", f"{failure.object}: {failure.message}".removeprefix(": ")))
    for kind, reason, message in told:
        try:
            await kube.create(
                f"/api/v1/namespaces/{escaped(namespace)}/events",
                _event(namespace, outcome.environment, kind, reason, message),
                manager=names.FIELD_MANAGER,
            )
        except (ApiError, Unreachable):
            return


def _changes(outcome: Outcome) -> list[tuple[list[str], str]]:
    return [(outcome.created, "created"), (outcome.changed, "changed"), (outcome.pruned, "pruned")]


def _event(namespace: str, environment: str, kind: str, reason: str, message: str) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    inventory = f"ghapp-inventory-{slug(environment)}-0"
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{inventory}.{uuid.uuid4().hex[:16]}", "namespace": namespace},
        "involvedObject": {"apiVersion": "v1", "kind": "Secret", "name": inventory, "namespace": namespace},
        "type": kind,
        "reason": reason,
        "message": message[:1000],
        "source": {"component": "ghapp-agent"},
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
    }
