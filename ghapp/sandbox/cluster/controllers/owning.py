"""What controllers say about the objects they make: whose they are, and in which condition their own subject is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import orjson

from ghapp.sandbox.cluster.store import Event, Key, Store, Stored
from ghapp.sandbox.cluster.types import Object


def reference(owner: Object) -> Object:
    """An ownerReference of the controller kind."""
    meta = owner["metadata"]
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": meta["name"],
        "uid": meta["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def controller_key(event: Event, kind: str) -> Iterable[Key]:
    """The key of the ``kind`` that controls an event's object, if one does."""
    meta = event.stored.object["metadata"]
    for owner in meta.get("ownerReferences") or ():
        if owner.get("controller") and owner.get("kind") == kind:
            yield meta.get("namespace", ""), owner["name"]


def owned(store: Store, owner: Object, collection: str) -> list[Stored]:
    """Objects that ``owner`` controls and that are not going away."""
    found = store.dependents(owner["metadata"]["uid"], collection)
    return [s for _, s in found if "deletionTimestamp" not in s.object["metadata"]]


def digest(value: Any) -> str:
    """Ten letters that stand for a template."""
    raw = hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()
    return raw[:10]


def condition(
    status: Object, kind: str, value: str, reason: str, message: str, now: str, *, heartbeat: bool = False
) -> None:
    """Set a condition in place; its transition time moves only with its value. ``heartbeat``: kinds whose conditions
    also say when they were last updated."""
    conditions: list[Object] = [dict(c) for c in status.get("conditions") or ()]
    status["conditions"] = conditions
    known = next((c for c in conditions if c["type"] == kind), None)
    if known is None:
        known = {"type": kind}
        conditions.append(known)
    if (known.get("status"), known.get("reason"), known.get("message")) == (value, reason, message):
        return
    if known.get("status") != value:
        known["lastTransitionTime"] = now
    if heartbeat:
        known["lastUpdateTime"] = now
    known.update({"status": value, "reason": reason, "message": message})


def get_condition(obj: Object, kind: str) -> Object | None:
    conditions = (obj.get("status") or {}).get("conditions") or ()
    return next((c for c in conditions if c.get("type") == kind), None)


def is_true(obj: Object, kind: str) -> bool:
    found = get_condition(obj, kind)
    return found is not None and found.get("status") == "True"


def clean(status: Object) -> Object:
    """A status without the counters that are zero, as the server writes it."""
    return {k: v for k, v in status.items() if v not in (0, None, "")}
