"""ReplicaSets: as many Pods as asked for."""

from __future__ import annotations

from collections.abc import Iterable

from ghapp.sandbox.cluster.controllers import owning
from ghapp.sandbox.cluster.controllers.loop import Loop
from ghapp.sandbox.cluster.store import Event, Key
from ghapp.sandbox.cluster.types import Object
from ghapp.sandbox.cluster.write import Delete, Write

MANAGER = "kube-controller-manager"


class ReplicaSets:
    """Creates and deletes Pods, and counts the ready ones."""

    collections = ("apps/replicasets", "/pods")

    def __init__(self, loop: Loop) -> None:
        self._objects = loop.objects
        self._kind = loop.objects.kinds.named("ReplicaSet")
        self._pods = loop.objects.kinds.named("Pod")

    def subjects(self, collection: str, event: Event) -> Iterable[Key]:
        if collection == "apps/replicasets":
            return [event.stored.key] if event.type != "DELETED" else []
        return owning.controller_key(event, "ReplicaSet")

    def reconcile(self, key: Key) -> float | None:
        live = self._objects.find(self._kind, *key)
        if live is None or "deletionTimestamp" in live.object["metadata"]:
            return None
        obj = live.object
        wanted = obj["spec"]["replicas"]
        pods = owning.owned(self._objects.store, obj, "/pods")
        for pod in sorted(pods, key=lambda p: owning.is_true(p.object, "Ready"))[: max(len(pods) - wanted, 0)]:
            self._objects.delete(self._pods, *pod.key, Delete())
        for _ in range(wanted - len(pods)):
            self._objects.create(self._pods, key[0], pod_of(obj), Write(MANAGER))
        pods = owning.owned(self._objects.store, obj, "/pods")
        ready = sum(owning.is_true(p.object, "Ready") for p in pods)
        counted = {"readyReplicas": ready, "availableReplicas": ready, "fullyLabeledReplicas": len(pods)}
        status = {
            "replicas": len(pods),
            **owning.clean({**counted, "observedGeneration": obj["metadata"]["generation"]}),
        }
        if status != obj.get("status"):
            self._objects.set_status(self._kind, live, status, MANAGER)
        return None


def pod_of(owner: Object, name: str = "") -> Object:
    """A Pod after the template of ``owner``; it gets a random name unless one is given."""
    template = owner["spec"]["template"]
    meta = {k: v for k, v in (template.get("metadata") or {}).items() if k in ("labels", "annotations", "finalizers")}
    meta["ownerReferences"] = [owning.reference(owner)]
    if name:
        meta["name"] = name
    else:
        meta["generateName"] = owner["metadata"]["name"] + "-"
    return {"metadata": meta, "spec": template["spec"]}
