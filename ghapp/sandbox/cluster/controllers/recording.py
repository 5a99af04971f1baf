"""Events: what controllers tell people about objects, counted where they tell it again."""

from __future__ import annotations

import hashlib

from ghapp.sandbox.cluster.objects import Objects
from ghapp.sandbox.cluster.types import Object
from ghapp.sandbox.cluster.write import Write


def record(objects: Objects, about: Object, reason: str, message: str, by: str, *, warning: bool = False) -> None:
    """Record an Event about an object of a namespace that still is there."""
    meta, now = about["metadata"], objects.clock()
    namespace = meta.get("namespace", "default")
    home = objects.store.get("/namespaces", "", namespace)
    if home is None or "deletionTimestamp" in home.object["metadata"]:
        return
    kind = objects.kinds.named("Event")
    said = hashlib.sha256(f"{meta['uid']} {reason} {message} {by}".encode()).hexdigest()[:16]
    name = f"{meta['name'][:230]}.{said}"
    known = objects.find(kind, namespace, name)
    if known:
        count = known.object["count"] + 1
        objects.edit(kind, known, lambda new: new.update(count=count, lastTimestamp=now), by)
        return
    subject = {
        "kind": about["kind"],
        "apiVersion": about["apiVersion"],
        "namespace": namespace,
        "name": meta["name"],
        "uid": meta["uid"],
        "resourceVersion": meta.get("resourceVersion", ""),
    }
    body: Object = {
        "metadata": {"name": name},
        "involvedObject": subject,
        "reason": reason,
        "message": message,
        "type": "Warning" if warning else "Normal",
        "source": {"component": by},
        "reportingComponent": by,
        "reportingInstance": "",
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
    }
    objects.create(kind, namespace, body, Write(by))
