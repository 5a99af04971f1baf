"""Requests to one API server: one bounded pool of connections, patience with what passes, errors that explain.

Every request the agent makes can be repeated safely, so a cut connection is simply tried again. Nothing here knows
what an object means.
"""

from __future__ import annotations

import asyncio
import random
import re
import ssl
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import lru_cache
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import quote, urlencode

import aiohttp
import orjson
from yarl import URL

from ghapp.agent.kube.config import Access
from ghapp.agent.kube.errors import ApiError, Unreachable, from_response
from ghapp.agent.kube.transport import NotHttp, Reply, Transport, lines

JSON = "application/json"
APPLY = "application/apply-patch+yaml"
JSON_PATCH = "application/json-patch+json"
# Metadata alone: what most answers are read for. A server that does not know it answers with whole objects.
METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"


class Answer(NamedTuple):
    """A successful answer: its HTTP status and body."""

    status: int
    raw: bytes

    @property
    def data(self) -> dict[str, Any]:
        parsed: dict[str, Any] = orjson.loads(self.raw) if self.raw else {}
        return parsed


POOL = 24
_FIRST_PATIENCE = 30.0  # seconds before a server that never answered counts as away
_PATIENCE = 150.0  # … and one that did answer before
_BRIEFLY = 8.0  # … and for how long an internal error is tried again


class Kube:
    """An API server. Use as an async context manager."""

    def __init__(self, access: Access, *, pool: int = POOL, patience: float = _PATIENCE) -> None:
        self.access = access
        self.pool = pool
        self.requests = 0
        self._patience = patience
        self._first_patience = min(_FIRST_PATIENCE, patience)
        self._answered = False
        self._transport = Transport(access)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        # For watches (and proxies); everything else goes by our own transport.
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, e: BaseException | None, t: TracebackType | None
    ) -> None:
        self._transport.close()
        if self._session is not None:
            await self._session.close()

    @property
    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("used outside of its context")
        return self._session

    # --- verbs ------------------------------------------------------------------------------------

    async def get(self, path: str, *, accept: str = JSON) -> dict[str, Any] | None:
        """The object at ``path``, or ``None`` where there is none."""
        try:
            return (await self.request("GET", path, accept=accept)).data
        except ApiError as e:
            if e.code == 404:
                return None
            raise

    async def pages(
        self, path: str, *, selector: str = "", fields: str = "", accept: str = JSON, limit: int = 1000
    ) -> AsyncIterator[dict[str, Any]]:
        """A collection, page by page. One whose continuation ran out (410) is read from the start, in one page."""
        query = {"limit": str(limit), "labelSelector": selector, "fieldSelector": fields}
        while True:
            try:
                page = (await self.request("GET", path, query=query, accept=accept)).data
            except ApiError as e:
                if e.code != 410 or "continue" not in query:
                    raise
                query = {"labelSelector": selector, "fieldSelector": fields}
                yield {"restart": True}
                continue
            yield page
            following = (page.get("metadata") or {}).get("continue")
            if not following:
                return
            query["continue"] = str(following)

    async def collect(
        self, path: str, *, selector: str = "", fields: str = "", accept: str = JSON, limit: int = 1000
    ) -> tuple[list[dict[str, Any]], str]:
        """All objects of a collection and the resourceVersion to watch from."""
        items: list[dict[str, Any]] = []
        version = ""
        async for page in self.pages(path, selector=selector, fields=fields, accept=accept, limit=limit):
            if page.get("restart"):
                items.clear()
                continue
            items += page.get("items") or ()
            version = str((page.get("metadata") or {}).get("resourceVersion") or "")
        return items, version

    async def apply(
        self,
        path: str,
        body: bytes,
        *,
        manager: str,
        force: bool = False,
        dry_run: bool = False,
        accept: str = METADATA,
    ) -> Answer:
        """Server-side apply (201: created); answers with metadata alone unless ``accept`` says otherwise."""
        # Duplicate keys were refused when the manifest was read, and unknown fields fail the apply anyway: the API
        # server need not parse every body a second time to look for them.
        query = {"fieldManager": manager, "force": "true" if force else "false", "fieldValidation": "Ignore"}
        if dry_run:
            query["dryRun"] = "All"
        return await self.request("PATCH", path, query=query, body=body, content_type=APPLY, accept=accept)

    async def create(self, path: str, body: Mapping[str, Any] | bytes, *, manager: str) -> dict[str, Any]:
        raw = body if isinstance(body, bytes) else orjson.dumps(body)
        return (await self.request("POST", path, query={"fieldManager": manager}, body=raw)).data

    async def replace(self, path: str, body: Mapping[str, Any], *, manager: str) -> dict[str, Any]:
        return (await self.request("PUT", path, query={"fieldManager": manager}, body=orjson.dumps(body))).data

    async def patch(self, path: str, operations: list[dict[str, Any]], *, manager: str) -> dict[str, Any]:
        """A JSON patch. Raises :class:`ApiError`."""
        raw = orjson.dumps(operations)
        query = {"fieldManager": manager}
        return (await self.request("PATCH", path, query=query, body=raw, content_type=JSON_PATCH)).data

    async def delete(self, path: str, *, uid: str = "", version: str = "") -> dict[str, Any] | None:
        """Delete, dependents in the background. ``None`` where the object is gone already.

        Options stand in the body: those in the query are ignored as soon as there is a body.
        """
        expected = {k: v for k, v in (("uid", uid), ("resourceVersion", version)) if v}
        options: dict[str, Any] = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
        if expected:
            options["preconditions"] = expected
        try:
            return (await self.request("DELETE", path, body=orjson.dumps(options))).data
        except ApiError as e:
            if e.code == 404:
                return None
            raise

    # --- transport --------------------------------------------------------------------------------

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        content_type: str = JSON,
        accept: str = JSON,
    ) -> Answer:
        """One request, repeated while its failure may pass. Raises :class:`ApiError`, :class:`Unreachable`."""
        target = self._target(path, query)
        started, delay, refused = time.monotonic(), 0.2, 0
        while True:
            patience = self._patience if self._answered else self._first_patience
            try:
                status, raw, after = await self._once(method, target, body, content_type, accept, refresh=refused > 0)
            except (aiohttp.ClientError, TimeoutError, OSError) as e:
                if isinstance(e, aiohttp.ClientSSLError | aiohttp.InvalidURL | ssl.SSLCertVerificationError | NotHttp):
                    raise Unreachable(f"the API server at {self.access.url} cannot be used: {e}") from None
                if time.monotonic() - started > patience:
                    raise Unreachable(self._away(e)) from None
                await asyncio.sleep(delay * random.uniform(0.8, 1.2))  # noqa: S311
                delay = min(delay * 2, 3.0)
                continue
            self._answered = True
            if status < 300:
                return Answer(status, raw)
            error = from_response(status, raw)
            if status == 401 and refused < 4:
                refused += 1
                await asyncio.sleep(0.5 * (refused - 1))
                continue
            # A 500 is often there to stay (an admission webhook that fails, say): less patience than with an outage.
            if not error.transient or time.monotonic() - started > (_BRIEFLY if status == 500 else patience):
                raise error
            await asyncio.sleep(max(after, delay * random.uniform(0.8, 1.2)))  # noqa: S311
            delay = min(delay * 2, 5.0)

    async def _once(
        self, method: str, target: str, body: bytes | None, content_type: str, accept: str, *, refresh: bool
    ) -> Reply:
        self.requests += 1
        headers = self._headers(content_type if body is not None else "", accept, refresh)
        if not self.access.proxy:
            return await self._transport.send(method, target, lines(headers), body)
        async with self._open.request(
            method,
            URL(self.access.url + target, encoded=True),
            data=body,
            headers=dict(headers),
            ssl=self.access.tls or True,
            server_hostname=self.access.server_name or None,
            proxy=self.access.proxy,
            timeout=aiohttp.ClientTimeout(total=120, sock_connect=15),
            allow_redirects=False,
        ) as response:
            raw = await response.read()
            after = response.headers.get("Retry-After", "")
            return response.status, raw, float(after) if after.isdigit() else 0.0

    @asynccontextmanager
    async def stream(
        self, path: str, query: Mapping[str, str], *, accept: str = JSON
    ) -> AsyncIterator[aiohttp.StreamReader]:
        """A watch's answer as it comes. Raises :class:`ApiError`, and aiohttp's errors when it is cut."""
        self.requests += 1
        async with self._open.get(
            URL(self.access.url + self._target(path, query), encoded=True),
            headers=dict(self._headers("", accept, False)),
            ssl=self.access.tls or True,
            server_hostname=self.access.server_name or None,
            proxy=self.access.proxy or None,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=15, sock_read=90),
            allow_redirects=False,
            read_bufsize=2**20,
        ) as response:
            if response.status == 401:
                self.access.authorization(True)
            if response.status >= 300:
                raise from_response(response.status, await response.read())
            yield response.content

    def _target(self, path: str, query: Mapping[str, str] | None) -> str:
        asked = _encoded(tuple(query.items())) if query else ""
        return f"{path}?{asked}" if asked else path

    def _headers(self, content_type: str, accept: str, refresh: bool) -> tuple[tuple[str, str], ...]:
        authorization = self.access.authorization(refresh)
        pairs = (
            ("Accept", accept),
            ("User-Agent", "ghapp-agent"),
            ("Content-Type", content_type),
            ("Authorization", authorization),
            ("Impersonate-User", self.access.impersonate),
        )
        return tuple((name, value) for name, value in pairs if value)

    def _away(self, e: BaseException) -> str:
        return (
            f"the API server at {self.access.url} does not answer ({str(e) or type(e).__name__}); "
            "check the address in the kubeconfig and that the server is up"
        )


@lru_cache(maxsize=256)
def _encoded(query: tuple[tuple[str, str], ...]) -> str:
    return urlencode([(k, v) for k, v in query if v])


_PLAIN = re.compile(r"[A-Za-z0-9._-]*\Z")


def escaped(name: str) -> str:
    """A name as a segment of a path."""
    return name if _PLAIN.match(name) else quote(name, safe="")
