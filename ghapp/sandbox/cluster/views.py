"""Other ways to show objects: the tables of `kubectl get`, and metadata alone."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import orjson

from ghapp.sandbox.cluster.columns import COLUMNS, Cell
from ghapp.sandbox.cluster.kinds import Column, Resource
from ghapp.sandbox.cluster.lists import Page
from ghapp.sandbox.cluster.store import Stored
from ghapp.sandbox.cluster.types import Object

_STEP = re.compile(r"""\.([A-Za-z0-9_/-]+)|\[\?\(@\.(\w+)\s*==\s*["']([^"']*)["']\)\]""")


def wanted(accept: str) -> str:
    """ "Table" or "PartialObjectMetadata" where the Accept header's first choice is one of them, else ""."""
    first = accept.partition(",")[0]
    if "as=Table" in first:
        return "Table"
    return "PartialObjectMetadata" if "as=PartialObjectMetadata" in first else ""


def of_list(view: str, resource: Resource, page: Page) -> Object:
    meta: Object = {"resourceVersion": str(page.version)}
    if page.token:
        meta["continue"], meta["remainingItemCount"] = page.token, page.remaining
    if view == "Table":
        return table(resource, [s.object for s in page.items], meta)
    items = [partial(s.object) for s in page.items]
    return {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": meta, "items": items}


def of_object(view: str, resource: Resource, obj: Object) -> Object:
    if view == "Table":
        return table(resource, [obj], {"resourceVersion": obj["metadata"].get("resourceVersion", "")})
    return partial(obj)


def encoded_object(view: str, resource: Resource, stored: Stored) -> bytes:
    return orjson.dumps(of_object(view, resource, stored.object))


def partial(obj: Object) -> Object:
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}


def table(resource: Resource, objects: list[Object], meta: Object) -> Object:
    columns: list[tuple[Object, Cell]] = [(_column("Name", format_="name"), lambda o: o["metadata"]["name"])]
    if resource.custom:
        columns += [(_column(c.name, c.type, priority=c.priority), _printed(c)) for c in resource.columns]
    else:
        columns += [(_column(name), cell) for name, cell in COLUMNS.get(resource.storage, ())]
    if not any(c["name"] == "Age" for c, _ in columns):
        columns.append((_column("Age"), age))
    rows = [{"cells": [cell(o) for _, cell in columns], "object": partial(o)} for o in objects]
    definitions = [c for c, _ in columns]
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": meta,
        "columnDefinitions": definitions,
        "rows": rows,
    }


def _column(name: str, type_: str = "string", format_: str = "", priority: int = 0) -> Object:
    return {"name": name, "type": type_, "format": format_, "description": "", "priority": priority}


def _printed(column: Column) -> Cell:
    """A printer column of a custom kind: a simple JSON path, or a condition chosen by its type."""
    steps = _STEP.findall(column.path)

    def cell(obj: Object) -> Any:
        value: Any = obj
        for name, key, wanted in steps:
            if name:
                value = value.get(name) if isinstance(value, dict) else None
            elif isinstance(value, list):
                value = next((v for v in value if isinstance(v, dict) and v.get(key) == wanted), None)
        if column.type == "date" and isinstance(value, str):
            return age({"metadata": {"creationTimestamp": value}})
        return value

    return cell


def age(obj: Object, now: datetime | None = None) -> str:
    """How old an object is, as kubectl prints it."""
    created: Any = obj["metadata"].get("creationTimestamp")
    if not created:
        return "<unknown>"
    seconds = int(((now or datetime.now(UTC)) - datetime.fromisoformat(created)).total_seconds())
    return duration(max(seconds, 0))


def duration(seconds: int) -> str:
    """``90`` → ``90s``, ``600`` → ``10m``: the two coarsest units that say enough."""
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < 120:
        return f"{seconds}s"
    if minutes < 10:
        return f"{minutes}m{seconds % 60}s" if seconds % 60 else f"{minutes}m"
    if hours < 3:
        return f"{minutes}m"
    if hours < 8:
        return f"{hours}h{minutes % 60}m" if minutes % 60 else f"{hours}h"
    return f"{hours}h" if days < 2 else f"{days}d"
