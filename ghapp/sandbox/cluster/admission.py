"""What happens to a write between its owners being recorded and its being stored: addresses are given out, standard
finalizers added, namespaces checked, protected objects kept."""

from __future__ import annotations

import ipaddress
from typing import Protocol

from ghapp.sandbox.cluster import errors, poddefaults
from ghapp.sandbox.cluster.kinds import Resource
from ghapp.sandbox.cluster.store import Store
from ghapp.sandbox.cluster.types import Object

_PROTECTED = ("default", "kube-system", "kube-public")
_FIRST_ADDRESS = ipaddress.IPv4Address("10.96.0.10")
_FIRST_NODE_PORT, _NODE_PORTS = 30000, 2768
STORAGE_CLASS = "standard"
CLAIM_PROTECTION = "kubernetes.io/pvc-protection"


class _HasStore(Protocol):
    store: Store


class Allocator:
    """Hands out cluster addresses and node ports."""

    def __init__(self) -> None:
        self._addresses = 0
        self._ports = 0

    def address(self) -> str:
        self._addresses += 1
        return str(_FIRST_ADDRESS + self._addresses)

    def node_port(self) -> int:
        self._ports += 1
        return _FIRST_NODE_PORT + self._ports % _NODE_PORTS


def fill(allocator: Allocator, resource: Resource, new: Object, old: Object | None) -> None:
    """Add in place what the server itself decides; ``old`` is the live object of a change."""
    if resource.group:
        return
    if resource.kind == "Service":
        _fill_service(allocator, new, old)
    elif resource.kind == "Namespace":
        new["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = new["metadata"].get("name", "")
        if old is None:
            new["spec"] = {"finalizers": ["kubernetes"]}
            new["status"] = {"phase": "Active"}
    elif resource.kind == "PersistentVolumeClaim" and old is None:
        new["spec"].setdefault("storageClassName", STORAGE_CLASS)
        finalizers = new["metadata"].setdefault("finalizers", [])
        if CLAIM_PROTECTION not in finalizers:
            finalizers.append(CLAIM_PROTECTION)
    elif resource.kind == "Pod" and old is None:
        poddefaults.admitted(new)


def _fill_service(allocator: Allocator, new: Object, old: Object | None) -> None:
    spec = new["spec"]
    before = old["spec"] if old else {}
    if spec["type"] == "ExternalName":
        return
    if "clusterIP" not in spec:
        kept = before.get("clusterIP") if before.get("type") != "ExternalName" else None
        spec["clusterIP"] = kept or allocator.address()
    spec.setdefault("clusterIPs", [spec["clusterIP"]])
    spec.setdefault("ipFamilies", ["IPv4"])
    spec.setdefault("ipFamilyPolicy", "SingleStack")
    if spec["type"] not in ("NodePort", "LoadBalancer"):
        return
    known = {(p.get("port"), p.get("protocol")): p.get("nodePort") for p in before.get("ports") or ()}
    for port in spec.get("ports") or ():
        if not port.get("nodePort"):
            port["nodePort"] = known.get((port.get("port"), port.get("protocol"))) or allocator.node_port()


def check_create(objects: _HasStore, resource: Resource, new: Object) -> None:
    """Refuse new objects in namespaces that do not exist or are going away."""
    if not resource.namespaced:
        return
    name = new["metadata"]["namespace"]
    namespace = objects.store.get("/namespaces", "", name)
    if namespace is None:
        raise errors.not_found("namespaces", "", name)
    if namespace.object["metadata"].get("deletionTimestamp"):
        why = f"unable to create new content in namespace {name} because it is being terminated"
        refused = errors.forbidden(resource.plural, resource.group, new["metadata"]["name"], why)
        cause = {
            "reason": "NamespaceTerminating",
            "message": f"namespace {name} is being terminated",
            "field": "metadata.namespace",
        }
        refused.status["details"]["causes"] = [cause]
        raise refused


def check_delete(resource: Resource, live: Object) -> None:
    """Refuse to delete what the cluster cannot be without."""
    name = live["metadata"]["name"]
    if resource.kind == "Namespace" and not resource.group and name in _PROTECTED:
        raise errors.forbidden("namespaces", "", name, "this namespace may not be deleted")
