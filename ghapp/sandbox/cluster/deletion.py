"""The rules of deleting one object: what must hold before, what holds it up, what it looks like while it waits."""

from __future__ import annotations

import copy

from ghapp.sandbox.cluster import errors
from ghapp.sandbox.cluster.kinds import Resource
from ghapp.sandbox.cluster.types import Object
from ghapp.sandbox.cluster.write import Delete

ORPHAN, FOREGROUND = "orphan", "foregroundDeletion"


def check(resource: Resource, live: Object, how: Delete) -> None:
    """Raises ApiError 409 where a precondition does not hold."""
    meta = live["metadata"]
    for said, wanted, found in (
        ("UID", how.uid, meta["uid"]),
        ("ResourceVersion", how.version, meta["resourceVersion"]),
    ):
        if wanted and wanted != found:
            why = f"Precondition failed: {said} in precondition: {wanted}, {said} in object meta: {found}"
            raise errors.conflict(resource.plural, resource.group, meta["name"], why)


def finalizers(live: Object, how: Delete) -> list[str]:
    """What an object has to wait for once it is deleted this way."""
    kept = [f for f in live["metadata"].get("finalizers", ()) if f not in (ORPHAN, FOREGROUND)]
    own = {"Orphan": [ORPHAN], "Foreground": [FOREGROUND]}
    return kept + own.get(how.propagation, [])


def is_namespace(resource: Resource) -> bool:
    """Namespaces always wait: for their contents."""
    return resource.kind == "Namespace" and not resource.group


def doomed(resource: Resource, live: Object, waits_for: list[str], now: str) -> Object:
    """The object as it waits for its end."""
    result = copy.deepcopy(live)
    meta = result["metadata"]
    if waits_for:
        meta["finalizers"] = waits_for
    if "deletionTimestamp" not in meta:
        meta["deletionTimestamp"] = now
        meta["deletionGracePeriodSeconds"] = 0
        if resource.has_generation:
            meta["generation"] = meta.get("generation", 0) + 1
    if is_namespace(resource):
        result["status"] = {**result.get("status", {}), "phase": "Terminating"}
    return result
