"""Namespaces: what every one of them has, and the end of all that is in one that goes away."""

from __future__ import annotations

from collections.abc import Iterable

from ghapp.sandbox.cluster.controllers.loop import Loop
from ghapp.sandbox.cluster.errors import ApiError
from ghapp.sandbox.cluster.store import Event, Key
from ghapp.sandbox.cluster.types import Object
from ghapp.sandbox.cluster.write import Delete, Write

MANAGER = "kube-controller-manager"


class Namespaces:
    """Adds the default account, and deletes a namespace's contents before the namespace itself."""

    collections = ()

    def __init__(self, loop: Loop) -> None:
        self._objects = loop.objects
        self._kind = loop.objects.kinds.named("Namespace")

    def subjects(self, collection: str, event: Event) -> Iterable[Key]:
        if collection == "/namespaces":
            return [event.stored.key] if event.type != "DELETED" else []
        namespace = event.stored.key[0]
        if event.type != "DELETED" or not namespace:
            return []
        home = self._objects.find(self._kind, "", namespace)
        return [("", namespace)] if home and "deletionTimestamp" in home.object["metadata"] else []

    def reconcile(self, key: Key) -> float | None:
        live = self._objects.find(self._kind, *key)
        if live is None:
            return None
        name = key[1]
        if "deletionTimestamp" not in live.object["metadata"]:
            self._furnish(name)
            return None
        left = self._empty(name)
        if left:
            return None
        if live.object["metadata"].get("finalizers"):
            return None
        self._objects.store.remove(self._kind.storage, *key)
        return None

    def _furnish(self, namespace: str) -> None:
        for kind, name, body in (
            ("ServiceAccount", "default", {}),
            ("ConfigMap", "kube-root-ca.crt", {"data": {"ca.crt": "the sandbox's cluster speaks plain HTTP\n"}}),
        ):
            resource = self._objects.kinds.named(kind)
            if self._objects.find(resource, namespace, name) is None:
                given: Object = {"metadata": {"name": name}, **body}
                self._objects.create(resource, namespace, given, Write(MANAGER))

    def _empty(self, namespace: str) -> int:
        """Delete everything in a namespace; returns how much is still there."""
        for resource in self._objects.kinds.all():
            if not resource.namespaced:
                continue
            for stored in list(self._objects.store.collection(resource.storage).in_namespace(namespace)):
                if "deletionTimestamp" not in stored.object["metadata"]:
                    try:
                        self._objects.delete(resource, *stored.key, Delete(propagation="Background"))
                    except ApiError as e:
                        if e.code != 404:
                            raise
        return sum(len(list(c.in_namespace(namespace))) for c in self._objects.store.collections())
