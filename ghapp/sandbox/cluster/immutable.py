"""What may not change once it is set. The server words it differently from kind to kind, and so does this."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ghapp.sandbox.cluster.errors import Cause, field_forbidden, wrong
from ghapp.sandbox.cluster.kinds import Resource
from ghapp.sandbox.cluster.types import Object

RBAC = "rbac.authorization.k8s.io"
FIXED = "field is immutable"
_STATEFUL_MAY_CHANGE = (
    "replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy", "minReadySeconds",
)  # fmt: skip

Checker = Callable[[Object, Object], list[Cause]]


def problems(resource: Resource, new: Object, old: Object) -> list[Cause]:
    """What a change of ``old`` into ``new`` may not do."""
    checker = None if resource.custom else _BY_KIND.get((resource.group, resource.kind))
    return checker(new, old) if checker else []


def _at(obj: Object, path: str) -> Any:
    value: Any = obj
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _fixed(*paths: str) -> Checker:
    """Fields that keep their value: "field is immutable"."""

    def check(new: Object, old: Object) -> list[Cause]:
        changed = [p for p in paths if _at(new, p) != _at(old, p)]
        return [wrong(p, _at(new, p), FIXED) for p in changed]

    return check


def _frozen_data(new: Object, old: Object) -> list[Cause]:
    if not old.get("immutable"):
        return []
    said = "field is immutable when `immutable` is set"
    found: list[Cause] = []
    if not new.get("immutable"):
        found.append(field_forbidden("immutable", said))
    found += [field_forbidden(f, said) for f in ("data", "binaryData") if (new.get(f) or {}) != (old.get(f) or {})]
    return found


def _secret(new: Object, old: Object) -> list[Cause]:
    return _fixed("type")(new, old) + _frozen_data(new, old)


def _stateful_set(new: Object, old: Object) -> list[Cause]:
    kept = [{k: v for k, v in o["spec"].items() if k not in _STATEFUL_MAY_CHANGE} for o in (new, old)]
    if kept[0] == kept[1]:
        return []
    *names, last = [f"'{n}'" for n in _STATEFUL_MAY_CHANGE]
    listed = f"{', '.join(names)} and {last}"
    return [field_forbidden("spec", f"updates to statefulset spec for fields other than {listed} are forbidden")]


def _job(new: Object, old: Object) -> list[Cause]:
    found = _fixed("spec.selector", "spec.completions", "spec.completionMode", "spec.podFailurePolicy")(new, old)
    suspended = old["spec"].get("suspend") and not (old.get("status") or {}).get("startTime")
    if not suspended:
        found += _fixed("spec.template")(new, old)
    return found


def _service(new: Object, old: Object) -> list[Cause]:
    before, after = old["spec"].get("clusterIP"), new["spec"].get("clusterIP")
    leaves = new["spec"]["type"] == "ExternalName" or old["spec"]["type"] == "ExternalName"
    if before and before != after and not leaves:
        return [wrong("spec.clusterIPs[0]", [after] if after else None, "may not change once set")]
    return []


def _claim(new: Object, old: Object) -> list[Cause]:
    def kept(obj: Object) -> Object:
        spec = {k: v for k, v in obj["spec"].items() if k not in ("volumeAttributesClassName", "resources")}
        if not old["spec"].get("volumeName"):
            spec.pop("volumeName", None)
        return spec

    if kept(new) == kept(old):
        return []
    said = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
    return [field_forbidden("spec", said)]


def _volume(new: Object, old: Object) -> list[Cause]:
    plain = ("accessModes", "capacity", "claimRef", "mountOptions", "nodeAffinity", "persistentVolumeReclaimPolicy",
             "storageClassName", "volumeAttributesClassName", "volumeMode")  # fmt: skip
    sources = [{k: v for k, v in o["spec"].items() if k not in plain} for o in (new, old)]
    if sources[0] == sources[1]:
        return []
    said = "spec.persistentvolumesource is immutable after creation"
    return [field_forbidden("spec.persistentvolumesource", said)]


def _binding(new: Object, old: Object) -> list[Cause]:
    if new["roleRef"] == old["roleRef"]:
        return []
    return [wrong("roleRef", new["roleRef"], "cannot change roleRef")]


def _priority_class(new: Object, old: Object) -> list[Cause]:
    found: list[Cause] = []
    if new.get("value") != old.get("value"):
        found.append(field_forbidden("value", "may not be changed in an update."))
    if new.get("preemptionPolicy") != old.get("preemptionPolicy"):
        found.append(wrong("preemptionPolicy", new.get("preemptionPolicy"), FIXED))
    return found


def _storage_class(new: Object, old: Object) -> list[Cause]:
    forbidden = [n for n in ("parameters", "provisioner") if new.get(n) != old.get(n)]
    found = [field_forbidden(n, f"updates to {n} are forbidden.") for n in forbidden]
    return found + _fixed("reclaimPolicy", "volumeBindingMode")(new, old)


def _pod(new: Object, old: Object) -> list[Cause]:
    def kept(obj: Object) -> Object:
        spec = {
            k: v
            for k, v in obj["spec"].items()
            if k not in ("activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds", "nodeName")
        }
        for name in ("containers", "initContainers"):
            if name in spec:
                spec[name] = [{k: v for k, v in c.items() if k != "image"} for c in spec[name]]
        return spec

    if kept(new) == kept(old):
        return []
    said = (
        "pod updates may not change fields other than `spec.containers[*].image`, `spec.initContainers[*].image`, "
        "`spec.activeDeadlineSeconds`, `spec.tolerations` (only additions to existing tolerations), "
        "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
    )
    return [field_forbidden("spec", said)]


_BY_KIND: dict[tuple[str, str], Checker] = {
    ("", "ConfigMap"): _frozen_data,
    ("", "Secret"): _secret,
    ("", "Pod"): _pod,
    ("", "Service"): _service,
    ("", "PersistentVolumeClaim"): _claim,
    ("", "PersistentVolume"): _volume,
    ("apps", "Deployment"): _fixed("spec.selector"),
    ("apps", "ReplicaSet"): _fixed("spec.selector"),
    ("apps", "DaemonSet"): _fixed("spec.selector"),
    ("apps", "StatefulSet"): _stateful_set,
    ("apps", "ControllerRevision"): _fixed("data"),
    ("batch", "Job"): _job,
    ("networking.k8s.io", "IngressClass"): _fixed("spec.controller"),
    (RBAC, "RoleBinding"): _binding,
    (RBAC, "ClusterRoleBinding"): _binding,
    ("scheduling.k8s.io", "PriorityClass"): _priority_class,
    ("storage.k8s.io", "StorageClass"): _storage_class,
    ("node.k8s.io", "RuntimeClass"): _fixed("handler"),
    ("discovery.k8s.io", "EndpointSlice"): _fixed("addressType"),
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _fixed("spec.group", "spec.names.kind", "spec.scope"),
}
