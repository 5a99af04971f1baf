"""What can be done with the objects of a kind: list, watch, get, create, replace, patch, delete, and below them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from ghapp.sandbox.cluster import decode, errors, lists, patches, selectors, subresources, views
from ghapp.sandbox.cluster.accounts import Signer
from ghapp.sandbox.cluster.call import JSON, Call, answer, shown
from ghapp.sandbox.cluster.lists import Lister
from ghapp.sandbox.cluster.logs import Logs
from ghapp.sandbox.cluster.objects import Objects
from ghapp.sandbox.cluster.rbac import GROUP, Attempt, Authorizer
from ghapp.sandbox.cluster.reviews import Reviewer
from ghapp.sandbox.cluster.store import Stored
from ghapp.sandbox.cluster.watch import Watched, Watches
from ghapp.sandbox.cluster.write import Guard

_APPLY_TYPES = ("application/apply-patch+yaml", "application/apply-patch")
_WATCH_SECONDS = 1800.0
_OBJECT_BELOW = ("", "status", "finalize", "approval")


class Verbs:
    """Carries out calls that are about a resource."""

    def __init__(
        self,
        objects: Objects,
        authorizer: Authorizer,
        reviewer: Reviewer,
        signer: Signer,
        lister: Lister,
        watches: Watches,
        logs: Logs,
    ) -> None:
        self._objects = objects
        self._authorizer = authorizer
        self._reviewer = reviewer
        self._signer = signer
        self._lister = lister
        self._watches = watches
        self._logs = logs

    async def answer(self, request: web.BaseRequest, call: Call) -> web.StreamResponse:
        """Carry out one call. Raises ApiError."""
        a, r = call.address, call.resource
        self._authorize(call)
        if "list" not in r.verbs:
            if call.method != "POST":
                raise errors.method_not_allowed()
            return answer(self._reviewer.answer(r, call.object(), call.user, a.namespace), 201)
        if a.subresource not in _OBJECT_BELOW:
            return await self._below(request, call)
        if a.subresource and a.subresource not in r.subresources:
            raise errors.no_such_path()
        lacks_home = r.namespaced and not a.namespace
        if lacks_home and (call.method != "GET" or a.name):
            raise errors.method_not_allowed()
        if call.method == "GET" and call.options.flag("watch"):
            return await self._watch(request, call)
        named: dict[str, Callable[[Call], web.Response]] = {
            "GET": self._get,
            "PUT": self._replace,
            "PATCH": self._patch,
            "DELETE": self._delete,
        }
        unnamed: dict[str, Callable[[Call], web.Response]] = {
            "GET": self._list,
            "POST": self._create,
            "DELETE": self._delete_all,
        }
        act = (named if a.name else unnamed).get(call.method)
        if act is None:
            raise errors.method_not_allowed()
        return act(call)

    # Permission.

    def _authorize(self, call: Call) -> None:
        if call.user.is_admin:
            return
        a = call.address
        below = f"{a.plural}/{a.subresource}" if a.subresource else a.plural
        if a.group.startswith("auth") and a.plural.startswith("self"):
            return
        namespace = a.name if a.plural == "namespaces" and not a.group else a.namespace
        self._authorizer.check(call.user, Attempt(call.verb, a.group, below, namespace, a.name))

    def _guard(self, call: Call) -> Guard | None:
        if call.user.is_admin or call.resource.group != GROUP:
            return None
        return lambda new: self._authorizer.guard(call.user, call.resource, new)

    # Reading.

    def _get(self, call: Call) -> web.Response:
        a = call.address
        return shown(call, self._objects.get(call.resource, a.namespace, a.name).object)

    def _list(self, call: Call) -> web.Response:
        o, r = call.options, call.resource
        matches = selectors.matcher(o.text("labelSelector"), o.text("fieldSelector"), r.kind)
        page = self._lister.page(r.storage, call.address.namespace, matches, o.number("limit"), o.text("continue"))
        if view := views.wanted(call.accept):
            return answer(views.of_list(view, r, page))
        return answer(lists.encoded(r, page))

    async def _watch(self, request: web.BaseRequest, call: Call) -> web.StreamResponse:
        o, r, a = call.options, call.resource, call.address
        one = f"metadata.name={a.name}" if a.name else ""
        fields = ",".join(filter(None, (o.text("fieldSelector"), one)))
        version, asks_initial = o.number("resourceVersion"), o.flag("sendInitialEvents")
        view = views.wanted(call.accept)
        asked = Watched(
            r,
            a.namespace,
            selectors.matcher(o.text("labelSelector"), fields, r.kind),
            version,
            initial=asks_initial or version == 0,
            announces_end=asks_initial,
            bookmarks=o.flag("allowWatchBookmarks"),
            show=lambda s: views.encoded_object(view, r, s) if view else lists.in_version(s, r),
            seconds=float(o.number("timeoutSeconds") or _WATCH_SECONDS),
        )
        response = web.StreamResponse(headers={"Content-Type": JSON})
        response.enable_chunked_encoding()
        await response.prepare(request)
        try:
            async for chunk in self._watches.stream(asked):
                if chunk:
                    await response.write(chunk)
            await response.write_eof()
        except (ConnectionError, asyncio.CancelledError):
            if request.transport is not None:
                request.transport.abort()
        return response

    # Writing.

    def _create(self, call: Call) -> web.Response:
        write = call.write(self._guard(call))
        obj = self._objects.create(call.resource, call.address.namespace, call.typed_object(), write)
        return shown(call, obj, 201, write.warnings)

    def _replace(self, call: Call) -> web.Response:
        a, write = call.address, call.write(self._guard(call))
        if a.subresource == "finalize":
            return shown(call, self._objects.get(call.resource, "", a.name).object)
        obj = self._objects.replace(call.resource, a.namespace, a.name, call.typed_object(), write)
        return shown(call, obj, 200, write.warnings)

    def _patch(self, call: Call) -> web.Response:
        a, r, write = call.address, call.resource, call.write(self._guard(call))
        if call.content_type in _APPLY_TYPES:
            return self._apply(call)
        live = self._objects.get(r, a.namespace, a.name)
        patched = patches.apply(call.content_type, r.seen(live.object), decode.parse(call.body), r)
        obj = self._objects.patched(r, live, patched, write)
        return shown(call, obj, 200, write.warnings)

    def _apply(self, call: Call) -> web.Response:
        a, r, write = call.address, call.resource, call.write(self._guard(call))
        if not call.options.text("fieldManager"):
            cause = errors.required("fieldManager", "is required for apply patch")
            raise errors.invalid("PatchOptions", "meta.k8s.io", "", [cause])
        config = decode.parse_apply(call.body)
        if not isinstance(config, dict):
            raise errors.bad_request("error decoding YAML: the body is not an object")
        if not call.user.is_admin and self._objects.find(r, a.namespace, a.name) is None:
            self._authorizer.check(call.user, Attempt("create", a.group, a.plural, a.namespace, a.name))
        obj, new = self._objects.apply(r, a.namespace, a.name, config, write, force=call.options.flag("force"))
        return shown(call, obj, 201 if new else 200, write.warnings)

    def _delete(self, call: Call) -> web.Response:
        a, r = call.address, call.resource
        if a.subresource:
            raise errors.method_not_allowed()
        obj, gone = self._objects.delete(r, a.namespace, a.name, call.delete())
        if not gone:
            return shown(call, obj)
        details = {"name": a.name, "group": r.group, "kind": r.plural, "uid": obj["metadata"]["uid"]}
        status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
        return answer({**status, "details": {k: v for k, v in details.items() if v}})

    def _delete_all(self, call: Call) -> web.Response:
        o, r = call.options, call.resource
        matches = selectors.matcher(o.text("labelSelector"), o.text("fieldSelector"), r.kind)
        page = self._lister.page(r.storage, call.address.namespace, matches, 0, "")
        how = call.delete()
        for stored in page.items:
            self._objects.delete(r, *stored.key, how)
        return answer(lists.encoded(r, page))

    # Below an object.

    async def _below(self, request: web.BaseRequest, call: Call) -> web.StreamResponse:
        a, r = call.address, call.resource
        if a.subresource not in r.subresources:
            raise errors.no_such_path()
        acts: dict[tuple[str, str], Callable[[], web.StreamResponse | Awaitable[web.StreamResponse]]] = {
            ("GET", "scale"): lambda: answer(subresources.show_scale(r, self._live(call))),
            ("PUT", "scale"): lambda: self._scale(call),
            ("PATCH", "scale"): lambda: self._scale(call),
            ("POST", "token"): lambda: self._token(call),
            ("POST", "eviction"): lambda: self._evict(call),
            ("GET", "log"): lambda: self._logs.answer(request, self._live(call), call.options),
        }
        act = acts.get((call.method, a.subresource))
        if act is None:
            raise errors.method_not_allowed()
        result = act()
        return result if isinstance(result, web.StreamResponse) else await result

    def _live(self, call: Call) -> Stored:
        return self._objects.get(call.resource, call.address.namespace, call.address.name)

    def _scale(self, call: Call) -> web.Response:
        r, live, write = call.resource, self._live(call), call.write(None)
        if call.method == "PUT":
            return answer(subresources.set_scale(self._objects, r, live, call.object(), write))
        return answer(subresources.patch_scale(self._objects, r, live, decode.parse(call.body), write))

    def _token(self, call: Call) -> web.Response:
        account = self._live(call).object
        return answer(subresources.issue_token(self._signer, account, call.object()), 201)

    def _evict(self, call: Call) -> web.Response:
        return answer(subresources.evict(self._objects, self._live(call), call.object()), 201)
