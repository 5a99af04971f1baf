"""WATCH streams: what is there, then every change in order, bookmarks, and 410 for those who ask too far back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import orjson

from ghapp.sandbox.cluster.errors import ApiError, too_old
from ghapp.sandbox.cluster.kinds import Resource
from ghapp.sandbox.cluster.selectors import Matcher
from ghapp.sandbox.cluster.store import Event, Store, Stored

BOOKMARK_SECONDS = 60.0
_INITIAL_EVENTS_END = "k8s.io/initial-events-end"

Show = Callable[[Stored], bytes]


@dataclass(frozen=True, slots=True)
class Watched:
    """What a watch asks for: changes after ``version``, or with ``initial`` first what is there now, followed by a
    bookmark that says so where the watch ``announces_end``."""

    resource: Resource
    namespace: str
    matches: Matcher | None
    version: int
    initial: bool
    announces_end: bool
    bookmarks: bool
    show: Show
    seconds: float


class Watches:
    """All open watches, so that they can be dropped together."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._open: set[asyncio.Queue[Event | None]] = set()
        self.bookmark_seconds = BOOKMARK_SECONDS

    def __len__(self) -> int:
        return len(self._open)

    def drop(self) -> None:
        """End every watch, as a server that restarts does."""
        for queue in self._open:
            queue.put_nowait(None)

    async def stream(self, asked: Watched) -> AsyncIterator[bytes]:
        """Lines of JSON, several in one chunk when there are several at once."""
        collection = self._store.collection(asked.resource.storage)
        queue: asyncio.Queue[Event | None] = asyncio.Queue()
        first = self._first(asked)
        if isinstance(first, ApiError):
            yield _line("ERROR", orjson.dumps(first.status))
            return
        listener = queue.put_nowait
        collection.listeners.add(listener)
        self._open.add(queue)
        try:
            yield first
            async for chunk in self._changes(asked, queue):
                yield chunk
        finally:
            collection.listeners.discard(listener)
            self._open.discard(queue)

    def _first(self, asked: Watched) -> bytes | ApiError:
        """What a stream begins with, or why it cannot."""
        collection = self._store.collection(asked.resource.storage)
        if asked.initial:
            now = [s for s in collection.in_namespace(asked.namespace) if not asked.matches or asked.matches(s.object)]
            lines = [_line("ADDED", asked.show(s)) for s in now]
            if asked.announces_end:
                lines.append(self._bookmark(asked.resource, initial=True))
            return b"".join(lines)
        # A version that lies ahead is from another cluster's life.
        ahead = asked.version > self._store.version
        missed = None if ahead else collection.since(asked.version)
        if missed is None:
            return too_old(asked.version, max(collection.forgotten, 1))
        return b"".join(filter(None, (self._shown(asked, e) for e in missed)))

    async def _changes(self, asked: Watched, queue: asyncio.Queue[Event | None]) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        end = loop.time() + asked.seconds
        while (left := end - loop.time()) > 0:
            try:
                async with asyncio.timeout(min(left, self.bookmark_seconds)):
                    event = await queue.get()
            except TimeoutError:
                if asked.bookmarks and loop.time() < end:
                    yield self._bookmark(asked.resource)
                continue
            batch: list[bytes] = []
            while True:
                if event is None:
                    yield b"".join(batch)
                    return
                if line := self._shown(asked, event):
                    batch.append(line)
                if queue.empty():
                    break
                event = queue.get_nowait()
            if batch:
                yield b"".join(batch)
        if asked.bookmarks:
            yield self._bookmark(asked.resource)

    def _shown(self, asked: Watched, event: Event) -> bytes | None:
        """The line for an event: selectors turn changes into appearances and disappearances."""
        if asked.namespace and event.stored.key[0] != asked.namespace:
            return None
        if asked.matches is None:
            return _line(event.type, asked.show(event.stored))
        now = event.type != "DELETED" and asked.matches(event.stored.object)
        before = event.before is not None and asked.matches(event.before.object)
        if now:
            return _line("MODIFIED" if before else "ADDED", asked.show(event.stored))
        if before and event.before is not None:
            last = event.stored if event.type == "DELETED" else _at(event.before, event.version)
            return _line("DELETED", asked.show(last))
        return None

    def _bookmark(self, resource: Resource, *, initial: bool = False) -> bytes:
        meta: dict[str, object] = {"resourceVersion": str(self._store.version)}
        if initial:
            meta["annotations"] = {_INITIAL_EVENTS_END: "true"}
        body = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": meta}
        return _line("BOOKMARK", orjson.dumps(body))


def _at(stored: Stored, version: int) -> Stored:
    meta = {**stored.object["metadata"], "resourceVersion": str(version)}
    return Stored({**stored.object, "metadata": meta}, version)


def _line(type_: str, raw: bytes) -> bytes:
    return b'{"type":"' + type_.encode() + b'","object":' + raw + b"}\n"
