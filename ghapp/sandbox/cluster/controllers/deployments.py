"""Deployments: one ReplicaSet per template, the newest scaled up, the others down once it is ready."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from ghapp.sandbox.cluster.controllers import owning
from ghapp.sandbox.cluster.controllers.loop import Loop
from ghapp.sandbox.cluster.controllers.recording import record
from ghapp.sandbox.cluster.store import Event, Key, Stored
from ghapp.sandbox.cluster.types import Object
from ghapp.sandbox.cluster.write import Delete, Write

MANAGER = "kube-controller-manager"
REVISION = "deployment.kubernetes.io/revision"
_HASH = "pod-template-hash"


class Deployments:
    """Keeps ReplicaSets equal to what Deployments ask for, and says how far that is."""

    collections = ("apps/deployments", "apps/replicasets")

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._objects = loop.objects
        self._kind = loop.objects.kinds.named("Deployment")
        self._sets = loop.objects.kinds.named("ReplicaSet")

    def subjects(self, collection: str, event: Event) -> Iterable[Key]:
        if collection == "apps/deployments":
            return [event.stored.key] if event.type != "DELETED" else []
        return owning.controller_key(event, "Deployment")

    def reconcile(self, key: Key) -> float | None:
        live = self._objects.find(self._kind, *key)
        if live is None or "deletionTimestamp" in live.object["metadata"]:
            return None
        deployment = live.object
        spec = deployment["spec"]
        sets = owning.owned(self._objects.store, deployment, "apps/replicasets")
        name = f"{key[1]}-{owning.digest(spec['template'])}"
        current = next((s for s in sets if s.key[1] == name), None)
        others = [s for s in sets if s is not current]
        if not spec.get("paused"):
            current = self._roll(deployment, current, others, name)
        elif current:
            self._scale(current, spec["replicas"])
        return self._report(key, current, others)

    def _roll(self, deployment: Object, current: Stored | None, others: list[Stored], name: str) -> Stored | None:
        """Bring the newest ReplicaSet up and the others down."""
        spec = deployment["spec"]
        wanted = spec["replicas"]
        recreate = spec["strategy"]["type"] == "Recreate"
        if recreate:
            for old in others:
                self._scale(old, 0)
            if any((o.object.get("status") or {}).get("replicas") for o in others):
                return current
        current = self._scale(current, wanted) if current else self._new_set(deployment, name, others)
        if (current.object.get("status") or {}).get("availableReplicas", 0) >= wanted:
            for old in others:
                self._scale(old, 0)
            self._forget(others, spec["revisionHistoryLimit"])
        self._number(deployment, current, others)
        return current

    def _new_set(self, deployment: Object, name: str, others: list[Stored]) -> Stored:
        meta, spec = deployment["metadata"], deployment["spec"]
        template = spec["template"]
        labels = {**(template["metadata"].get("labels") or {}), _HASH: name.rpartition("-")[2]}
        given: Object = {
            "metadata": {
                "name": name,
                "labels": labels,
                "annotations": {REVISION: str(_newest(others) + 1)},
                "ownerReferences": [owning.reference(deployment)],
            },
            "spec": {
                "replicas": spec["replicas"],
                "selector": _with_label(spec["selector"], labels[_HASH]),
                "template": {**template, "metadata": {**template["metadata"], "labels": labels}},
            },
        }
        if spec.get("minReadySeconds"):
            given["spec"]["minReadySeconds"] = spec["minReadySeconds"]
        self._objects.create(self._sets, meta["namespace"], given, Write(MANAGER))
        said = f"Scaled up replica set {name} from 0 to {spec['replicas']}"
        record(self._objects, deployment, "ScalingReplicaSet", said, "deployment-controller")
        return self._objects.get(self._sets, meta["namespace"], name)

    def _scale(self, replica_set: Stored, replicas: int) -> Stored:
        if replica_set.object["spec"]["replicas"] == replicas:
            return replica_set

        def edit(new: Object) -> None:
            new["spec"]["replicas"] = replicas

        self._objects.edit(self._sets, replica_set, edit, MANAGER)
        return self._objects.get(self._sets, *replica_set.key)

    def _number(self, deployment: Object, current: Stored, others: list[Stored]) -> None:
        """Say which revision is deployed; a rollback makes an old ReplicaSet the newest one."""
        revision = _revision(current.object)
        if others and revision <= _newest(others):
            revision = _newest(others) + 1
            self._objects.edit(self._sets, current, lambda new: _annotate(new, REVISION, str(revision)), MANAGER)
        meta = deployment["metadata"]
        if (meta.get("annotations") or {}).get(REVISION) != str(revision):
            live = self._objects.get(self._kind, meta["namespace"], meta["name"])
            status = live.object.get("status") or {}
            self._objects.set_status(self._kind, live, status, MANAGER, {REVISION: str(revision)})

    def _forget(self, others: list[Stored], limit: int) -> None:
        done = [o for o in others if not o.object["spec"]["replicas"] and not o.object["status"].get("replicas")]
        done.sort(key=lambda o: _revision(o.object))
        for old in done[: max(len(done) - limit, 0)]:
            self._objects.delete(self._sets, *old.key, Delete())

    def _report(self, key: Key, current: Stored | None, others: list[Stored]) -> float | None:
        live = self._objects.get(self._kind, *key)
        deployment = live.object
        spec, now = deployment["spec"], self._objects.clock()
        fresh = self._objects.find(self._sets, *current.key) if current else None
        sets = [s for s in (fresh, *(self._objects.find(self._sets, *o.key) for o in others)) if s]
        counts = {
            name: sum((s.object.get("status") or {}).get(name, 0) for s in sets)
            for name in ("replicas", "readyReplicas", "availableReplicas")
        }
        updated = (fresh.object.get("status") or {}).get("replicas", 0) if fresh else 0
        wanted = spec["replicas"]
        before = deployment.get("status") or {}
        status: Object = owning.clean(
            {
                "observedGeneration": deployment["metadata"]["generation"],
                "replicas": counts["replicas"],
                "updatedReplicas": updated,
                "readyReplicas": counts["readyReplicas"],
                "availableReplicas": counts["availableReplicas"],
                "unavailableReplicas": max(wanted - counts["availableReplicas"], 0),
            }
        )
        status["conditions"] = before.get("conditions") or []
        enough = counts["availableReplicas"] >= wanted - _may_miss(spec, wanted)
        owning.condition(
            status,
            "Available",
            "True" if enough else "False",
            "MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable",
            f"Deployment {'has' if enough else 'does not have'} minimum availability.",
            now,
            heartbeat=True,
        )
        complete = updated == wanted == counts["replicas"] == counts["availableReplicas"]
        again = self._progress(deployment, status, fresh.key[1] if fresh else "", complete, now)
        if status != before:
            self._objects.set_status(self._kind, live, status, MANAGER)
        return again

    def _progress(self, deployment: Object, status: Object, name: str, complete: bool, now: str) -> float | None:
        """Set the Progressing condition; returns the seconds until its deadline."""
        spec = deployment["spec"]
        if spec.get("paused"):
            owning.condition(
                status, "Progressing", "Unknown", "DeploymentPaused", "Deployment is paused", now, heartbeat=True
            )
            return None
        if complete:
            said = f'ReplicaSet "{name}" has successfully progressed.'
            owning.condition(status, "Progressing", "True", "NewReplicaSetAvailable", said, now, heartbeat=True)
            return None
        before = owning.get_condition(deployment, "Progressing")
        counted = ("updatedReplicas", "readyReplicas", "availableReplicas", "observedGeneration")
        old = deployment.get("status") or {}
        moved = any(status.get(n) != old.get(n) for n in counted)
        said = f'ReplicaSet "{name}" is progressing.'
        if before is None or moved or before["reason"] == "NewReplicaSetAvailable":
            owning.condition(status, "Progressing", "True", "ReplicaSetUpdated", said, now, heartbeat=True)
            found = next(c for c in status["conditions"] if c["type"] == "Progressing")
            found["lastUpdateTime"] = now
            return float(spec["progressDeadlineSeconds"])
        age = (datetime.now(UTC) - datetime.fromisoformat(before["lastUpdateTime"])).total_seconds()
        left = float(spec["progressDeadlineSeconds"] - age)
        if left > 0 and before["reason"] != "ProgressDeadlineExceeded":
            return left
        said = f'ReplicaSet "{name}" has timed out progressing.'
        owning.condition(status, "Progressing", "False", "ProgressDeadlineExceeded", said, now, heartbeat=True)
        return None


def _with_label(selector: Object, value: str) -> Object:
    return {**selector, "matchLabels": {**(selector.get("matchLabels") or {}), _HASH: value}}


def _revision(obj: Object) -> int:
    return int((obj["metadata"].get("annotations") or {}).get(REVISION, "0"))


def _newest(sets: list[Stored]) -> int:
    return max((_revision(s.object) for s in sets), default=0)


def _annotate(obj: Object, key: str, value: str) -> None:
    obj["metadata"].setdefault("annotations", {})[key] = value


def _may_miss(spec: Object, wanted: int) -> int:
    """How many replicas may be missing while the Deployment still counts as available."""
    allowed = (spec["strategy"].get("rollingUpdate") or {}).get("maxUnavailable", 0)
    if isinstance(allowed, str):
        return wanted * int(allowed.rstrip("%") or 0) // 100
    return int(allowed)
