"""Step 11, inventory: which objects are ours, and how they were right after we applied them.

Kept in Secrets (digests of Secrets are in it) of the environment's namespace, compressed and spread over chunks by the
hash of each key, so that one change rewrites one chunk and tens of thousands of objects fit. Saved as old ∪ new before
anything is applied, so that a crash never loses a member.
"""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from ghapp.agent import names
from ghapp.agent.kube.client import Kube, escaped
from ghapp.agent.kube.errors import ApiError
from ghapp.agent.kube.kinds import split
from ghapp.agent.objects import Key, Record

_FULL = 600_000  # bytes of a compressed chunk; base64 adds a third, and a Secret ends at 1 MiB


@dataclass(frozen=True, slots=True)
class State:
    """What the last pass came to: the commit, the folder trees that are wholly applied, and under which settings."""

    sha: str = ""
    settings: str = ""
    trees: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Inventory:
    """The members of one environment. ``suspended`` is what a person annotated in the cluster."""

    records: dict[Key, Record] = field(default_factory=dict)
    state: State = State()
    suspended: bool = False
    chunks: int = 1
    stored: dict[str, tuple[str, bytes]] = field(default_factory=dict)  # name → (resourceVersion, content)


def slug(environment: str) -> str:
    """An environment's name as part of an object's name: kept where it can be, else made unique by a hash."""
    plain = re.sub(r"[^a-z0-9-]+", "-", environment.lower()).strip("-")[:40]
    if plain == environment:
        return plain
    return f"{plain}-{hashlib.sha256(environment.encode()).hexdigest()[:8]}".lstrip("-")


class Store:
    """Where one environment's inventory is kept."""

    def __init__(self, kube: Kube, namespace: str, environment: str) -> None:
        self._kube = kube
        self._namespace = namespace
        self._slug = slug(environment)
        self._path = f"/api/v1/namespaces/{escaped(namespace)}/secrets"

    async def load(self) -> Inventory:
        """The inventory as it is stored; empty where there is none. Raises ApiError."""
        items, _ = await self._kube.collect(self._path, selector=f"{names.LABEL_INVENTORY}={self._slug}", limit=0)
        found = Inventory()
        for item in items:
            meta = item["metadata"]
            raw = base64.b64decode((item.get("data") or {}).get("inventory") or "")
            found.stored[meta["name"]] = (meta["resourceVersion"], raw)
            found.suspended |= (meta.get("annotations") or {}).get(names.SUSPEND) == "true"
            if not raw:
                continue
            content: dict[str, Any] = orjson.loads(zlib.decompress(raw))
            found.chunks = max(found.chunks, int(content["chunks"]))
            if "state" in content:
                found.state = State(**content["state"])
            for row in content["objects"]:
                record = _record(row)
                known = found.records.get(record.key)
                # The same member in chunks of two sizes, after a crash while the chunks grew: the fuller one counts.
                if known is None or not known.version:
                    found.records[record.key] = record
        return found

    async def save(self, inventory: Inventory) -> bool:
        """Write the chunks that changed; whether there were any. Raises ApiError (409: someone else wrote)."""
        contents = _chunks(inventory)
        changed = False
        for number, raw in enumerate(contents):
            name = f"ghapp-inventory-{self._slug}-{number}"
            if name in inventory.stored and inventory.stored[name][1] == raw:
                continue
            inventory.stored[name] = (await self._write(inventory, name, raw), raw)
            changed = True
        for name in [n for n in inventory.stored if int(n.rpartition("-")[2]) >= len(contents)]:
            await self._kube.delete(f"{self._path}/{name}")
            del inventory.stored[name]
            changed = True
        return changed

    async def remove(self, inventory: Inventory) -> None:
        """Delete the inventory: nothing of the environment is left."""
        for name in list(inventory.stored):
            await self._kube.delete(f"{self._path}/{name}")
            del inventory.stored[name]

    async def _write(self, inventory: Inventory, name: str, raw: bytes) -> str:
        body: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": names.INVENTORY_TYPE,
            "metadata": {"name": name, "labels": {names.LABEL_INVENTORY: self._slug}},
            "data": {"inventory": base64.b64encode(raw).decode()},
        }
        if name not in inventory.stored:
            try:
                created = await self._kube.create(self._path, body, manager=names.FIELD_MANAGER)
            except ApiError as e:
                if e.code == 409 and e.reason == "AlreadyExists":
                    raise ApiError(409, "Conflict", f"the inventory {name} was just made by someone else") from None
                raise
            return str(created["metadata"]["resourceVersion"])
        for _ in range(3):
            version, known = inventory.stored[name]
            patch = [
                {"op": "replace", "path": "/metadata/resourceVersion", "value": version},
                {"op": "replace", "path": "/data", "value": body["data"]},
            ]
            try:
                written = await self._kube.patch(f"{self._path}/{name}", patch, manager=names.FIELD_MANAGER)
            except ApiError as e:
                there = await self._kube.get(f"{self._path}/{name}") if e.code == 409 else None
                if there is None or (there.get("data") or {}).get("inventory") != base64.b64encode(known).decode():
                    raise
                # Someone annotated it meanwhile; what we keep in it is still what we knew.
                inventory.stored[name] = (str(there["metadata"]["resourceVersion"]), known)
                continue
            return str(written["metadata"]["resourceVersion"])
        raise ApiError(409, "Conflict", f"the inventory {name} keeps being changed by someone else")


def _chunks(inventory: Inventory) -> list[bytes]:
    """The inventory as chunks, none of them too large; more chunks than before where one would be."""
    count = inventory.chunks
    while True:
        rows: list[list[list[str]]] = [[] for _ in range(count)]
        for key in sorted(inventory.records):
            rows[_place(key, count)].append(_row(inventory.records[key]))
        contents = []
        for number, objects in enumerate(rows):
            content: dict[str, Any] = {"chunks": count, "objects": objects}
            if number == 0:
                state = inventory.state
                content["state"] = {"sha": state.sha, "settings": state.settings, "trees": dict(state.trees)}
            contents.append(zlib.compress(orjson.dumps(content, option=orjson.OPT_SORT_KEYS), 6))
        if max(map(len, contents)) <= _FULL:
            inventory.chunks = count
            return contents
        count *= 2


def _place(key: Key, count: int) -> int:
    return zlib.crc32(repr((key.group, key.kind, key.namespace, key.name)).encode()) % count


def _row(r: Record) -> list[str]:
    return [r.app, r.api_version, r.key.kind, r.key.namespace, r.key.name, r.digest, r.version, r.fingerprint]


def _record(row: list[str]) -> Record:
    app, api_version, kind, namespace, name, digest, version, fingerprint = row
    return Record(Key(split(api_version)[0], kind, namespace, name), api_version, app, digest, version, fingerprint)


def joined(old: Mapping[Key, Record], new: Iterable[Record]) -> dict[Key, Record]:
    """Old ∪ new: what may exist in the cluster from now on. What is known of an old member stays known."""
    result = dict(old)
    for record in new:
        known = result.get(record.key)
        if known is None or known.app != record.app or known.api_version != record.api_version:
            result[record.key] = record
    return result
