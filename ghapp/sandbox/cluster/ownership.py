"""Who owns which field: server-side apply and the bookkeeping of every other write, as pure functions.

An object's ``managedFields`` say which manager set what. Applying merges a configuration into the live object, drops
what its manager no longer sets and nobody else owns, and refuses to take over fields of others unless forced; plain
updates take over whatever they change. No clock and no I/O: the time of a change comes in as an argument.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from ghapp.sandbox.cluster.fields import (
    Fields,
    Path,
    difference,
    dotted,
    field_element,
    intersection,
    paths,
    union,
    without_subtrees,
)
from ghapp.sandbox.cluster.typed import compare, field_set, merge, prune
from ghapp.sandbox.cluster.types import Object, Type

MAX_UPDATERS = 10
_ANCIENT = "ancient-changes"
_BEFORE_FIRST_APPLY = "before-first-apply"

# Never owned by anybody: what names an object, and what the server itself writes.
_NOBODYS: Fields = {
    "f:apiVersion": {},
    "f:kind": {},
    "f:metadata": {
        ".": {},
        "f:name": {},
        "f:namespace": {},
        "f:creationTimestamp": {},
        "f:selfLink": {},
        "f:uid": {},
        "f:clusterName": {},
        "f:generation": {},
        "f:managedFields": {},
        "f:resourceVersion": {},
    },
}


@dataclass(frozen=True, slots=True)
class Manager:
    """Identifies one entry of managedFields. Appliers are the same manager whatever version they apply with."""

    name: str
    operation: str
    version: str = ""
    subresource: str = ""


@dataclass(frozen=True, slots=True)
class Ownership:
    """What one manager owns, in which API version it said so, and when that last changed (RFC 3339)."""

    fields: Fields
    version: str
    time: str | None = None


Owners = dict[Manager, Ownership]


class Conflict(Exception):
    """Fields that an apply without force would take from others: (manager, path) pairs, in order."""

    def __init__(self, found: list[tuple[Manager, Ownership, Path]]) -> None:
        self.found = found
        super().__init__(self.message)

    @property
    def message(self) -> str:
        count = len(self.found)
        if count == 1:
            manager, owned, path = self.found[0]
            return f"Apply failed with 1 conflict: conflict with {printed(manager, owned)}: {dotted(path)}"
        lines: list[str] = []
        for name in dict.fromkeys(printed(m, o) for m, o, _ in self.found):
            lines.append(f"conflicts with {name}:")
            lines.extend(f"- {dotted(path)}" for m, o, path in self.found if printed(m, o) == name)
        return f"Apply failed with {count} conflicts: " + "\n".join(lines)

    @property
    def causes(self) -> list[Object]:
        return [
            {"reason": "FieldManagerConflict", "message": f"conflict with {printed(m, o)}", "field": dotted(path)}
            for m, o, path in self.found
        ]


def printed(manager: Manager, owned: Ownership) -> str:
    """A manager as conflict messages name it."""
    text = f'"{manager.name}"'
    if manager.subresource:
        text += f' with subresource "{manager.subresource}"'
    if manager.operation == "Update":
        text += f" using {owned.version}"
        if owned.time:
            text += f" at {owned.time}"
    return text


def decode(entries: Any) -> Owners:
    """The owners that an object's managedFields name. Raises ValueError when an entry is not one."""
    owners: Owners = {}
    for index, entry in enumerate(entries or ()):
        operation, version = entry.get("operation"), entry.get("apiVersion")
        if operation not in ("Apply", "Update"):
            raise ValueError("operation must be `Apply` or `Update`")
        if not version:
            raise ValueError("apiVersion must not be empty")
        if entry.get("fieldsType") != "FieldsV1":
            raise ValueError(f"missing fieldsType in managed fields entry {index}")
        manager = Manager(
            entry.get("manager", ""), operation, "" if operation == "Apply" else version, entry.get("subresource", "")
        )
        owners[manager] = Ownership(entry.get("fieldsV1") or {}, version, entry.get("time"))
    return owners


def encode(owners: Owners) -> list[Object]:
    """Owners as managedFields: appliers first, then by time and name."""
    entries: list[tuple[tuple[str, ...], Object]] = []
    for manager, owned in owners.items():
        entry: Object = {"manager": manager.name, "operation": manager.operation, "apiVersion": owned.version}
        if owned.time:
            entry["time"] = owned.time
        entry["fieldsType"] = "FieldsV1"
        entry["fieldsV1"] = owned.fields
        if manager.subresource:
            entry["subresource"] = manager.subresource
        order = (manager.operation, owned.time or "", manager.name, owned.version, manager.subresource)
        entries.append((order, entry))
    entries.sort(key=lambda e: e[0])
    return [entry for _, entry in entries]


def apply(
    live: Object,
    config: Object,
    type_: Type,
    owners: Owners,
    *,
    manager: str,
    version: str,
    time: str,
    subresource: str = "",
    force: bool = False,
    reset: Fields | None = None,
) -> tuple[Object, Owners]:
    """Lay ``config`` over ``live``. Neither carries managedFields; ``config`` fits its type.

    ``reset`` are the roots that this endpoint ignores (status, on the main one). Returns the merged object, which may
    be ``live`` itself when nothing changed, and its owners. Raises :class:`Conflict`.
    """
    me = Manager(manager or "unknown", "Apply", "", subresource)
    if not owners and live.get("metadata", {}).get("uid"):
        # An object from before field management: whatever it holds belongs to whoever wrote it.
        owners = update({}, live, type_, {}, manager=_BEFORE_FIRST_APPLY, version=version, time=time, reset=reset)
    merged = merge(live, config, type_)
    wanted = field_set(config, type_)
    if reset:
        wanted = without_subtrees(wanted, reset)
    last = owners.get(me)
    claimed = {**owners, me: Ownership(wanted, version, last.time if last else None)}
    if last and last.fields and last.fields != wanted:
        everything: Fields = {}
        for owned in claimed.values():
            everything = union(everything, owned.fields)
        merged = prune(merged, last.fields, everything, type_)
    result = _disown(live, merged, type_, claimed, me, force=force, reset=reset)[0]
    if me in result:
        mine = difference(result[me].fields, _NOBODYS)
        if mine:
            result[me] = replace(result[me], fields=mine)
        else:
            del result[me]
    if merged != live and me in result:
        result[me] = replace(result[me], time=time)
    return merged, result


def update(
    live: Object,
    new: Object,
    type_: Type,
    owners: Owners,
    *,
    manager: str,
    version: str,
    time: str,
    subresource: str = "",
    reset: Fields | None = None,
) -> Owners:
    """Who owns what after a write that was not an apply: its manager takes over all that changed."""
    me = Manager(manager or "unknown", "Update", version, subresource)
    result, changed = _disown(live, new, type_, owners, None, force=True, reset=reset)
    mine = difference(changed, _NOBODYS)
    if mine:
        before = result.get(me)
        result[me] = Ownership(union(mine, before.fields) if before else mine, version, time)
    return _capped(result)


def _disown(
    live: Object,
    new: Object,
    type_: Type,
    owners: Owners,
    me: Manager | None,
    *,
    force: bool,
    reset: Fields | None,
) -> tuple[Owners, Fields]:
    """Take changed and removed fields from everybody but ``me``; also returns what was changed or added."""
    changes = compare(live, new, type_)
    changed, removed = union(changes.modified, changes.added), changes.removed
    if reset:
        changed, removed = without_subtrees(changed, reset), without_subtrees(removed, reset)
    if not changed and not removed:
        return {m: o for m, o in owners.items() if o.fields or m == me}, changed
    conflicts: list[tuple[Manager, Ownership, Path]] = []
    result: Owners = {}
    for manager, owned in owners.items():
        if manager == me:
            result[manager] = owned
            continue
        taken = intersection(owned.fields, changed)
        conflicts.extend((manager, owned, path) for path in paths(taken))
        left = difference(difference(owned.fields, taken), removed)
        if left:
            result[manager] = owned if left == owned.fields else replace(owned, fields=left)
    if conflicts and not force:
        conflicts.sort(key=lambda c: (c[0].name, c[0].subresource, c[2]))
        raise Conflict(conflicts)
    return result, changed


def _capped(owners: Owners) -> Owners:
    """At most ten updaters; the oldest ones are folded into one entry."""
    updaters = [m for m in owners if m.operation == "Update"]
    if len(updaters) <= MAX_UPDATERS:
        return owners
    updaters.sort(key=lambda m: (owners[m].time or "", m.name))
    result = dict(owners)
    old = updaters[: len(updaters) - MAX_UPDATERS + 1]
    for version in dict.fromkeys(owners[m].version for m in old):
        same = [m for m in old if owners[m].version == version]
        fields: Fields = {}
        for manager in same:
            fields = union(fields, result.pop(manager).fields)
        result[Manager(_ANCIENT, "Update", version)] = Ownership(fields, version, owners[same[-1]].time)
    return result


def same_but_for_time(a: Iterable[Object], b: Iterable[Object]) -> bool:
    """Whether two managedFields lists say the same about fields."""
    key = ("manager", "operation", "apiVersion", "subresource", "fieldsType", "fieldsV1")
    mine = [[e.get(k) for k in key] for e in a]
    theirs = [[e.get(k) for k in key] for e in b]
    return len(mine) == len(theirs) and all(e in theirs for e in mine)


def roots(*names: str) -> Fields:
    """The set of whole top-level fields."""
    return {field_element(name): {} for name in names}
