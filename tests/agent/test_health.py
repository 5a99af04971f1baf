"""The health table, row by row."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ghapp.agent.health import State, inert, judge

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def condition(kind: str, status: str, reason: str = "", message: str = "", **more: Any) -> dict[str, Any]:
    return {"type": kind, "status": status, "reason": reason, "message": message, **more}


def obj(kind: str, api: str = "v1", /, *, spec: Any = None, status: Any = None, **meta: Any) -> dict[str, Any]:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": "x", "generation": 2, **meta}, "spec": spec or {}} | (
        {"status": status} if status is not None else {}
    )


def deployment(spec: Any = None, conditions: Any = None, **status: Any) -> dict[str, Any]:
    healthy = {"observedGeneration": 2, "replicas": 3, "updatedReplicas": 3, "availableReplicas": 3}
    available = [condition("Available", "True")] if conditions is None else conditions
    return obj(
        "Deployment",
        "apps/v1",
        spec={"replicas": 3, **(spec or {})},
        status={**healthy, "conditions": available, **status},
    )


def stateful_set(spec: Any = None, **status: Any) -> dict[str, Any]:
    healthy = {
        "observedGeneration": 2,
        "readyReplicas": 3,
        "updatedReplicas": 3,
        "currentRevision": "a",
        "updateRevision": "a",
    }
    return obj("StatefulSet", "apps/v1", spec={"replicas": 3, **(spec or {})}, status={**healthy, **status})


def daemon_set(spec: Any = None, **status: Any) -> dict[str, Any]:
    counts = ("desiredNumberScheduled", "currentNumberScheduled", "updatedNumberScheduled", "numberAvailable")
    return obj(
        "DaemonSet", "apps/v1", spec=spec, status={"observedGeneration": 2, **dict.fromkeys(counts, 2), **status}
    )


def partition(number: int) -> dict[str, Any]:
    return {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": number}}}


def unschedulable(minutes: int) -> dict[str, Any]:
    since = (NOW - timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")
    said = condition("PodScheduled", "False", "Unschedulable", "0/3 nodes", lastTransitionTime=since)
    return obj("Pod", status={"phase": "Pending", "conditions": [said]})


def crash(field: str = "containerStatuses") -> dict[str, Any]:
    return obj("Pod", status={field: [{"name": "c", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]})


def crd(*conditions: Any) -> dict[str, Any]:
    return obj("CustomResourceDefinition", "apiextensions.k8s.io/v1", status={"conditions": list(conditions)})


def custom(*conditions: Any, **more: Any) -> dict[str, Any]:
    return obj("Widget", "x.example/v1", status={"conditions": list(conditions)}, **more)


H, P, S, T, F = State.HEALTHY, State.PROGRESSING, State.SUSPENDED, State.TERMINATING, State.FAILED
BALANCER = {"type": "LoadBalancer"}
ADDRESS = {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}
WANTS_ADDRESS = {"ghapp.dev/wait-for-address": "true"}
RULE = {"ghapp.dev/health": "object.status.phase == 'Good'"}

TABLE: list[tuple[str, dict[str, Any], State]] = [
    ("deletion pending", obj("ConfigMap", deletionTimestamp="2026-06-01T11:00:00Z", finalizers=["a/b"]), T),
    ("generation behind", deployment(observedGeneration=1), P),
    ("reconciling", custom(condition("Reconciling", "True")), P),
    ("stalled", custom(condition("Stalled", "True", "Bad"), condition("Ready", "False")), F),
    ("deployment", deployment(), H),
    ("deployment not seen", obj("Deployment", "apps/v1", spec={"replicas": 0}), P),
    ("deployment of none", deployment({"replicas": 0}, replicas=0, updatedReplicas=0, availableReplicas=0), H),
    ("deployment of one", deployment({"replicas": None}, replicas=1, updatedReplicas=1, availableReplicas=1), H),
    ("deployment, not all updated", deployment(updatedReplicas=2), P),
    ("deployment, old ones left", deployment(replicas=4), P),
    ("deployment, not all available", deployment(availableReplicas=2), P),
    ("deployment, not Available", deployment(conditions=[condition("Available", "False")]), P),
    ("deployment, deadline", deployment(conditions=[condition("Progressing", "False", "ProgressDeadlineExceeded")]), F),
    ("deployment, paused", deployment({"paused": True}), S),
    ("stateful set", stateful_set(), H),
    ("stateful set not seen", obj("StatefulSet", "apps/v1"), P),
    ("stateful set, not ready", stateful_set(readyReplicas=2), P),
    ("stateful set, other revision", stateful_set(updateRevision="b"), P),
    ("stateful set, partition reached", stateful_set(partition(2), updatedReplicas=1, updateRevision="b"), H),
    ("stateful set, partition not reached", stateful_set(partition(1), updatedReplicas=1), P),
    ("stateful set, OnDelete", stateful_set({"updateStrategy": {"type": "OnDelete"}}, updateRevision="b"), H),
    ("daemon set", daemon_set(), H),
    ("daemon set not seen", obj("DaemonSet", "apps/v1"), P),
    ("daemon set, not scheduled", daemon_set(currentNumberScheduled=1), P),
    ("daemon set, not updated", daemon_set(updatedNumberScheduled=1), P),
    ("daemon set, not available", daemon_set(numberAvailable=1), P),
    ("daemon set on no node", daemon_set(**dict.fromkeys(("desiredNumberScheduled", "numberAvailable"), 0)), H),
    ("job complete", obj("Job", "batch/v1", status={"conditions": [condition("Complete", "True")]}), H),
    ("job failed", obj("Job", "batch/v1", status={"conditions": [condition("Failed", "True")]}), F),
    ("job suspended", obj("Job", "batch/v1", spec={"suspend": True}), S),
    ("job running", obj("Job", "batch/v1", status={"active": 1}), P),
    ("cron job", obj("CronJob", "batch/v1"), H),
    ("config map", obj("ConfigMap"), H),
    ("secret", obj("Secret"), H),
    ("claim bound", obj("PersistentVolumeClaim", status={"phase": "Bound"}), H),
    ("claim pending", obj("PersistentVolumeClaim", status={"phase": "Pending"}), P),
    ("claim lost", obj("PersistentVolumeClaim", status={"phase": "Lost"}), F),
    ("service", obj("Service", spec={"type": "ClusterIP"}), H),
    ("balancer without address", obj("Service", spec=BALANCER, status={"loadBalancer": {}}), P),
    ("balancer with address", obj("Service", spec=BALANCER, status=ADDRESS), H),
    ("ingress", obj("Ingress", "networking.k8s.io/v1"), H),
    ("ingress that wants an address", obj("Ingress", "networking.k8s.io/v1", annotations=WANTS_ADDRESS), P),
    ("ingress that has it", obj("Ingress", "networking.k8s.io/v1", annotations=WANTS_ADDRESS, status=ADDRESS), H),
    ("definition", crd(condition("NamesAccepted", "True"), condition("Established", "True")), H),
    ("definition, names taken", crd(condition("NamesAccepted", "False", "KindConflict")), F),
    ("definition, not yet", crd(), P),
    ("pod ready", obj("Pod", status={"phase": "Running", "conditions": [condition("Ready", "True")]}), H),
    ("pod succeeded", obj("Pod", status={"phase": "Succeeded"}), H),
    ("pod failed", obj("Pod", status={"phase": "Failed"}), F),
    ("pod starting", obj("Pod", status={"phase": "Pending"}), P),
    ("pod crashing", crash(), F),
    ("pod's first container crashing", crash("initContainerStatuses"), F),
    ("pod unschedulable for a while", unschedulable(14), P),
    ("pod unschedulable for long", unschedulable(15), F),
    ("ready", custom(condition("Ready", "True")), H),
    ("not ready", custom(condition("Ready", "False")), P),
    ("ready unknown", custom(condition("Ready", "Unknown")), P),
    ("no conditions", obj("Widget", "x.example/v1"), H),
    ("conditions that are no list", obj("Widget", "x.example/v1", status={"conditions": "odd"}), H),
    ("own rule true", obj("Widget", "x.example/v1", status={"phase": "Good"}, annotations=RULE), H),
    ("own rule false", obj("Widget", "x.example/v1", status={"phase": "Bad"}, annotations=RULE), P),
    ("own rule broken", obj("Widget", "x.example/v1", status={}, annotations={"ghapp.dev/health": "("}), P),
    ("a kind of the same name elsewhere", obj("Deployment", "x.example/v1"), H),
]  # fmt: skip


@pytest.mark.parametrize(("live", "state"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_health(live: dict[str, Any], state: State) -> None:
    health = judge(live, NOW)
    assert health.state is state
    assert bool(health.sentence) == (state is not State.HEALTHY)


def test_kinds_that_are_not_waited_for() -> None:
    assert inert("", "ConfigMap")
    assert inert("rbac.authorization.k8s.io", "Role")
    assert not inert("apps", "Deployment")
    assert not inert("x.example", "ConfigMap")
