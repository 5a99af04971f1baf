"""DaemonSets: one Pod, on the cluster's only node."""

from __future__ import annotations

from collections.abc import Iterable

from ghapp.sandbox.cluster.controllers import owning
from ghapp.sandbox.cluster.controllers.loop import Loop
from ghapp.sandbox.cluster.controllers.replicasets import MANAGER, pod_of
from ghapp.sandbox.cluster.store import Event, Key
from ghapp.sandbox.cluster.write import Delete, Write

_REVISION = "controller-revision-hash"


class DaemonSets:
    """Keeps one Pod at the newest template."""

    collections = ("apps/daemonsets", "/pods")

    def __init__(self, loop: Loop) -> None:
        self._objects = loop.objects
        self._kind = loop.objects.kinds.named("DaemonSet")
        self._pods = loop.objects.kinds.named("Pod")

    def subjects(self, collection: str, event: Event) -> Iterable[Key]:
        if collection == "apps/daemonsets":
            return [event.stored.key] if event.type != "DELETED" else []
        return owning.controller_key(event, "DaemonSet")

    def reconcile(self, key: Key) -> float | None:
        live = self._objects.find(self._kind, *key)
        if live is None or "deletionTimestamp" in live.object["metadata"]:
            return None
        obj = live.object
        revision = owning.digest(obj["spec"]["template"])
        rolling = obj["spec"]["updateStrategy"]["type"] == "RollingUpdate"
        pods = owning.owned(self._objects.store, obj, "/pods")
        for pod in pods:
            if rolling and pod.object["metadata"]["labels"].get(_REVISION) != revision:
                self._objects.delete(self._pods, *pod.key, Delete())
        pods = owning.owned(self._objects.store, obj, "/pods")
        if not pods:
            given = pod_of(obj)
            given["metadata"]["labels"] = {**given["metadata"].get("labels", {}), _REVISION: revision}
            self._objects.create(self._pods, key[0], given, Write(MANAGER))
            pods = owning.owned(self._objects.store, obj, "/pods")
        ready = sum(owning.is_true(p.object, "Ready") for p in pods)
        updated = sum(p.object["metadata"]["labels"].get(_REVISION) == revision for p in pods)
        counts = {
            "updatedNumberScheduled": updated,
            "numberAvailable": ready,
            "numberUnavailable": 1 - ready,
            "observedGeneration": obj["metadata"]["generation"],
        }
        status = {
            "currentNumberScheduled": len(pods),
            "numberMisscheduled": 0,
            "desiredNumberScheduled": 1,
            "numberReady": ready,
            **owning.clean(counts),
        }
        if status != obj.get("status"):
            self._objects.set_status(self._kind, live, status, MANAGER)
        return None
