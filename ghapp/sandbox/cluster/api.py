"""The Kubernetes API over HTTP: from a request to the object store's verbs, and back to an answer.

One handler, no framework routes: every path is of the same few shapes. Refusals are Status objects.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web

from ghapp.sandbox.cluster import decode, discovery, errors, lists, patches, selectors, views
from ghapp.sandbox.cluster.address import Address, Options, manager_of, parse
from ghapp.sandbox.cluster.errors import ApiError
from ghapp.sandbox.cluster.faults import Faults
from ghapp.sandbox.cluster.identity import Tokens, User, impersonated
from ghapp.sandbox.cluster.kinds import Kinds, Resource
from ghapp.sandbox.cluster.lists import Lister
from ghapp.sandbox.cluster.objects import Delete, Objects, Write
from ghapp.sandbox.cluster.types import Object
from ghapp.sandbox.cluster.watch import Watched, Watches

JSON = "application/json"
_APPLY_TYPES = ("application/apply-patch+yaml", "application/apply-patch")
_WATCH_SECONDS = 1800.0


@dataclass(frozen=True, slots=True)
class Call:
    """One request, as verbs need it."""

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

    def write(self) -> Write:
        manager = manager_of(self.options, self.headers.get("User-Agent", ""))
        o = self.options
        return Write(manager, o.dry_run, o.field_validation, self.address.subresource)


def answer(body: Object | bytes, code: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A JSON answer."""
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return web.Response(body=raw, status=code, headers=headers, content_type=JSON)


class Api:
    """Serves one cluster."""

    def __init__(self, objects: Objects, tokens: Tokens, faults: Faults) -> None:
        self.objects = objects
        self.kinds: Kinds = objects.kinds
        self.tokens = tokens
        self.faults = faults
        self.lister = Lister(objects.store)
        self.watches = Watches(objects.store)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        try:
            await self.faults.before(request)
            return await self._answer(request)
        except ApiError as e:
            return answer(e.status, e.code, e.headers)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.path
        if path in ("/healthz", "/livez", "/readyz"):
            return web.Response(text="ok")
        if path == "/version":
            return answer(discovery.VERSION)
        user = self._user(request)
        address = parse(path)
        if address is None or not address.plural:
            found = self._discovered(path, address, request.headers.get("Accept", ""))
            if found is None:
                raise errors.no_such_path()
            return found
        resource = self.kinds.at(address.group, address.version, address.plural)
        if resource is None:
            raise errors.no_such_path()
        options = Options(request.query)
        body = await request.read() if request.method not in ("GET", "HEAD") else b""
        call = Call(resource, address, options, request.headers, body, user)
        return await self._verb(request, call)

    def _user(self, request: web.BaseRequest) -> User:
        user = self.tokens.authenticate(request.headers.get("Authorization", ""))
        if "Impersonate-User" in request.headers:
            return impersonated(request.headers, request.headers.getall("Impersonate-Group", [])) or user
        return user

    def _discovered(self, path: str, address: Address | None, accept: str) -> web.Response | None:
        aggregated = discovery.wants_aggregated(accept)
        parts = [p for p in path.split("/") if p]
        body: Object | None = None
        if parts in (["api"], ["apis"]):
            core = parts == ["api"]
            if aggregated:
                kind = f"{JSON};g=apidiscovery.k8s.io;v={aggregated};as=APIGroupDiscoveryList"
                body = discovery.aggregated(self.kinds, core=core, version=aggregated)
                return web.Response(body=orjson.dumps(body), headers={"Content-Type": kind})
            body = discovery.core_versions() if core else discovery.groups(self.kinds)
        elif address is not None:
            body = discovery.resources(self.kinds, address.group, address.version)
        elif len(parts) == 2 and parts[0] == "apis":
            body = discovery.group(self.kinds, parts[1])
        return answer(body) if body is not None else None

    async def _verb(self, request: web.BaseRequest, call: Call) -> web.StreamResponse:
        method, name = request.method, call.address.name
        if method == "GET" and not name:
            if call.options.flag("watch"):
                return await self._watch(request, call)
            return self._list(call)
        if method == "GET":
            return self._shown(call, self.objects.get(call.resource, call.address.namespace, name).object)
        if method == "POST" and not name:
            return self._create(call)
        if method == "PUT" and name:
            return self._replace(call)
        if method == "PATCH" and name:
            return self._patch(call)
        if method == "DELETE":
            return self._delete(call) if name else self._delete_all(call)
        raise errors.method_not_allowed()

    # Reading.

    def _list(self, call: Call) -> web.Response:
        options, resource = call.options, call.resource
        matches = selectors.matcher(options.text("labelSelector"), options.text("fieldSelector"), resource.kind)
        page = self.lister.page(
            resource.storage, call.address.namespace, matches, options.number("limit"), options.text("continue")
        )
        if view := views.wanted(call.accept):
            return answer(views.of_list(view, resource, page))
        return answer(lists.encoded(resource, page))

    def _shown(self, call: Call, obj: Object, code: int = 200, warnings: list[str] | None = None) -> web.Response:
        headers = [("Warning", f'299 - "{w}"') for w in (warnings or ())]
        response: web.Response
        if view := views.wanted(call.accept):
            response = answer(views.of_object(view, call.resource, obj), code)
        else:
            response = answer(obj, code)
        for key, value in headers:
            response.headers.add(key, value)
        return response

    async def _watch(self, request: web.BaseRequest, call: Call) -> web.StreamResponse:
        options, resource = call.options, call.resource
        selector = options.text("fieldSelector")
        if call.address.name:
            selector = ",".join(filter(None, (selector, f"metadata.name={call.address.name}")))
        matches = selectors.matcher(options.text("labelSelector"), selector, resource.kind)
        version = options.number("resourceVersion")
        initial = options.flag("sendInitialEvents") or version == 0
        view = views.wanted(call.accept)
        asked = Watched(
            resource,
            call.address.namespace,
            matches,
            version if options.flag("sendInitialEvents") or version else None,
            initial,
            options.flag("allowWatchBookmarks"),
            lambda s: views.encoded_object(view, resource, s) if view else lists.in_version(s, resource),
            float(options.number("timeoutSeconds") or _WATCH_SECONDS),
        )
        response = web.StreamResponse(headers={"Content-Type": JSON})
        response.enable_chunked_encoding()
        await response.prepare(request)
        try:
            async for chunk in self.watches.stream(asked):
                if chunk:
                    await response.write(chunk)
            await response.write_eof()
        except (ConnectionError, asyncio.CancelledError):
            if request.transport is not None:
                request.transport.abort()
        return response

    # Writing.

    def _create(self, call: Call) -> web.Response:
        given = self._body(call)
        write = call.write()
        obj = self.objects.create(call.resource, call.address.namespace, given, write)
        return self._shown(call, obj, 201, write.warnings)

    def _replace(self, call: Call) -> web.Response:
        given = self._body(call)
        write = call.write()
        a = call.address
        return self._shown(
            call, self.objects.replace(call.resource, a.namespace, a.name, given, write), 200, write.warnings
        )

    def _patch(self, call: Call) -> web.Response:
        a, write = call.address, call.write()
        if call.content_type in _APPLY_TYPES:
            if not call.options.text("fieldManager"):
                cause = errors.required("fieldManager", "is required for apply patch")
                raise errors.invalid("PatchOptions", "meta.k8s.io", "", [cause])
            config = decode.parse_apply(call.body)
            if not isinstance(config, dict):
                raise errors.bad_request("error decoding YAML: the body is not an object")
            obj, new = self.objects.apply(
                call.resource, a.namespace, a.name, config, write, force=call.options.flag("force")
            )
            return self._shown(call, obj, 201 if new else 200, write.warnings)
        live = self.objects.get(call.resource, a.namespace, a.name)
        patch = decode.parse(call.body)
        patched = patches.apply(call.content_type, live.object, patch, call.resource)
        obj = self.objects.patched(call.resource, live, patched, write)
        return self._shown(call, obj, 200, write.warnings)

    def _delete(self, call: Call) -> web.Response:
        a, r = call.address, call.resource
        obj, gone = self.objects.delete(r, a.namespace, a.name, self._how(call))
        if not gone:
            return self._shown(call, obj)
        details = {"name": a.name, "group": r.group, "kind": r.plural, "uid": obj["metadata"]["uid"]}
        status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
        return answer({**status, "details": {k: v for k, v in details.items() if v}})

    def _delete_all(self, call: Call) -> web.Response:
        options, resource = call.options, call.resource
        matches = selectors.matcher(options.text("labelSelector"), options.text("fieldSelector"), resource.kind)
        page = self.lister.page(resource.storage, call.address.namespace, matches, 0, "")
        how = self._how(call)
        for stored in page.items:
            self.objects.delete(resource, *stored.key, how)
        return answer(lists.encoded(resource, page))

    def _how(self, call: Call) -> Delete:
        """The options of a DELETE. Those in the query count only when there is no body."""
        if call.body.strip():
            given = decode.parse(call.body)
            if not isinstance(given, dict):
                raise errors.bad_request("the body of a delete must be DeleteOptions")
            asked = given.get("preconditions") or {}
            return Delete(
                asked.get("uid") or "", asked.get("resourceVersion") or "",
                given.get("propagationPolicy") or "", "All" in (given.get("dryRun") or []),
            )  # fmt: skip
        o = call.options
        return Delete("", "", o.text("propagationPolicy"), o.dry_run)

    def _body(self, call: Call) -> Object:
        if call.content_type not in ("", JSON, "application/yaml"):
            raise errors.unsupported_media_type([JSON, "application/yaml"])
        given: Any = decode.parse(call.body)
        if not isinstance(given, dict):
            raise errors.bad_request("the object provided is unrecognized (must be of type Object)")
        said = (given.get("apiVersion") or call.resource.api_version, given.get("kind") or call.resource.kind)
        if said != (call.resource.api_version, call.resource.kind):
            raise errors.bad_request(
                f"the API version in the data ({said[0]}) does not match the expected API version "
                f"({call.resource.api_version})"
                if said[0] != call.resource.api_version
                else f'{said[1]} in version "{call.resource.version}" cannot be handled as a {call.resource.kind}'
            )
        given["apiVersion"], given["kind"] = said
        return given


def uptime(started: float) -> float:
    return time.monotonic() - started
