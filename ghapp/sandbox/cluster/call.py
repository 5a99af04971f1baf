"""One request as the verbs need it, and the answers they give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web

from ghapp.sandbox.cluster import decode, errors, protobuf, views
from ghapp.sandbox.cluster.address import Address, Options, manager_of
from ghapp.sandbox.cluster.identity import User
from ghapp.sandbox.cluster.kinds import Resource
from ghapp.sandbox.cluster.types import Object
from ghapp.sandbox.cluster.write import Delete, Guard, Write

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Call:
    """Who asks what of which resource."""

    method: str
    resource: Resource
    address: Address
    options: Options
    headers: Mapping[str, str]
    body: bytes
    user: User

    @property
    def accept(self) -> str:
        return self.headers.get("Accept", "")

    @property
    def content_type(self) -> str:
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    @property
    def verb(self) -> str:
        """The verb that permissions name."""
        named = bool(self.address.name)
        if self.method in ("GET", "HEAD"):
            watching = self.options.flag("watch")
            return "watch" if watching else "get" if named else "list"
        if self.method == "DELETE":
            return "delete" if named else "deletecollection"
        return {"POST": "create", "PUT": "update", "PATCH": "patch"}.get(self.method, self.method.lower())

    def write(self, guard: Guard | None) -> Write:
        """How this request writes."""
        manager = manager_of(self.options, self.headers.get("User-Agent", ""))
        return Write(manager, self.options.dry_run, self.options.field_validation, self.address.subresource, guard)

    def delete(self) -> Delete:
        """How this request deletes. Options in the query count only where there is no body."""
        if self.body.strip():
            given = self.object()
            asked = given.get("preconditions") or {}
            uid, version = asked.get("uid") or "", asked.get("resourceVersion") or ""
            return Delete(uid, version, given.get("propagationPolicy") or "", "All" in (given.get("dryRun") or []))
        return Delete("", "", self.options.text("propagationPolicy"), self.options.dry_run)

    def object(self) -> Object:
        """The body as an object. Raises ApiError 400 and 415."""
        if self.content_type == protobuf.CONTENT_TYPE:
            return protobuf.parse(self.body)
        if self.content_type not in ("", JSON, "application/yaml"):
            raise errors.unsupported_media_type([JSON, "application/yaml", protobuf.CONTENT_TYPE])
        given: Any = decode.parse(self.body)
        if not isinstance(given, dict):
            raise errors.bad_request("the object provided is unrecognized (must be of type Object)")
        return given

    def typed_object(self) -> Object:
        """The body as an object of the resource's kind. Raises ApiError 400 and 415."""
        given, r = self.object(), self.resource
        version, kind = given.get("apiVersion") or r.api_version, given.get("kind") or r.kind
        if version != r.api_version:
            raise errors.bad_request(
                f"the API version in the data ({version}) does not match the expected API version ({r.api_version})"
            )
        if kind != r.kind:
            raise errors.bad_request(f'{kind} in version "{r.version}" cannot be handled as a {r.kind}')
        return {**given, "apiVersion": version, "kind": kind}


def answer(body: Object | bytes, code: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A JSON answer."""
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return web.Response(body=raw, status=code, headers=headers, content_type=JSON)


def shown(call: Call, obj: Object, code: int = 200, warnings: list[str] | None = None) -> web.Response:
    """An object in the form and version that a request wants it."""
    r = call.resource
    obj = r.seen(obj)
    view = views.wanted(call.accept)
    response = answer(views.of_object(view, r, obj) if view else obj, code)
    for warning in warnings or ():
        quoted = warning.replace("\\", "\\\\").replace('"', '\\"')
        response.headers.add("Warning", f'299 - "{quoted}"')
    return response
