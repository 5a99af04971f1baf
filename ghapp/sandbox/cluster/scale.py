"""The scale subresource: one number of another object, shown as a small object of its own."""

from __future__ import annotations

from typing import Any

from ghapp.sandbox.cluster.errors import bad_request
from ghapp.sandbox.cluster.kinds import Resource
from ghapp.sandbox.cluster.types import Object

_BUILTIN = {
    "specReplicasPath": ".spec.replicas",
    "statusReplicasPath": ".status.replicas",
    "labelSelectorPath": "",
}


def shown(resource: Resource, obj: Object) -> Object:
    """An autoscaling/v1 Scale of ``obj``."""
    paths = resource.scale or _BUILTIN
    meta = obj["metadata"]
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    status: Object = {"replicas": _get(obj, paths["statusReplicasPath"]) or 0}
    if selector := _selector(resource, obj, paths):
        status["selector"] = selector
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {k: meta[k] for k in kept if k in meta},
        "spec": {"replicas": _get(obj, paths["specReplicasPath"]) or 0},
        "status": status,
    }


def changed(resource: Resource, obj: Object, scale: Any) -> Object:
    """``obj`` with the number that a Scale says. Raises ApiError 400."""
    replicas = (scale.get("spec") or {}).get("replicas", 0) if isinstance(scale, dict) else None
    if not isinstance(replicas, int) or isinstance(replicas, bool):
        raise bad_request("spec.replicas of a Scale must be an integer")
    path = (resource.scale or _BUILTIN)["specReplicasPath"].strip(".").split(".")
    return _set(obj, path, replicas)


def _selector(resource: Resource, obj: Object, paths: Any) -> str:
    if resource.custom:
        found = _get(obj, paths.get("labelSelectorPath") or "")
        return found if isinstance(found, str) else ""
    labels = ((obj.get("spec") or {}).get("selector") or {}).get("matchLabels") or {}
    return ",".join(f"{k}={v}" for k, v in sorted(labels.items()))


def _get(obj: Object, path: str) -> Any:
    value: Any = obj
    for name in filter(None, path.split(".")):
        value = value.get(name) if isinstance(value, dict) else None
    return value if path else None


def _set(obj: Object, path: list[str], value: Any) -> Object:
    name, *rest = path
    below = obj.get(name)
    return {**obj, name: _set(below if isinstance(below, dict) else {}, rest, value) if rest else value}
