"""PersistentVolumeClaims: bound to a volume made for them, and let go once no Pod uses them."""

from __future__ import annotations

from collections.abc import Iterable

from ghapp.sandbox.cluster.admission import CLAIM_PROTECTION
from ghapp.sandbox.cluster.controllers.loop import Loop
from ghapp.sandbox.cluster.store import Event, Key, Stored
from ghapp.sandbox.cluster.types import Object
from ghapp.sandbox.cluster.write import Delete, Write

MANAGER = "kube-controller-manager"
NEVER = "sandbox.ghapp.dev/never-bound"


class Claims:
    """Binds claims after a moment; one with the annotation ``sandbox.ghapp.dev/never-bound`` stays pending."""

    collections = ("/persistentvolumeclaims", "/pods")

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._objects = loop.objects
        self._kind = loop.objects.kinds.named("PersistentVolumeClaim")
        self._volumes = loop.objects.kinds.named("PersistentVolume")
        self._seen: set[str] = set()

    def subjects(self, collection: str, event: Event) -> Iterable[Key]:
        if collection == "/persistentvolumeclaims":
            if event.type == "DELETED":
                self._release(event.stored.object)
                return []
            return [event.stored.key]
        if event.type != "DELETED":
            return []
        return [(event.stored.key[0], name) for name in _claims_of(event.stored.object)]

    def reconcile(self, key: Key) -> float | None:
        live = self._objects.find(self._kind, *key)
        if live is None:
            return None
        meta = live.object["metadata"]
        if "deletionTimestamp" in meta:
            self._let_go(live)
            return None
        if (live.object.get("status") or {}).get("phase") == "Bound" or NEVER in (meta.get("annotations") or {}):
            return None
        if meta["uid"] not in self._seen:
            self._seen.add(meta["uid"])
            return self._loop.pace.bound
        self._seen.discard(meta["uid"])
        self._bind(live)
        return None

    def _bind(self, live: Stored) -> None:
        claim = live.object
        meta, spec = claim["metadata"], claim["spec"]
        name = spec.get("volumeName") or f"pvc-{meta['uid']}"
        capacity = {"storage": spec["resources"]["requests"]["storage"]}
        if self._objects.find(self._volumes, "", name) is None:
            reference = {
                "kind": "PersistentVolumeClaim",
                "apiVersion": "v1",
                "namespace": meta["namespace"],
                "name": meta["name"],
                "uid": meta["uid"],
            }
            body: Object = {
                "metadata": {"name": name},
                "spec": {
                    "capacity": capacity,
                    "accessModes": spec["accessModes"],
                    "claimRef": reference,
                    "persistentVolumeReclaimPolicy": "Delete",
                    "storageClassName": spec.get("storageClassName", ""),
                    "hostPath": {"path": f"/sandbox/{name}"},
                },
            }
            self._objects.create(self._volumes, "", body, Write(MANAGER))
            volume = self._objects.get(self._volumes, "", name)
            self._objects.set_status(self._volumes, volume, {"phase": "Bound"}, MANAGER)
        self._objects.edit(self._kind, live, lambda new: new["spec"].update(volumeName=name), MANAGER)
        status = {"phase": "Bound", "accessModes": spec["accessModes"], "capacity": capacity}
        self._objects.set_status(self._kind, self._objects.get(self._kind, *live.key), status, MANAGER)

    def _let_go(self, live: Stored) -> None:
        namespace, name = live.key
        if CLAIM_PROTECTION not in live.object["metadata"].get("finalizers", ()):
            return
        pods = self._objects.store.collection("/pods").in_namespace(namespace)
        if any(name in _claims_of(p.object) for p in pods):
            return

        def edit(new: Object) -> None:
            new["metadata"]["finalizers"].remove(CLAIM_PROTECTION)

        self._objects.edit(self._kind, live, edit, MANAGER)

    def _release(self, claim: Object) -> None:
        name = (claim.get("spec") or {}).get("volumeName", "")
        volume = self._objects.find(self._volumes, "", name)
        if volume and volume.object["spec"].get("persistentVolumeReclaimPolicy") == "Delete":
            self._objects.delete(self._volumes, "", name, Delete())


def _claims_of(pod: Object) -> list[str]:
    volumes = pod["spec"].get("volumes") or ()
    return [v["persistentVolumeClaim"]["claimName"] for v in volumes if "persistentVolumeClaim" in v]
