"""CustomResourceDefinitions: accepted, established a moment later, served from then on, and emptied when deleted."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable

from cryptography import x509

from ghapp.sandbox.cluster import custom
from ghapp.sandbox.cluster.controllers import owning
from ghapp.sandbox.cluster.controllers.loop import Loop
from ghapp.sandbox.cluster.kinds import Resource
from ghapp.sandbox.cluster.store import Event, Key, Stored
from ghapp.sandbox.cluster.types import Object
from ghapp.sandbox.cluster.write import Delete

MANAGER = "kube-apiserver"
_CLEANUP = "customresourcecleanup.apiextensions.k8s.io"


class Definitions:
    """Serves what definitions define."""

    collections = ("apiextensions.k8s.io/customresourcedefinitions",)

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._objects = loop.objects
        self._kind = loop.objects.kinds.named("CustomResourceDefinition")
        self._served: dict[str, list[Resource]] = {}

    def subjects(self, collection: str, event: Event) -> Iterable[Key]:
        if event.type == "DELETED":
            self._withdraw(event.stored.key[1])
            return []
        return [event.stored.key]

    def reconcile(self, key: Key) -> float | None:
        live = self._objects.find(self._kind, *key)
        if live is None:
            return None
        if "deletionTimestamp" in live.object["metadata"]:
            return self._empty(live)
        if _CLEANUP not in live.object["metadata"].get("finalizers", ()):

            def edit(new: Object) -> None:
                new["metadata"].setdefault("finalizers", []).append(_CLEANUP)

            self._objects.edit(self._kind, live, edit, MANAGER)
            live = self._objects.get(self._kind, *key)
        return self._establish(live)

    def _establish(self, live: Stored) -> float | None:
        definition = live.object
        spec, now = definition["spec"], self._objects.clock()
        before = definition.get("status") or {}
        status: Object = {
            **before,
            "acceptedNames": spec["names"],
            "storedVersions": before.get("storedVersions") or [v["name"] for v in spec["versions"] if v["storage"]],
        }
        taken = self._taken(definition)
        if taken:
            owning.condition(status, "NamesAccepted", "False", "KindConflict", taken, now)
            owning.condition(status, "Established", "False", "NotAccepted", "not all names are accepted", now)
            status["acceptedNames"] = {"plural": "", "kind": ""}
        else:
            owning.condition(status, "NamesAccepted", "True", "NoConflicts", "no conflicts found", now)
            if owning.get_condition(definition, "Established") is None:
                said = "the initial names have been accepted"
                owning.condition(status, "Established", "False", "Installing", said, now)
                self._set(live, status)
                return self._loop.pace.established
            if _trusted(spec):
                said = "the initial names have been accepted"
                owning.condition(status, "Established", "True", "InitialNamesAccepted", said, now)
                self._serve(definition)
        self._set(live, status)
        return None

    def _set(self, live: Stored, status: Object) -> None:
        if status != live.object.get("status"):
            self._objects.set_status(self._kind, live, status, MANAGER)

    def _taken(self, definition: Object) -> str:
        """Why the definition's names cannot be served, or ""."""
        spec = definition["spec"]
        name = definition["metadata"]["name"]
        for resource in self._objects.kinds.all():
            same = resource.group == spec["group"] and resource.kind == spec["names"]["kind"]
            if same and resource.qualified != name:
                return f'"{resource.kind}" is already in use'
        return ""

    def _serve(self, definition: Object) -> None:
        self._withdraw(definition["metadata"]["name"])
        resources = custom.resources(definition)
        for resource in resources:
            self._objects.kinds.add(resource)
        self._served[definition["metadata"]["name"]] = resources

    def _withdraw(self, name: str) -> None:
        for resource in self._served.pop(name, ()):
            self._objects.kinds.remove(resource)

    def _empty(self, live: Stored) -> float | None:
        """Delete every object of a kind that goes away, then let its definition go."""
        served = self._served.get(live.key[1], [])
        left = 0
        for resource in served[:1]:
            for stored in list(self._objects.store.collection(resource.storage).items.values()):
                if "deletionTimestamp" not in stored.object["metadata"]:
                    self._objects.delete(resource, *stored.key, Delete(propagation="Background"))
            left = len(self._objects.store.collection(resource.storage).items)
        finalizers = live.object["metadata"].get("finalizers", ())
        if left or _CLEANUP not in finalizers:
            return self._loop.pace.established if left else None
        self._objects.edit(self._kind, live, lambda new: new["metadata"]["finalizers"].remove(_CLEANUP), MANAGER)
        return None


def _trusted(spec: Object) -> bool:
    """Whether the conversion webhook's caBundle, if there is one, holds certificates."""
    client = ((spec.get("conversion") or {}).get("webhook") or {}).get("clientConfig") or {}
    bundle = client.get("caBundle")
    if not bundle:
        return True
    try:
        x509.load_pem_x509_certificates(base64.b64decode(bundle))
    except (ValueError, binascii.Error):
        return False
    return True
