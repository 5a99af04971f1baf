"""LIST answers: whole or in chunks, from one consistent moment, without parsing what is already JSON."""

from __future__ import annotations

import base64
import time
from dataclasses import dataclass

import orjson

from ghapp.sandbox.cluster.errors import bad_request, expired
from ghapp.sandbox.cluster.kinds import Resource
from ghapp.sandbox.cluster.selectors import Matcher
from ghapp.sandbox.cluster.store import Store, Stored

_KEEP_SECONDS = 300.0
_TOO_OLD = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. "
    "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or "
    "deleted between the time the first chunk was returned and now may show up in the list."
)


@dataclass(frozen=True, slots=True)
class Page:
    """Some of a collection's objects, at one version of the store."""

    items: list[Stored]
    version: int
    token: str = ""
    remaining: int = 0


class Lister:
    """Lists collections, and remembers the rest of those that are read in chunks."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._open: dict[str, tuple[float, int, list[Stored]]] = {}
        self._count = 0

    def page(self, storage: str, namespace: str, matches: Matcher | None, limit: int, token: str) -> Page:
        """The first ``limit`` objects (0: all), or the next ones after ``token``. Raises ApiError 410 and 400."""
        if token:
            version, items = self._resumed(token)
        else:
            version = self._store.version
            items = list(self._store.collection(storage).in_namespace(namespace))
            if matches is not None:
                items = [s for s in items if matches(s.object)]
        if not limit or len(items) <= limit:
            return Page(items, version)
        return Page(items[:limit], version, self._remember(version, items[limit:]), len(items) - limit)

    def forget(self) -> None:
        """Let every list that is being read expire."""
        self._open.clear()

    def _remember(self, version: int, rest: list[Stored]) -> str:
        self._count += 1
        deadline = time.monotonic()
        for old in [t for t, (since, _, _) in self._open.items() if deadline - since > _KEEP_SECONDS]:
            del self._open[old]
        token = base64.urlsafe_b64encode(orjson.dumps({"v": "sandbox", "rv": version, "n": self._count})).decode()
        self._open[token] = (deadline, version, rest)
        return token

    def _resumed(self, token: str) -> tuple[int, list[Stored]]:
        found = self._open.get(token)
        if found:
            return found[1], found[2]
        try:
            known = orjson.loads(base64.urlsafe_b64decode(token))["v"] == "sandbox"
        except (ValueError, KeyError, TypeError):
            known = False
        if not known:
            raise bad_request("continue key is not valid: invalid continue token")
        raise expired(_TOO_OLD)


def encoded(resource: Resource, page: Page) -> bytes:
    """A page as a List object. Items of built-in kinds carry no kind and apiVersion, as on a real server."""
    meta: dict[str, object] = {"resourceVersion": str(page.version)}
    if page.token:
        meta["continue"], meta["remainingItemCount"] = page.token, page.remaining
    head = orjson.dumps({"kind": f"{resource.kind}List", "apiVersion": resource.api_version, "metadata": meta})
    if resource.custom:
        items = b",".join(in_version(s, resource) for s in page.items)
    else:
        # {"kind":"ConfigMap","apiVersion":"v1","metadata":… → {"metadata":…
        skip = len(orjson.dumps({"kind": resource.kind, "apiVersion": resource.api_version}))
        items = b",".join(b"{" + in_version(s, resource)[skip:] for s in page.items)
    return head[:-1] + b',"items":[' + items + b"]}"


def in_version(stored: Stored, resource: Resource) -> bytes:
    """An object's JSON in the version that was asked for; it may have been written in another one."""
    if stored.object["apiVersion"] == resource.api_version:
        return stored.raw
    return orjson.dumps(resource.seen(stored.object))
