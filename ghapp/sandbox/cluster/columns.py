"""The columns of `kubectl get` for built-in kinds: a name and a function of the object each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ghapp.sandbox.cluster.types import Object

Cell = Callable[[Object], Any]
Columns = tuple[tuple[str, Cell], ...]


def _at(path: str, default: Any = "") -> Cell:
    names = path.split(".")

    def cell(obj: Object) -> Any:
        value: Any = obj
        for name in names:
            value = value.get(name) if isinstance(value, dict) else None
        return default if value is None else value

    return cell


def _ready_pod(obj: Object) -> str:
    statuses = (obj.get("status") or {}).get("containerStatuses") or ()
    return f"{sum(bool(s.get('ready')) for s in statuses)}/{len(obj['spec']['containers'])}"


def _pod_status(obj: Object) -> str:
    status = obj.get("status") or {}
    if "deletionTimestamp" in obj["metadata"]:
        return "Terminating"
    for container in status.get("containerStatuses") or ():
        for state in (container.get("state") or {}).values():
            if reason := state.get("reason"):
                return str(reason)
    return str(status.get("phase", "Pending"))


def _restarts(obj: Object) -> int:
    return sum(s.get("restartCount", 0) for s in (obj.get("status") or {}).get("containerStatuses") or ())


def _ready_of(wanted: str) -> Cell:
    def cell(obj: Object) -> str:
        return f"{(obj.get('status') or {}).get('readyReplicas', 0)}/{obj['spec'].get(wanted, 0)}"

    return cell


def _ports(obj: Object) -> str:
    shown = []
    for port in obj["spec"].get("ports") or ():
        node = f":{port['nodePort']}" if port.get("nodePort") else ""
        shown.append(f"{port['port']}{node}/{port['protocol']}")
    return ",".join(shown) or "<none>"


def _external(obj: Object) -> str:
    spec = obj["spec"]
    if spec.get("type") == "ExternalName":
        return str(spec.get("externalName", ""))
    if spec.get("type") == "LoadBalancer":
        given = ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
        return ",".join(i.get("ip") or i.get("hostname", "") for i in given) or "<pending>"
    return ",".join(spec.get("externalIPs") or ()) or "<none>"


def _hosts(obj: Object) -> str:
    return ",".join(r.get("host") or "*" for r in obj["spec"].get("rules") or ()) or "*"


def _completions(obj: Object) -> str:
    return f"{(obj.get('status') or {}).get('succeeded', 0)}/{obj['spec'].get('completions', 1)}"


def _job_status(obj: Object) -> str:
    conditions = (obj.get("status") or {}).get("conditions") or ()
    done = [c["type"] for c in conditions if c.get("status") == "True" and c["type"] in ("Complete", "Failed")]
    return done[0] if done else "Suspended" if obj["spec"].get("suspend") else "Running"


def _count(*fields: str) -> Cell:
    return lambda obj: sum(len(obj.get(f) or {}) for f in fields)


def _role(obj: Object) -> str:
    return f"{obj['roleRef'].get('kind')}/{obj['roleRef'].get('name')}"


def _subject_of_event(obj: Object) -> str:
    about = obj.get("involvedObject") or obj.get("regarding") or {}
    return f"{about.get('kind', '').lower()}/{about.get('name', '')}"


COLUMNS: dict[str, Columns] = {
    "/pods": (("Ready", _ready_pod), ("Status", _pod_status), ("Restarts", _restarts)),
    "/services": (
        ("Type", _at("spec.type")),
        ("Cluster-IP", _at("spec.clusterIP", "<none>")),
        ("External-IP", _external),
        ("Port(s)", _ports),
    ),
    "/configmaps": (("Data", _count("data", "binaryData")),),
    "/secrets": (("Type", _at("type")), ("Data", _count("data"))),
    "/serviceaccounts": (("Secrets", _count("secrets")),),
    "/namespaces": (("Status", _at("status.phase")),),
    "/nodes": (("Status", lambda _: "Ready"), ("Version", _at("status.nodeInfo.kubeletVersion"))),
    "/persistentvolumeclaims": (
        ("Status", _at("status.phase")),
        ("Volume", _at("spec.volumeName")),
        ("Capacity", _at("status.capacity.storage")),
        ("StorageClass", _at("spec.storageClassName")),
    ),
    "/persistentvolumes": (("Capacity", _at("spec.capacity.storage")), ("Status", _at("status.phase"))),
    "/events": (
        ("Type", _at("type")),
        ("Reason", _at("reason")),
        ("Object", _subject_of_event),
        ("Message", _at("message")),
    ),
    "apps/deployments": (
        ("Ready", _ready_of("replicas")),
        ("Up-to-date", _at("status.updatedReplicas", 0)),
        ("Available", _at("status.availableReplicas", 0)),
    ),
    "apps/replicasets": (
        ("Desired", _at("spec.replicas", 0)),
        ("Current", _at("status.replicas", 0)),
        ("Ready", _at("status.readyReplicas", 0)),
    ),
    "apps/statefulsets": (("Ready", _ready_of("replicas")),),
    "apps/daemonsets": (
        ("Desired", _at("status.desiredNumberScheduled", 0)),
        ("Current", _at("status.currentNumberScheduled", 0)),
        ("Ready", _at("status.numberReady", 0)),
    ),
    "batch/jobs": (("Status", _job_status), ("Completions", _completions)),
    "batch/cronjobs": (("Schedule", _at("spec.schedule")), ("Suspend", _at("spec.suspend", False))),
    "networking.k8s.io/ingresses": (("Class", _at("spec.ingressClassName", "<none>")), ("Hosts", _hosts)),
    "autoscaling/horizontalpodautoscalers": (
        ("Reference", _at("spec.scaleTargetRef.name")),
        ("MinPods", _at("spec.minReplicas", 1)),
        ("MaxPods", _at("spec.maxReplicas", 0)),
    ),
    "rbac.authorization.k8s.io/rolebindings": (("Role", _role),),
    "rbac.authorization.k8s.io/clusterrolebindings": (("Role", _role),),
    "coordination.k8s.io/leases": (("Holder", _at("spec.holderIdentity")),),
    "apiextensions.k8s.io/customresourcedefinitions": (("Created At", _at("metadata.creationTimestamp")),),
}
