"""What lies below an object: its scale, its logs, tokens of an account, eviction of a Pod, approval of a request."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ghapp.sandbox.cluster import errors, scale
from ghapp.sandbox.cluster.accounts import Signer
from ghapp.sandbox.cluster.kinds import Resource
from ghapp.sandbox.cluster.objects import Objects
from ghapp.sandbox.cluster.patches import merge_patch
from ghapp.sandbox.cluster.store import Stored
from ghapp.sandbox.cluster.types import Object
from ghapp.sandbox.cluster.write import Delete, Write

_HOUR = 3600


def show_scale(resource: Resource, live: Stored) -> Object:
    return scale.shown(resource, live.object)


def set_scale(objects: Objects, resource: Resource, live: Stored, given: Any, write: Write) -> Object:
    """Replace the scale of an object; a resourceVersion in ``given`` must be the live one."""
    meta = given.get("metadata") or {} if isinstance(given, dict) else {}
    current = live.object["metadata"]["resourceVersion"]
    if meta.get("resourceVersion") not in (None, "", current):
        raise errors.conflict(resource.plural, resource.group, live.key[1], errors.STALE)
    new = scale.changed(resource, live.object, given)
    new["metadata"] = dict(new["metadata"])
    return scale.shown(resource, objects.change(resource, live, new, write))


def patch_scale(objects: Objects, resource: Resource, live: Stored, patch: Any, write: Write) -> Object:
    """Merge-patch the scale of an object."""
    return set_scale(objects, resource, live, merge_patch(scale.shown(resource, live.object), patch), write)


def issue_token(signer: Signer, account: Object, given: Object) -> Object:
    """Answer a TokenRequest."""
    spec = given.get("spec") or {}
    meta = account["metadata"]
    audiences = spec.get("audiences") or [signer.issuer]
    seconds = spec.get("expirationSeconds") or _HOUR
    token, end = signer.issue(meta["namespace"], meta["name"], meta["uid"], audiences, seconds)
    until = datetime.fromtimestamp(end, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "kind": "TokenRequest",
        "apiVersion": "authentication.k8s.io/v1",
        "metadata": {"name": meta["name"], "namespace": meta["namespace"]},
        "spec": {"audiences": audiences, "expirationSeconds": seconds},
        "status": {"token": token, "expirationTimestamp": until},
    }


def evict(objects: Objects, pod: Stored, given: Object) -> Object:
    """Answer an Eviction: the Pod is deleted."""
    kind = objects.kinds.named("Pod")
    asked = (given.get("deleteOptions") or {}).get("preconditions") or {}
    objects.delete(kind, *pod.key, Delete(asked.get("uid") or ""))
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
