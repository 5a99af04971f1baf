"""Watching a collection: a list, then what changes, for as long as it is wanted; expired and cut watches begin again.

Quiet watches cost nothing but a bookmark now and then. Gives events as they come; remembers no object.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import orjson

from ghapp.agent.kube.client import METADATA, METADATA_LIST, Kube
from ghapp.agent.kube.errors import ApiError, Unreachable

Event = tuple[str, dict[str, Any]]  # ADDED, MODIFIED, DELETED; LISTED is an object that a new list found

_SECONDS = 300


async def watch(kube: Kube, path: str, selector: str) -> AsyncIterator[Event]:
    """Metadata of objects as they change, for ever. ``("SYNCED", {})`` follows each complete list."""
    version, delay = "", 1.0
    while True:
        try:
            if not version:
                items, version = await kube.collect(path, selector=selector, accept=METADATA_LIST)
                for item in items:
                    yield "LISTED", item
                yield "SYNCED", {}
            async for kind, obj in _stream(kube, path, selector, version):
                if kind == "ERROR":
                    version = ""  # 410: what we knew is too old
                    break
                version = str(obj["metadata"]["resourceVersion"])
                delay = 1.0
                if kind != "BOOKMARK":
                    yield kind, obj
        except ApiError as e:
            version = ""
            if e.code != 410:
                delay = await _later(delay)
        except (aiohttp.ClientError, TimeoutError, ConnectionError, Unreachable, orjson.JSONDecodeError):
            delay = await _later(delay)


async def _later(delay: float) -> float:
    await asyncio.sleep(delay * random.uniform(0.8, 1.2))  # noqa: S311
    return min(delay * 2, 30.0)


async def _stream(kube: Kube, path: str, selector: str, version: str) -> AsyncIterator[Event]:
    query = {
        "watch": "true",
        "allowWatchBookmarks": "true",
        "resourceVersion": version,
        "labelSelector": selector,
        "timeoutSeconds": str(_SECONDS + random.randrange(60)),  # noqa: S311
    }
    async with kube.stream(path, query, accept=METADATA) as content:
        rest = b""
        async for chunk in content.iter_any():
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                if line.strip():
                    event = orjson.loads(line)
                    yield str(event["type"]), event["object"]
