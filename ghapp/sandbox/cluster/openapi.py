"""OpenAPI v3 documents, as far as kubectl reads them: which calls take which parameters, and the fields of each kind.

Descriptions, bodies and answers are left out; patches are described without strategic merge keys, so that kubectl uses
those that it was built with.
"""

from __future__ import annotations

import hashlib

import orjson

from ghapp.sandbox.cluster.kinds import Kinds, Resource
from ghapp.sandbox.cluster.types import Anything, ListOf, MapOf, Object, Opaque, Scalar, Struct, Type

_PREFIX = "/openapi/v3"
_INFO = {"title": "Kubernetes", "version": "v1.36.0"}
_WRITE = ("dryRun", "fieldManager", "fieldValidation", "pretty")
_READ = ("allowWatchBookmarks", "continue", "fieldSelector", "labelSelector", "limit", "resourceVersion", "watch")
_SCALARS: dict[str, Object] = {
    "string": {"type": "string"},
    "integer": {"type": "integer", "format": "int32"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "bytes": {"type": "string", "format": "byte"},
    "time": {"type": "string", "format": "date-time"},
    "quantity": {"oneOf": [{"type": "string"}, {"type": "number"}]},
    "int-or-string": {"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]},
}


class OpenApi:
    """Documents by group and version, made when asked for and again when kinds come or go."""

    def __init__(self, kinds: Kinds) -> None:
        self._kinds = kinds
        self._generation = -1
        self._documents: dict[str, bytes] = {}

    def answer(self, path: str) -> bytes | None:
        """The JSON at a path below /openapi/v3, or None where there is nothing."""
        if self._generation != self._kinds.generation:
            self._documents.clear()
            self._generation = self._kinds.generation
        name = path.removeprefix(_PREFIX).strip("/")
        if not name:
            return self._index()
        if name not in self._documents:
            found = [r for r in self._kinds.all() if _place(r) == name]
            if not found:
                return None
            self._documents[name] = orjson.dumps(_document(found))
        return self._documents[name]

    def _index(self) -> bytes:
        places = dict.fromkeys(_place(r) for r in self._kinds.all())
        version = hashlib.sha256(str(self._generation).encode()).hexdigest()[:16].upper()
        urls = {p: {"serverRelativeURL": f"{_PREFIX}/{p}?hash={version}"} for p in places}
        return orjson.dumps({"paths": urls})


def _place(resource: Resource) -> str:
    return f"apis/{resource.group}/{resource.version}" if resource.group else f"api/{resource.version}"


def _document(resources: list[Resource]) -> Object:
    paths: Object = {}
    schemas: Object = {}
    for r in resources:
        base = f"/{_place(r)}/" + ("namespaces/{namespace}/" if r.namespaced else "") + r.plural
        gvk = {"group": r.group, "version": r.version, "kind": r.kind}
        if "list" in r.verbs:
            paths[base] = {
                "get": _call("list", gvk, _READ),
                "post": _call("post", gvk, _WRITE),
                "delete": _call("deletecollection", gvk, ("dryRun", *_READ)),
            }
            paths[base + "/{name}"] = {
                "get": _call("get", gvk, ("pretty",)),
                "put": _call("put", gvk, _WRITE),
                "patch": _call("patch", gvk, (*_WRITE, "force")),
                "delete": _call("delete", gvk, ("dryRun", "propagationPolicy")),
            }
        else:
            paths[base] = {"post": _call("post", gvk, _WRITE)}
        schema = {**r.schema} if r.schema is not None else _struct(r.type, schemas)
        schema["x-kubernetes-group-version-kind"] = [gvk]
        schemas[_component(r)] = schema
    return {"openapi": "3.0.0", "info": _INFO, "paths": paths, "components": {"schemas": schemas}}


def _component(resource: Resource) -> str:
    return resource.type.name if isinstance(resource.type, Struct) and not resource.custom else resource.kind


def _call(action: str, gvk: Object, parameters: tuple[str, ...]) -> Object:
    return {
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": gvk,
        "parameters": [{"name": p, "in": "query", "schema": {"type": "string"}} for p in parameters],
        "responses": {"200": {"description": "OK"}},
    }


def _struct(type_: Type, schemas: Object) -> Object:
    if not isinstance(type_, Struct):
        return {"type": "object"}
    return {"type": "object", "properties": {k: _schema(t, schemas) for k, t in type_.fields.items()}}


def _schema(type_: Type, schemas: Object) -> Object:
    if isinstance(type_, Scalar):
        return dict(_SCALARS[type_.kind])
    if isinstance(type_, ListOf):
        return {"type": "array", "items": _schema(type_.items, schemas)}
    if isinstance(type_, MapOf):
        return {"type": "object", "additionalProperties": _schema(type_.values, schemas)}
    if isinstance(type_, Anything | Opaque):
        return {"type": "object"}
    if type_.name not in schemas:
        schemas[type_.name] = {}
        schemas[type_.name] = _struct(type_, schemas)
    return {"$ref": f"#/components/schemas/{type_.name}"}
