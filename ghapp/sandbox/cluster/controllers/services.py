"""Services of type LoadBalancer: an address after a moment."""

from __future__ import annotations

from collections.abc import Iterable

from ghapp.sandbox.cluster.controllers.loop import Loop
from ghapp.sandbox.cluster.store import Event, Key

MANAGER = "cloud-controller-manager"
NEVER = "sandbox.ghapp.dev/no-address"


class Services:
    """Gives load balancers an address; those with the annotation ``sandbox.ghapp.dev/no-address`` never get one."""

    collections = ("/services",)

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._objects = loop.objects
        self._kind = loop.objects.kinds.named("Service")
        self._waiting: set[str] = set()
        self._given = 0

    def subjects(self, collection: str, event: Event) -> Iterable[Key]:
        wanted = event.stored.object["spec"].get("type") == "LoadBalancer" and event.type != "DELETED"
        return [event.stored.key] if wanted else []

    def reconcile(self, key: Key) -> float | None:
        live = self._objects.find(self._kind, *key)
        if live is None or NEVER in (live.object["metadata"].get("annotations") or {}):
            return None
        if ((live.object.get("status") or {}).get("loadBalancer") or {}).get("ingress"):
            return None
        uid = live.object["metadata"]["uid"]
        if uid not in self._waiting:
            self._waiting.add(uid)
            return self._loop.pace.address
        self._waiting.discard(uid)
        self._given += 1
        ingress = [{"ip": f"192.0.2.{self._given % 250 + 1}", "ipMode": "VIP"}]
        self._objects.set_status(self._kind, live, {"loadBalancer": {"ingress": ingress}}, MANAGER)
        return None
