"""The cluster's memory: objects by kind, one counter of versions, and the recent past for those who watch.

Synchronous and single-threaded: everything that touches a store runs in one event loop. It knows nothing of HTTP, of
rules or of who may do what. Nothing is ever written to disk.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import orjson

from ghapp.sandbox.cluster.types import Object

Key = tuple[str, str]
"""(namespace, name); the namespace is "" for objects that have none."""

HISTORY = 20_000
"""Events remembered per kind. Who asks for older ones is told 410 Gone and lists again."""


class Stored:
    """One version of one object. The object is never changed in place; ``raw`` is its JSON, made once."""

    __slots__ = ("_raw", "object", "version")

    def __init__(self, object_: Object, version: int) -> None:
        self.object = object_
        self.version = version
        self._raw: bytes | None = None

    @property
    def raw(self) -> bytes:
        if self._raw is None:
            self._raw = orjson.dumps(self.object)
        return self._raw

    @property
    def key(self) -> Key:
        metadata = self.object["metadata"]
        return metadata.get("namespace", ""), metadata["name"]


@dataclass(frozen=True, slots=True)
class Event:
    """One change: ADDED, MODIFIED or DELETED. ``before`` is what was there, which selectors need to know."""

    type: str
    version: int
    stored: Stored
    before: Stored | None = None


Listener = Callable[[Event], None]
AnyListener = Callable[[str, Event], None]


@dataclass(slots=True)
class Collection:
    """All objects of one kind."""

    name: str
    items: dict[Key, Stored] = field(default_factory=dict)
    history: deque[Event] = field(default_factory=lambda: deque(maxlen=HISTORY))
    listeners: set[Listener] = field(default_factory=set)
    forgotten: int = 0
    _sorted: list[Key] | None = None

    def keys(self) -> list[Key]:
        """All keys in order."""
        if self._sorted is None:
            self._sorted = sorted(self.items)
        return self._sorted

    def in_namespace(self, namespace: str) -> Iterable[Stored]:
        """Objects in order; all of them where ``namespace`` is ""."""
        keys = self.keys()
        if not namespace:
            return [self.items[k] for k in keys]
        start = bisect_right(keys, (namespace, ""))
        end = bisect_right(keys, (namespace, "\U0010ffff"))
        return [self.items[k] for k in keys[start:end]]

    def record(self, event: Event) -> None:
        if len(self.history) == self.history.maxlen:
            self.forgotten = self.history[0].version
        self.history.append(event)
        key = event.stored.key
        if event.type == "DELETED":
            self.items.pop(key, None)
            if self._sorted is not None:
                del self._sorted[bisect_left(self._sorted, key)]
        else:
            if key not in self.items and self._sorted is not None:
                insort(self._sorted, key)
            self.items[key] = event.stored
        for listener in tuple(self.listeners):
            listener(event)

    def since(self, version: int) -> list[Event] | None:
        """Events after ``version``, or None when some of them are forgotten."""
        if version < self.forgotten:
            return None
        result: list[Event] = []
        for event in reversed(self.history):
            if event.version <= version:
                break
            result.append(event)
        result.reverse()
        return result


class Store:
    """Every collection, and the version that the next change gets."""

    def __init__(self) -> None:
        self.version = 1
        self.listeners: list[AnyListener] = []
        self.uids: dict[str, tuple[str, Key]] = {}
        self._collections: dict[str, Collection] = {}
        self._dependents: dict[str, set[tuple[str, Key]]] = {}

    def collection(self, name: str) -> Collection:
        found = self._collections.get(name)
        if found is None:
            found = self._collections[name] = Collection(name, forgotten=0)
        return found

    def collections(self) -> list[Collection]:
        return list(self._collections.values())

    def get(self, collection: str, namespace: str, name: str) -> Stored | None:
        return self.collection(collection).items.get((namespace, name))

    def put(self, collection: str, object_: Object) -> Stored:
        """Create or replace. The object gets the next resourceVersion, and from now on belongs to the store."""
        self.version += 1
        metadata = object_["metadata"]
        metadata["resourceVersion"] = str(self.version)
        stored = Stored(object_, self.version)
        place = self.collection(collection)
        before = place.items.get(stored.key)
        self._happened(place, Event("MODIFIED" if before else "ADDED", self.version, stored, before))
        return stored

    def remove(self, collection: str, namespace: str, name: str) -> Stored | None:
        """Delete. The event carries the object as it last was, at the version of its deletion."""
        place = self.collection(collection)
        before = place.items.get((namespace, name))
        if before is None:
            return None
        self.version += 1
        last = {**before.object, "metadata": {**before.object["metadata"], "resourceVersion": str(self.version)}}
        stored = Stored(last, self.version)
        self._happened(place, Event("DELETED", self.version, stored, before))
        return stored

    def dependents(self, uid: str, collection: str = "") -> list[tuple[str, Stored]]:
        """Objects that name ``uid`` as an owner, with their collections; of one collection where it is given."""
        found = sorted(d for d in self._dependents.get(uid, ()) if not collection or d[0] == collection)
        return [(name, self.collection(name).items[key]) for name, key in found]

    def with_uid(self, uid: str) -> tuple[str, Stored] | None:
        """The object with this uid, and its collection."""
        found = self.uids.get(uid)
        return (found[0], self.collection(found[0]).items[found[1]]) if found else None

    def _happened(self, place: Collection, event: Event) -> None:
        key = event.stored.key
        before = _owners(event.before) if event.before else frozenset()
        after = _owners(event.stored) if event.type != "DELETED" else frozenset()
        for uid in before - after:
            self._dependents[uid].discard((place.name, key))
            if not self._dependents[uid]:
                del self._dependents[uid]
        for uid in after - before:
            self._dependents.setdefault(uid, set()).add((place.name, key))
        own = event.stored.object["metadata"].get("uid", "")
        if event.type == "DELETED":
            self.uids.pop(own, None)
        else:
            self.uids[own] = (place.name, key)
        place.record(event)
        for listener in self.listeners:
            listener(place.name, event)

    def forget(self) -> None:
        """Lose the past: every watch from an old version is told 410 from now on."""
        for collection in self._collections.values():
            collection.history.clear()
            collection.forgotten = self.version


def _owners(stored: Stored) -> frozenset[str]:
    references = stored.object["metadata"].get("ownerReferences")
    return frozenset(r.get("uid", "") for r in references) if references else frozenset()
