"""Garbage: objects whose owners are gone go too, at once, in the foreground, or not at all."""

from __future__ import annotations

from collections.abc import Iterable

from ghapp.sandbox.cluster.controllers.loop import Loop
from ghapp.sandbox.cluster.deletion import FOREGROUND, ORPHAN
from ghapp.sandbox.cluster.kinds import Resource
from ghapp.sandbox.cluster.store import Event, Key, Stored
from ghapp.sandbox.cluster.types import Object
from ghapp.sandbox.cluster.write import Delete

MANAGER = "kube-controller-manager"


class Garbage:
    """Follows ownerReferences. Its subjects are (collection, uid or key) pairs, told apart by their first letter."""

    collections = ()

    def __init__(self, loop: Loop) -> None:
        self._objects = loop.objects

    def subjects(self, collection: str, event: Event) -> Iterable[Key]:
        meta = event.stored.object["metadata"]
        if event.type == "DELETED":
            owners = [o.get("uid", "") for o in meta.get("ownerReferences") or () if o.get("blockOwnerDeletion")]
            return [("uid", meta["uid"]), *(("uid", uid) for uid in owners)]
        subjects: list[Key] = []
        if meta.get("ownerReferences") and event.type == "ADDED":
            subjects.append((f"orphan {collection}", "/".join(event.stored.key)))
        if "deletionTimestamp" in meta and {ORPHAN, FOREGROUND} & set(meta.get("finalizers", ())):
            subjects.append((f"owner {collection}", "/".join(event.stored.key)))
        return subjects

    def reconcile(self, key: Key) -> float | None:
        what, _, collection = key[0].partition(" ")
        if what == "uid":
            return self._owner_gone(key[1])
        namespace, _, name = key[1].partition("/")
        live = self._objects.store.get(collection, namespace, name)
        if live is None:
            return None
        if what == "orphan":
            self._owners_known(collection, live)
        else:
            self._finish_owner(collection, live)
        return None

    def _owner_gone(self, uid: str) -> float | None:
        if uid in self._objects.store.uids:
            # Still there: perhaps it waited for the dependent that has just gone.
            if owner := self._objects.store.with_uid(uid):
                self._finish_owner(*owner)
            return None
        for collection, stored in self._objects.store.dependents(uid):
            self._owners_known(collection, stored)
        return None

    def _owners_known(self, collection: str, stored: Stored) -> None:
        """Delete an object none of whose owners exists; forget those that do not where others do."""
        resource = self._resource(collection)
        owners = stored.object["metadata"].get("ownerReferences") or []
        known = [o for o in owners if o.get("uid") in self._objects.store.uids]
        if resource is None or len(known) == len(owners):
            return
        if known:
            self._objects.edit(resource, stored, lambda new: new["metadata"].update(ownerReferences=known), MANAGER)
        else:
            self._objects.delete(resource, *stored.key, Delete(propagation="Background"))

    def _finish_owner(self, collection: str, live: Stored) -> None:
        resource = self._resource(collection)
        meta = live.object["metadata"]
        finalizers = meta.get("finalizers", [])
        if resource is None:
            return
        dependents = self._objects.store.dependents(meta["uid"])
        if ORPHAN in finalizers:
            for name, dependent in dependents:
                if kind := self._resource(name):
                    self._objects.edit(kind, dependent, lambda new: _disown(new, meta["uid"]), MANAGER)
            self._drop(resource, live, ORPHAN)
        elif FOREGROUND in finalizers:
            blocking = [d for d in dependents if _blocks(d[1].object, meta["uid"])]
            for name, dependent in dependents:
                kind = self._resource(name)
                if kind and "deletionTimestamp" not in dependent.object["metadata"]:
                    self._objects.delete(kind, *dependent.key, Delete(propagation="Foreground"))
            if not blocking:
                self._drop(resource, live, FOREGROUND)

    def _drop(self, resource: Resource, live: Stored, finalizer: str) -> None:
        fresh = self._objects.find(resource, *live.key)
        if fresh and finalizer in fresh.object["metadata"].get("finalizers", ()):
            self._objects.edit(resource, fresh, lambda new: new["metadata"]["finalizers"].remove(finalizer), MANAGER)

    def _resource(self, collection: str) -> Resource | None:
        return next((r for r in self._objects.kinds.all() if r.storage == collection), None)


def _blocks(dependent: Object, uid: str) -> bool:
    owners = dependent["metadata"].get("ownerReferences") or ()
    return any(o.get("uid") == uid and o.get("blockOwnerDeletion") for o in owners)


def _disown(new: Object, uid: str) -> None:
    left = [o for o in new["metadata"].get("ownerReferences") or () if o.get("uid") != uid]
    if left:
        new["metadata"]["ownerReferences"] = left
    else:
        new["metadata"].pop("ownerReferences", None)
