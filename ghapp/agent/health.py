"""Step 13, health: is a live object doing what it is for? One table, kind → rule; pure functions of object and time.

Before any rule: deletion pending → terminating; observedGeneration behind → in progress; Reconciling → in progress;
Stalled → failed. A kind without a rule is judged by its Ready condition, or by the CEL expression that its
``ghapp.dev/health`` annotation holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from ghapp.agent import names

Object = Mapping[str, Any]
UNSCHEDULABLE = timedelta(minutes=15)


class State(Enum):
    """``HEALTHY`` and ``SUSPENDED`` are settled well, ``FAILED`` is settled badly; the others may still change."""

    HEALTHY = "healthy"
    SUSPENDED = "suspended"
    PROGRESSING = "in progress"
    TERMINATING = "terminating"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Health:
    """A state, and in words what it is waiting for or what went wrong."""

    state: State
    sentence: str = ""

    @property
    def well(self) -> bool:
        return self.state in (State.HEALTHY, State.SUSPENDED)


HEALTHY = Health(State.HEALTHY)
Rule = Callable[[Object, datetime], Health]


def progressing(sentence: str) -> Health:
    return Health(State.PROGRESSING, sentence)


def failed(sentence: str) -> Health:
    return Health(State.FAILED, sentence)


def judge(obj: Object, now: datetime) -> Health:
    """The health of a live object; ``now`` is in UTC."""
    meta = obj.get("metadata") or {}
    status = _map(obj.get("status"))
    if meta.get("deletionTimestamp"):
        held = ", ".join(meta.get("finalizers") or ())
        return Health(State.TERMINATING, f"is being deleted{f' (held by {held})' if held else ''}")
    seen = status.get("observedGeneration")
    if isinstance(seen, int) and seen < int(meta.get("generation") or 0):
        return progressing("its controller has not seen the newest version yet")
    if (c := _condition(obj, "Reconciling")) and c.get("status") == "True":
        return progressing(_said(c, "is being reconciled"))
    if (c := _condition(obj, "Stalled")) and c.get("status") == "True":
        return failed(_said(c, "is stalled"))
    if expression := (meta.get("annotations") or {}).get(names.HEALTH):
        return _custom(obj, str(expression))
    group = str(obj.get("apiVersion") or "").rpartition("/")[0]
    return RULES.get((group, str(obj.get("kind"))), _anything)(obj, now)


def inert(group: str, kind: str) -> bool:
    """Whether objects of a kind are healthy as soon as they exist."""
    return (group, kind) in _ALWAYS


# --- rules -----------------------------------------------------------------------------------------


def _always(_obj: Object, _now: datetime) -> Health:
    return HEALTHY


def _deployment(obj: Object, _now: datetime) -> Health:
    spec, status = _map(obj.get("spec")), _map(obj.get("status"))
    if spec.get("paused"):
        return Health(State.SUSPENDED, "is paused")
    progress = _condition(obj, "Progressing")
    if progress and progress.get("reason") == "ProgressDeadlineExceeded":
        return failed(_said(progress, "exceeded its progress deadline"))
    if not _seen(obj):
        return progressing("its controller has not seen it yet")
    wanted = _count(spec, "replicas", 1)
    replicas, updated = _count(status, "replicas"), _count(status, "updatedReplicas")
    if updated < wanted:
        return progressing(f"{updated} of {wanted} replicas are updated")
    if replicas > updated:
        return progressing(f"{replicas - updated} old replicas are still there")
    available = _count(status, "availableReplicas")
    if available < wanted:
        return progressing(f"{available} of {wanted} replicas are available")
    condition = _condition(obj, "Available")
    if condition and condition.get("status") != "True":
        return progressing(_said(condition, "is not available"))
    return HEALTHY


def _stateful_set(obj: Object, _now: datetime) -> Health:
    spec, status = _map(obj.get("spec")), _map(obj.get("status"))
    strategy = _map(spec.get("updateStrategy"))
    if not _seen(obj):
        return progressing("its controller has not seen it yet")
    if strategy.get("type") == "OnDelete":
        return HEALTHY
    wanted, ready, updated = (
        _count(spec, "replicas", 1),
        _count(status, "readyReplicas"),
        _count(status, "updatedReplicas"),
    )
    if ready < wanted:
        return progressing(f"{ready} of {wanted} replicas are ready")
    partition = _count(_map(strategy.get("rollingUpdate")), "partition")
    if partition:
        if updated < wanted - partition:
            return progressing(f"{updated} of {wanted - partition} replicas above the partition are updated")
        return HEALTHY
    if status.get("updateRevision") != status.get("currentRevision"):
        return progressing(f"{updated} of {wanted} replicas are of the new revision")
    return HEALTHY


def _daemon_set(obj: Object, _now: datetime) -> Health:
    spec, status = _map(obj.get("spec")), _map(obj.get("status"))
    if not _seen(obj):
        return progressing("its controller has not seen it yet")
    if _map(spec.get("updateStrategy")).get("type") == "OnDelete":
        return HEALTHY
    desired = _count(status, "desiredNumberScheduled")
    for field, word in (
        ("currentNumberScheduled", "scheduled"),
        ("updatedNumberScheduled", "updated"),
        ("numberAvailable", "available"),
    ):
        if _count(status, field) < desired:
            return progressing(f"{_count(status, field)} of {desired} pods are {word}")
    return HEALTHY


def _replica_set(obj: Object, _now: datetime) -> Health:
    wanted = _count(_map(obj.get("spec")), "replicas", 1)
    available = _count(_map(obj.get("status")), "availableReplicas")
    failure = _condition(obj, "ReplicaFailure")
    if failure and failure.get("status") == "True":
        return failed(_said(failure, "cannot make its pods"))
    if not _seen(obj) or available < wanted:
        return progressing(f"{available} of {wanted} replicas are available")
    return HEALTHY


def _job(obj: Object, _now: datetime) -> Health:
    failure = _condition(obj, "Failed")
    if failure and failure.get("status") == "True":
        return failed(_said(failure, "failed"))
    complete = _condition(obj, "Complete")
    if complete and complete.get("status") == "True":
        return HEALTHY
    if _map(obj.get("spec")).get("suspend"):
        return Health(State.SUSPENDED, "is suspended")
    return progressing("is running" if _map(obj.get("status")).get("active") else "has not started yet")


def _claim(obj: Object, _now: datetime) -> Health:
    phase = _map(obj.get("status")).get("phase") or "Pending"
    if phase == "Lost":
        return failed("lost its volume")
    return HEALTHY if phase == "Bound" else progressing(f"is {phase}, not Bound")


def _service(obj: Object, _now: datetime) -> Health:
    if _map(obj.get("spec")).get("type") != "LoadBalancer" or _address(obj):
        return HEALTHY
    return progressing("has no address from a load balancer yet")


def _ingress(obj: Object, _now: datetime) -> Health:
    asks = ((obj.get("metadata") or {}).get("annotations") or {}).get(names.ADDRESS) == "true"
    return HEALTHY if not asks or _address(obj) else progressing("has no address yet")


def _definition(obj: Object, _now: datetime) -> Health:
    accepted = _condition(obj, "NamesAccepted")
    if accepted and accepted.get("status") == "False":
        return failed(_said(accepted, "its names are not accepted"))
    established = _condition(obj, "Established")
    if established and established.get("status") == "True":
        return HEALTHY
    return progressing("is not established yet")


def _api_service(obj: Object, _now: datetime) -> Health:
    available = _condition(obj, "Available")
    if available and available.get("status") == "True":
        return HEALTHY
    return progressing(_said(available or {}, "is not available yet"))


def _namespace(obj: Object, _now: datetime) -> Health:
    phase = _map(obj.get("status")).get("phase") or "Active"
    return HEALTHY if phase == "Active" else Health(State.TERMINATING, "is being deleted")


def _pod(obj: Object, now: datetime) -> Health:
    status = _map(obj.get("status"))
    phase = status.get("phase")
    if phase == "Succeeded":
        return HEALTHY
    if phase == "Failed":
        return failed(str(status.get("message") or "failed"))
    for field in ("initContainerStatuses", "containerStatuses"):
        for container in status.get(field) or ():
            waiting = _map(_map(container.get("state")).get("waiting"))
            if waiting.get("reason") == "CrashLoopBackOff":
                return failed(f"the container {container.get('name')} keeps crashing")
    ready = _condition(obj, "Ready")
    if ready and ready.get("status") == "True":
        return HEALTHY
    scheduled = _condition(obj, "PodScheduled")
    if scheduled and scheduled.get("status") == "False" and scheduled.get("reason") == "Unschedulable":
        since = _moment(scheduled.get("lastTransitionTime"))
        if since and now - since >= UNSCHEDULABLE:
            return failed(_said(scheduled, "cannot be scheduled"))
        return progressing(_said(scheduled, "cannot be scheduled"))
    return progressing(_said(ready or {}, "is not ready"))


def _anything(obj: Object, _now: datetime) -> Health:
    ready = _condition(obj, "Ready")
    if ready is None or ready.get("status") == "True":
        return HEALTHY
    return progressing(_said(ready, "is not ready"))


def _custom(obj: Object, expression: str) -> Health:
    """A rule of the object's own: a CEL expression over ``object`` that says whether it is healthy."""
    import cel

    try:
        healthy = cel.evaluate(expression, {"object": dict(obj)})
    except Exception as e:  # the binding raises whatever its engine says
        return progressing(f"its health rule cannot be evaluated: {str(e)[:200]}")
    return HEALTHY if healthy is True else progressing(f"its health rule is not true: {expression[:120]}")


RULES: dict[tuple[str, str], Rule] = {
    ("apps", "Deployment"): _deployment,
    ("apps", "StatefulSet"): _stateful_set,
    ("apps", "DaemonSet"): _daemon_set,
    ("apps", "ReplicaSet"): _replica_set,
    ("batch", "Job"): _job,
    ("", "PersistentVolumeClaim"): _claim,
    ("", "Service"): _service,
    ("", "Pod"): _pod,
    ("", "Namespace"): _namespace,
    ("networking.k8s.io", "Ingress"): _ingress,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _definition,
    ("apiregistration.k8s.io", "APIService"): _api_service,
}
_ALWAYS: frozenset[tuple[str, str]] = frozenset(
    [
        ("batch", "CronJob"),
        *(("", kind) for kind in ("ConfigMap", "Secret", "ServiceAccount", "LimitRange", "ResourceQuota", "Endpoints")),
        *(("rbac.authorization.k8s.io", k) for k in ("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")),
        *(("networking.k8s.io", kind) for kind in ("NetworkPolicy", "IngressClass")),
        *(("storage.k8s.io", kind) for kind in ("StorageClass", "CSIDriver")),
        *(("scheduling.k8s.io", kind) for kind in ("PriorityClass",)),
        *(
            ("admissionregistration.k8s.io", kind)
            for kind in ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
        ),
    ]
)
RULES.update(dict.fromkeys(_ALWAYS, _always))


# --- reading an object that anyone may have written ------------------------------------------------


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _condition(obj: Object, kind: str) -> Mapping[str, Any] | None:
    conditions = _map(obj.get("status")).get("conditions")
    if not isinstance(conditions, list):
        return None
    return next((c for c in conditions if isinstance(c, Mapping) and c.get("type") == kind), None)


def _said(condition: Mapping[str, Any], otherwise: str) -> str:
    return str(condition.get("message") or condition.get("reason") or otherwise)[:300]


def _count(holder: Mapping[str, Any], field: str, otherwise: int = 0) -> int:
    value = holder.get(field)
    return value if isinstance(value, int) else otherwise


def _seen(obj: Object) -> bool:
    """Whether a controller has looked at the object at all: one just made has no status yet."""
    return isinstance(_map(obj.get("status")).get("observedGeneration"), int)


def _address(obj: Object) -> bool:
    return bool(_map(_map(obj.get("status")).get("loadBalancer")).get("ingress"))


def _moment(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        return None
