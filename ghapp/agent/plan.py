"""Step 8, plan: what has to be done, from what is wanted, remembered and there. Pure.

An object costs no request where nothing changed: its digest is the one we applied, and either the live object did not
move since, or nobody took or added a field of ours (the fingerprint of the ownership is the same).

    wanted digest   live object             action
    ─────────────   ─────────────────────   ─────────────────────────────
    any             missing                 APPLY (but a finished Job that its TTL removed: NOTHING)
    any             being deleted           APPLY (which waits for its end)
    any             there, apply: once      NOTHING
    other           there                   APPLY
    the same        not moved, or not ours  NOTHING
    the same        our ownership moved     COMPARE
    unknown         there                   COMPARE
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum

import orjson

from ghapp.agent import fields
from ghapp.agent.objects import Desired, Key, Live, Record


class Action(Enum):
    NOTHING = "nothing"
    COMPARE = "compare"
    APPLY = "apply"


@dataclass(frozen=True, slots=True)
class Work:
    """One object and what is to be done about it."""

    desired: Desired
    action: Action
    live: Live | None
    record: Record | None


def settled(record: Record, live: Live | None) -> bool:
    """Whether a member is as we left it."""
    if not record.digest or not record.version or live is None or live.terminating:
        return False
    if live.app != record.app:
        return False
    return record.version == live.version or record.fingerprint == fields.fingerprint(live.managed)


def decide(desired: Desired, record: Record | None, live: Live | None) -> Action:
    """The table above."""
    if live is None and desired.expires and record and record.version and record.digest == desired.digest:
        return Action.NOTHING
    if live is None or live.terminating:
        return Action.APPLY
    if desired.once:
        return Action.NOTHING
    if record is None or not record.digest or not record.version:
        return Action.COMPARE
    if record.digest != desired.digest:
        return Action.APPLY
    return Action.NOTHING if settled(record, live) else Action.COMPARE


def work(desired: Iterable[Desired], records: Mapping[Key, Record], lives: Mapping[Key, Live]) -> list[Work]:
    """What is to be done for each object, in the same order."""
    result = []
    for one in desired:
        record, live = records.get(one.key), lives.get(one.key)
        result.append(Work(one, decide(one, record, live), live, record))
    return result


def stale(records: Iterable[Record], wanted: Iterable[Key]) -> list[Record]:
    """Members that nothing wants any more."""
    kept = frozenset(wanted)
    return [r for r in records if r.key not in kept]


def scaled(objects: list[Desired]) -> list[Desired]:
    """The same objects, where an autoscaler among them owns the replicas of its target: those are left to it."""
    targets = set()
    for one in objects:
        if one.key.kind == "HorizontalPodAutoscaler":
            aim = (orjson.loads(one.body).get("spec") or {}).get("scaleTargetRef") or {}
            targets.add((aim.get("kind"), one.key.namespace, aim.get("name")))
    if not targets:
        return objects
    pointer = "/spec/replicas"
    return [
        replace(o, ignore=(*o.ignore, pointer))
        if (o.key.kind, o.key.namespace, o.key.name) in targets and pointer not in o.ignore
        else o
        for o in objects
    ]
