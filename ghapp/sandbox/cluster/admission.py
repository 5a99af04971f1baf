"""What a write must pass besides its own shape: namespaces that exist, service accounts, protected objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghapp.sandbox.cluster import errors
from ghapp.sandbox.cluster.kinds import Resource
from ghapp.sandbox.cluster.types import Object

if TYPE_CHECKING:
    from ghapp.sandbox.cluster.objects import Objects

_PROTECTED = ("default", "kube-system", "kube-public")


def mutate(resource: Resource, new: Object) -> None:
    """Fill in what admission adds to new objects."""
    if resource.kind == "Namespace" and not resource.group:
        new["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = new["metadata"].get("name", "")
        new["spec"] = {"finalizers": ["kubernetes"]}
        new["status"] = {"phase": "Active"}


def check_create(objects: Objects, resource: Resource, new: Object) -> None:
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
        refused.status["details"]["causes"] = [
            {
                "reason": "NamespaceTerminating",
                "message": f"namespace {name} is being terminated",
                "field": "metadata.namespace",
            }
        ]
        raise refused


def check_delete(resource: Resource, live: Object) -> None:
    """Refuse to delete what the cluster cannot be without."""
    name = live["metadata"]["name"]
    if resource.kind == "Namespace" and not resource.group and name in _PROTECTED:
        raise errors.forbidden("namespaces", "", name, "this namespace may not be deleted")
