"""EndpointSlices of Services: the addresses of the ready Pods that a selector finds."""

from __future__ import annotations

from collections.abc import Iterable

from ghapp.sandbox.cluster.controllers import owning
from ghapp.sandbox.cluster.controllers.loop import Loop
from ghapp.sandbox.cluster.store import Event, Key, Stored
from ghapp.sandbox.cluster.types import Object
from ghapp.sandbox.cluster.write import Write

MANAGER = "endpointslice-controller"


_Label = tuple[str, str, str]


class Endpoints:
    """Keeps one slice per Service with a selector."""

    collections = ("/services", "/pods")

    def __init__(self, loop: Loop) -> None:
        self._objects = loop.objects
        self._kind = loop.objects.kinds.named("Service")
        self._slices = loop.objects.kinds.named("EndpointSlice")
        # By namespace, label and value: a selector is looked up by its first label.
        self._services: dict[_Label, dict[Key, Object]] = {}
        self._ready: dict[_Label, dict[Key, Stored]] = {}

    def subjects(self, collection: str, event: Event) -> Iterable[Key]:
        key = event.stored.key
        if collection == "/services":
            before = event.before.object["spec"].get("selector") if event.before else None
            selector = event.stored.object["spec"].get("selector") if event.type != "DELETED" else None
            if before:
                self._services.get(_first(key[0], before), {}).pop(key, None)
            if not selector:
                return []
            self._services.setdefault(_first(key[0], selector), {})[key] = selector
            return [key]
        ready = owning.is_true(event.stored.object, "Ready") and event.type != "DELETED"
        was_ready = event.before is not None and owning.is_true(event.before.object, "Ready")
        if ready == was_ready:
            return []
        labels = event.stored.object["metadata"].get("labels") or {}
        found: list[Key] = []
        for label in ((key[0], k, v) for k, v in labels.items()):
            pods = self._ready.setdefault(label, {})
            if ready:
                pods[key] = event.stored
            else:
                pods.pop(key, None)
            found += [k for k, s in self._services.get(label, {}).items() if s.items() <= labels.items()]
        return found

    def reconcile(self, key: Key) -> float | None:
        service = self._objects.find(self._kind, *key)
        if service is None or not (selector := service.object["spec"].get("selector")):
            return None
        candidates = self._ready.get(_first(key[0], selector), {}).values()
        pods = [p for p in candidates if selector.items() <= p.object["metadata"]["labels"].items()]
        wanted = {"endpoints": [_endpoint(p) for p in pods], "ports": _ports(service.object)}
        known = owning.owned(self._objects.store, service.object, "discovery.k8s.io/endpointslices")
        if not known:
            body: Object = {
                "metadata": {
                    "generateName": f"{key[1]}-",
                    "labels": {
                        "kubernetes.io/service-name": key[1],
                        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
                    },
                    "ownerReferences": [owning.reference(service.object)],
                },
                "addressType": "IPv4",
                **wanted,
            }
            self._objects.create(self._slices, key[0], body, Write(MANAGER))
        elif any(known[0].object.get(n) != v for n, v in wanted.items()):
            self._objects.edit(self._slices, known[0], lambda new: new.update(wanted), MANAGER)
        return None


def _first(namespace: str, selector: Object) -> _Label:
    return (namespace, *next(iter(selector.items())))


def _endpoint(pod: Stored) -> Object:
    namespace, name = pod.key
    return {
        "addresses": [pod.object["status"].get("podIP", "")],
        "conditions": {"ready": True, "serving": True, "terminating": False},
        "targetRef": {"kind": "Pod", "namespace": namespace, "name": name, "uid": pod.object["metadata"]["uid"]},
    }


def _ports(service: Object) -> list[Object]:
    return [
        {
            "name": p.get("name", ""),
            "port": p["targetPort"] if isinstance(p["targetPort"], int) else p["port"],
            "protocol": p["protocol"],
        }
        for p in service["spec"].get("ports") or ()
    ]
