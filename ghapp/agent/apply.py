"""Step 10, apply: one object by server-side apply under our manager, and what it takes when that is refused.

Conflicts are forced and reported. Fields left to other controllers go out as they live. An immutable field is judged
by behaviour, and an object is deleted only after its successor was found valid. Everything can be repeated.
"""

from __future__ import annotations

import asyncio
import re
import time
import uuid
from collections.abc import Awaitable, Callable, Container, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson

from ghapp.agent import fields, migrate, names
from ghapp.agent.kube.body import encode
from ghapp.agent.kube.client import JSON, METADATA, Kube
from ghapp.agent.kube.errors import ApiError, redacted
from ghapp.agent.normalise import secret_values
from ghapp.agent.objects import Desired, Live, Record

# Never deleted to be made anew: everything inside would go with them.
_NEVER_RECREATED = ("Namespace", "CustomResourceDefinition", "PersistentVolume")
_RACY = ("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")  # a new role is seen by the authoriser a bit later


class Failed(Exception):
    """The object was not applied; the message says why, without any secret."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of one object. ``conflicts`` are sentences about fields that were taken from other managers."""

    record: Record
    created: bool = False
    changed: bool = False
    conflicts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Applier:
    """Applies objects. ``patience`` is how many seconds a deletion may take; ``fresh`` are API groups whose definitions
    were made just now, so that a 404 there may pass."""

    kube: Kube
    patience: float = 300.0
    fresh: Container[str] = ()

    async def apply(self, desired: Desired, live: Live | None) -> Applied:
        """Make the live object as desired. Raises :class:`Failed`, Unreachable."""
        try:
            if live is not None and live.terminating:
                await self.gone(desired.path, live.uid)
                live = None
            if desired.once:
                return await self._once(desired)
            return await self._apply(desired, live)
        except ApiError as e:
            raise Failed(self.explain(desired, e)) from None

    async def _once(self, desired: Desired) -> Applied:
        there = await self.kube.get(desired.path, accept=METADATA)
        if there is None:
            return await self._apply(desired, None)
        return Applied(_record(desired, there["metadata"]))

    async def _apply(self, desired: Desired, live: Live | None) -> Applied:
        if live is not None and migrate.needed(live.managed, desired.ignore):
            await self._migrate(desired, live.version, live.managed)
        meta, created, conflicts = await self._patched(desired)
        managed = meta.get("managedFields") or []
        if live is None and not created and migrate.needed(managed, desired.ignore):
            # An object that carried no label of ours was there before: take over what kubectl wrote on it.
            await self._migrate(desired, meta["resourceVersion"], managed)
            meta, _, more = await self._patched(desired)
            conflicts = (*conflicts, *more)
        changed = created or live is None or meta.get("resourceVersion") != live.version
        return Applied(_record(desired, meta), created=created, changed=changed, conflicts=conflicts)

    async def _migrate(self, desired: Desired, version: str, managed: list[dict[str, Any]]) -> None:
        await migrate.migrate(self.kube, desired.path, desired.kind.api_version, version, managed, desired.ignore)

    async def _patched(self, desired: Desired) -> tuple[dict[str, Any], bool, tuple[str, ...]]:
        """Apply, without force first so that conflicts are told; then the metadata, and whether it was created."""
        conflicts: tuple[str, ...] = ()
        force, tries = False, 0
        while True:
            body = await self._body(desired) if desired.ignore else desired.body
            try:
                answer = await self.kube.apply(desired.path, body, manager=names.FIELD_MANAGER, force=force)
            except ApiError as e:
                tries += 1
                if e.conflict_of_fields and not force:
                    conflicts, force = _conflicts(e), True
                elif tries < 8 and self._passes(desired, e):
                    await asyncio.sleep(0.25 * tries)
                elif e.code == 422:
                    return await self._refused(desired, e), True, conflicts
                else:
                    raise
                continue
            data = answer.data
            return data["metadata"], answer.status == 201, conflicts

    def _passes(self, desired: Desired, e: ApiError) -> bool:
        if e.code == 409 and not e.conflict_of_fields:
            return True  # it moved between our reading and our writing
        if e.code == 403 and desired.key.kind in _RACY:
            return True
        return e.code == 404 and desired.kind.group in self.fresh and not _no_namespace(e)

    # --- fields that are left to others -------------------------------------------------------------

    async def _body(self, desired: Desired) -> bytes:
        """What to send of an object with ignored fields: those as they live, or not at all where others own them."""
        there = await self.kube.get(desired.path, accept=JSON)
        if there is None:
            return desired.body
        obj: dict[str, Any] = orjson.loads(desired.body)
        managed = there["metadata"].get("managedFields") or []
        own = (fields.ours(managed) or {}).get("fieldsV1") or {}
        others = [e.get("fieldsV1") or {} for e in managed if e is not fields.ours(managed)]
        pinned = False
        for pointer in desired.ignore:
            value = fields.at_pointer(there, pointer)
            if value is fields.MISSING:
                fields.put(obj, pointer, fields.MISSING)
            elif any(t.isdigit() for t in fields.tokens(pointer)):
                # Inside a list a field cannot be left out without leaving out its item.
                fields.put(obj, pointer, value)
                pinned = True
            else:
                if fields.owns(own, pointer) and not any(fields.owns(o, pointer) for o in others):
                    # Ours alone: dropping it would reset it to its default, so another manager holds it first.
                    await self._hand_over(desired, pointer, value)
                fields.put(obj, pointer, fields.MISSING)
        for name in ("labels", "annotations"):
            if obj["metadata"].get(name) == {}:
                del obj["metadata"][name]
        if pinned:
            obj["metadata"]["resourceVersion"] = there["metadata"]["resourceVersion"]
        return encode(obj)

    async def _hand_over(self, desired: Desired, pointer: str, value: Any) -> None:
        full = orjson.loads(desired.body)
        meta = {k: full["metadata"][k] for k in ("name", "namespace") if k in full["metadata"]}
        part: dict[str, Any] = {"apiVersion": full["apiVersion"], "kind": full["kind"], "metadata": meta}
        fields.put(part, pointer, value)
        await self.kube.apply(desired.path, encode(part), manager=names.RELEASE_MANAGER)

    # --- what cannot be changed ---------------------------------------------------------------------

    async def _refused(self, desired: Desired, e: ApiError) -> dict[str, Any]:
        """After a 422: an invalid object, or a field that cannot be changed? The latter may be recreated.

        Returns the metadata of the new object. Raises ApiError, :class:`Failed`.
        """
        there = await self.kube.get(desired.path, accept=METADATA)
        if there is None or desired.key.kind in _NEVER_RECREATED or not await self._valid_elsewhere(desired):
            raise e
        if not desired.recreate:
            raise Failed(
                f"{self.explain(desired, e)} (this field cannot be changed; with the annotation {names.IMMUTABLE}: "
                "recreate the object is deleted and made anew)"
            )
        uid = str(there["metadata"]["uid"])
        await self.kube.delete(desired.path, uid=uid)
        await self.gone(desired.path, uid)
        answer = await self.kube.apply(desired.path, desired.body, manager=names.FIELD_MANAGER, force=True)
        meta: dict[str, Any] = answer.data["metadata"]
        return meta

    async def _valid_elsewhere(self, desired: Desired) -> bool:
        """Whether the API server would take the same object under another name."""
        copy = orjson.loads(desired.body)
        name = f"{desired.key.name[:40].rstrip('-.')}-ghapp-{uuid.uuid4().hex[:8]}"
        copy["metadata"]["name"] = name
        if desired.key.kind == "Service":  # what only one service can have
            spec = copy.get("spec") or {}
            for field in ("clusterIP", "clusterIPs", "healthCheckNodePort"):
                if spec.get(field) not in ("None", ["None"]):
                    spec.pop(field, None)
            for port in spec.get("ports") or ():
                port.pop("nodePort", None)
        path = desired.kind.path(desired.key.namespace, name)
        try:
            await self.kube.apply(path, encode(copy), manager=names.FIELD_MANAGER, force=True, dry_run=True)
        except ApiError:
            return False
        return True

    async def gone(self, path: str, uid: str) -> None:
        """Wait until the object with this UID is no more. Raises :class:`Failed` when its finalizers take too long."""
        started, delay = time.monotonic(), 0.1
        while True:
            there = await self.kube.get(path, accept=METADATA)
            if there is None or there["metadata"].get("uid") != uid:
                return
            if time.monotonic() - started > self.patience:
                held = ", ".join(there["metadata"].get("finalizers") or ()) or "no finalizer"
                raise Failed(f"is still being deleted after {self.patience:g} s; held by: {held}")
            await asyncio.sleep(delay)
            delay = min(delay * 1.6, 2.0)

    def explain(self, desired: Desired, e: ApiError) -> str:
        """The refusal as a sentence for a person."""
        message = e.message
        if (desired.key.group, desired.key.kind) == ("", "Secret"):
            message = redacted(message, secret_values(desired.body))
        if _no_namespace(e):
            return (
                f'the namespace "{desired.key.namespace}" does not exist; create it, '
                "or put a Namespace object into the branch"
            )
        if e.code == 404:
            return f"the cluster does not serve {desired.key.kind}; install its definition first ({message})"
        if e.code == 403:
            return f"the agent may not do this: {message}"
        return message or f"HTTP {e.code}"


def _no_namespace(e: ApiError) -> bool:
    return e.code == 404 and re.search(r'namespaces "[^"]*" not found', e.message) is not None


def _conflicts(e: ApiError) -> tuple[str, ...]:
    return tuple(f"{c.get('field', '')}: {c.get('message', '')}".strip(": ") for c in e.causes)


def _record(desired: Desired, meta: dict[str, Any]) -> Record:
    fingerprint = fields.fingerprint(meta.get("managedFields") or [])
    return desired.record(version=str(meta.get("resourceVersion") or ""), fingerprint=fingerprint)


T = TypeVar("T")


async def each(pool: asyncio.Semaphore, items: Sequence[T], call: Callable[[T], Awaitable[None]], width: int) -> None:
    """Call for each item, ``width`` at once, and never more at once than the pool allows everyone together."""
    waiting = iter(items)

    async def work() -> None:
        for item in waiting:
            async with pool:
                await call(item)

    await asyncio.gather(*(work() for _ in range(min(width, len(items)))))
