"""StatefulSets: numbered Pods, each with its claims, replaced when the template changes."""

from __future__ import annotations

from collections.abc import Iterable

from ghapp.sandbox.cluster.controllers import owning
from ghapp.sandbox.cluster.controllers.loop import Loop
from ghapp.sandbox.cluster.controllers.replicasets import MANAGER, pod_of
from ghapp.sandbox.cluster.store import Event, Key, Stored
from ghapp.sandbox.cluster.types import Object
from ghapp.sandbox.cluster.write import Delete, Write

_REVISION = "controller-revision-hash"


class StatefulSets:
    """Keeps Pods ``name-0`` … ``name-n`` at the newest template, as far as the update strategy allows."""

    collections = ("apps/statefulsets", "/pods")

    def __init__(self, loop: Loop) -> None:
        self._objects = loop.objects
        self._kind = loop.objects.kinds.named("StatefulSet")
        self._pods = loop.objects.kinds.named("Pod")
        self._claims = loop.objects.kinds.named("PersistentVolumeClaim")

    def subjects(self, collection: str, event: Event) -> Iterable[Key]:
        if collection == "apps/statefulsets":
            return [event.stored.key] if event.type != "DELETED" else []
        return owning.controller_key(event, "StatefulSet")

    def reconcile(self, key: Key) -> float | None:
        live = self._objects.find(self._kind, *key)
        if live is None or "deletionTimestamp" in live.object["metadata"]:
            return None
        obj = live.object
        spec = obj["spec"]
        revision = f"{key[1]}-{owning.digest(spec['template'])}"
        pods = {s.key[1]: s for s in owning.owned(self._objects.store, obj, "/pods")}
        names = [f"{key[1]}-{i}" for i in range(spec["replicas"])]
        for name in pods.keys() - set(names):
            self._objects.delete(self._pods, key[0], name, Delete())
        self._replace_old(obj, pods, names, revision)
        for name in names:
            if self._objects.find(self._pods, key[0], name) is None:
                self._create(obj, name, revision)
        self._report(live, names, revision)
        return None

    def _replace_old(self, obj: Object, pods: dict[str, Stored], names: list[str], revision: str) -> None:
        strategy = obj["spec"]["updateStrategy"]
        if strategy["type"] == "OnDelete":
            return
        partition = (strategy.get("rollingUpdate") or {}).get("partition", 0)
        for name in names[partition:]:
            pod = pods.get(name)
            if pod and pod.object["metadata"]["labels"].get(_REVISION) != revision:
                self._objects.delete(self._pods, *pod.key, Delete())

    def _create(self, obj: Object, name: str, revision: str) -> None:
        namespace = obj["metadata"]["namespace"]
        given = pod_of(obj, name)
        meta, spec = given["metadata"], dict(given["spec"])
        meta["labels"] = {
            **meta.get("labels", {}),
            _REVISION: revision,
            "statefulset.kubernetes.io/pod-name": name,
            "apps.kubernetes.io/pod-index": name.rpartition("-")[2],
        }
        spec["hostname"] = name
        if obj["spec"].get("serviceName"):
            spec["subdomain"] = obj["spec"]["serviceName"]
        volumes = list(spec.get("volumes") or ())
        for template in obj["spec"].get("volumeClaimTemplates") or ():
            claim = f"{template['metadata']['name']}-{name}"
            volumes.append(
                {"name": template["metadata"]["name"], "persistentVolumeClaim": {"claimName": claim}},
            )
            if self._objects.find(self._claims, namespace, claim) is None:
                body = {"metadata": {**template["metadata"], "name": claim}, "spec": template["spec"]}
                self._objects.create(self._claims, namespace, body, Write(MANAGER))
        if volumes:
            spec["volumes"] = volumes
        self._objects.create(self._pods, namespace, {"metadata": meta, "spec": spec}, Write(MANAGER))

    def _report(self, live: Stored, names: list[str], revision: str) -> None:
        obj = live.object
        pods = [p for n in names if (p := self._objects.find(self._pods, live.key[0], n))]
        ready = sum(owning.is_true(p.object, "Ready") for p in pods)
        updated = sum(p.object["metadata"]["labels"].get(_REVISION) == revision for p in pods)
        before = obj.get("status") or {}
        done = updated == len(names) and ready == len(names)
        status: Object = {
            "observedGeneration": obj["metadata"]["generation"],
            "replicas": len(pods),
            "availableReplicas": ready,
            "currentRevision": revision if done else before.get("currentRevision", revision),
            "updateRevision": revision,
            "collisionCount": 0,
            **owning.clean({"readyReplicas": ready, "updatedReplicas": updated}),
        }
        current = len(pods) if done else len(pods) - updated
        if status["currentRevision"] == revision:
            current = updated
        status.update(owning.clean({"currentReplicas": current}))
        if status != before:
            self._objects.set_status(self._kind, live, status, MANAGER)
