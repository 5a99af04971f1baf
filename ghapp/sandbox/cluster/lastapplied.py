"""How an API server helps kubectl move from client-side to server-side apply, and nobody else.

`kubectl apply` kept its last configuration in an annotation. When kubectl then applies on the server, fields that still
are as that configuration left them are no conflict, and the annotation is kept in step.
"""

from __future__ import annotations

from typing import Any

import orjson

from ghapp.sandbox.cluster.fields import Fields, difference, from_paths
from ghapp.sandbox.cluster.ownership import Conflict
from ghapp.sandbox.cluster.typed import compare, field_set
from ghapp.sandbox.cluster.types import Object, Type

MANAGER = "kubectl"
ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"


def excuses(conflict: Conflict, live: Object, type_: Type) -> bool:
    """Whether every conflicting field is as kubectl's last client-side apply left it."""
    last = _last(live)
    if last is None or last.get("apiVersion") != live.get("apiVersion"):
        return False
    changes = compare(last, live, type_)
    untouched: Fields = field_set(last, type_)
    for changed in (changes.modified, changes.added, changes.removed):
        untouched = difference(untouched, changed)
    taken = from_paths([path for _, _, path in conflict.found])
    return not difference(taken, untouched)


def keep_in_step(merged: Object, config: Object) -> Object:
    """``merged`` with the annotation, where it has one, saying what was applied now."""
    meta = merged.get("metadata") or {}
    if ANNOTATION not in (meta.get("annotations") or {}):
        return merged
    said = orjson.dumps(config).decode() + "\n"
    return {**merged, "metadata": {**meta, "annotations": {**meta["annotations"], ANNOTATION: said}}}


def _last(live: Object) -> Object | None:
    text = ((live.get("metadata") or {}).get("annotations") or {}).get(ANNOTATION)
    try:
        last: Any = orjson.loads(text) if text else None
    except orjson.JSONDecodeError:
        return None
    return last if isinstance(last, dict) else None
