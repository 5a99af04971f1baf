"""Step 12, prune: members that the branch no longer wants go, in the reverse of the order in which they came.

Only what is still ours on the live object is deleted, by its UID. What is refused, or kept, or still ending is told,
and what may still exist stays in the inventory.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ghapp.agent import names
from ghapp.agent.apply import each
from ghapp.agent.kube.client import METADATA, Kube
from ghapp.agent.kube.errors import ApiError
from ghapp.agent.kube.kinds import Kinds
from ghapp.agent.objects import Failure, Key, Record
from ghapp.agent.observe import observe, scopes
from ghapp.agent.order import stage

Meta = dict[str, Any]
_MANY = 20  # members of a kind that are looked at by a list rather than one by one


@dataclass
class Pruned:
    """What came of a prune. ``forgotten`` are members that no longer are (deleted, kept on purpose, not ours)."""

    deleted: list[Record] = field(default_factory=list)
    forgotten: list[Record] = field(default_factory=list)
    kept: list[Record] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)


async def prune(
    kube: Kube, kinds: Kinds, stale: Sequence[Record], pool: asyncio.Semaphore, *, confirmed: bool, wait: float
) -> Pruned:
    """Delete the stale members. ``confirmed`` lets those go that ask first; ``wait`` is how many seconds an end may
    take (0: it is not waited for). Raises Unreachable."""
    result = Pruned()
    by_stage: dict[int, list[Record]] = {}
    for record in stale:
        by_stage.setdefault(stage(record.key.kind), []).append(record)
    for number in sorted(by_stage, reverse=True):
        # Within a stage the last name goes first: also the reverse of how they came.
        group = sorted(by_stage[number], key=lambda r: r.key, reverse=True)
        known = await _listed(kube, kinds, group)
        ending: list[tuple[Record, str]] = []

        async def one(
            record: Record, known: dict[Key, Meta] = known, ending: list[tuple[Record, str]] = ending
        ) -> None:
            try:
                await _one(kube, kinds, record, known.get(record.key), result, ending, confirmed=confirmed)
            except ApiError as e:
                result.failures.append(Failure(str(record.key), f"could not be deleted: {e.message}"))

        await each(pool, group, one, kube.pool)
        await _ended(kube, kinds, ending, result, wait)
    return result


async def _listed(kube: Kube, kinds: Kinds, group: list[Record]) -> dict[Key, Meta]:
    """The live metadata of kinds of which many go: one list instead of a request for each."""
    counts = Counter((r.api_version, r.key.kind) for r in group)
    places = []
    for record in group:
        if counts[record.api_version, record.key.kind] > _MANY:
            kind = await kinds.find(record.api_version, record.key.kind)
            places += [(kind, record.key)] if kind is not None else []
    try:
        lives = await observe(kube, scopes(places))
    except ApiError:
        return {}  # no right to list: one by one then
    return {key: live.object["metadata"] for key, live in lives.items()}


async def _one(
    kube: Kube,
    kinds: Kinds,
    record: Record,
    known: Meta | None,
    result: Pruned,
    ending: list[tuple[Record, str]],
    *,
    confirmed: bool,
) -> None:
    kind = await kinds.find(record.api_version, record.key.kind)
    path = kind.path(record.key.namespace, record.key.name) if kind else ""
    meta = known
    if meta is None:
        there = await kube.get(path, accept=METADATA) if kind else None
        meta = there["metadata"] if there is not None else None
    if meta is None:
        result.forgotten.append(record)
        return
    wish = (meta.get("annotations") or {}).get(names.PRUNE)
    if (meta.get("labels") or {}).get(names.LABEL_APP) != record.app or wish == "keep":
        result.forgotten.append(record)
        result.kept.append(record)
        return
    if wish == "confirm" and not confirmed:
        said = f"is no longer wanted, and asks before it is deleted ({names.PRUNE}: confirm); use --allow-prune"
        result.failures.append(Failure(str(record.key), said))
        return
    uid = str(meta.get("uid") or "")
    if not meta.get("deletionTimestamp"):
        # What was listed may have changed hands since; then it is looked at again, by itself.
        version = str(meta.get("resourceVersion") or "") if known is not None else ""
        try:
            answer = await kube.delete(path, uid=uid, version=version)
        except ApiError as e:
            if e.code != 409 or known is None:
                raise
            await _one(kube, kinds, record, None, result, ending, confirmed=confirmed)
            return
        result.deleted.append(record)
        if answer is None or not (answer.get("metadata") or {}).get("deletionTimestamp"):
            result.forgotten.append(record)
            return
    ending.append((record, uid))


async def _ended(kube: Kube, kinds: Kinds, ending: list[tuple[Record, str]], result: Pruned, wait: float) -> None:
    """Wait for what is still ending; a namespace takes as long as all that is in it, and is not waited for."""
    started, delay = time.monotonic(), 0.1
    while ending:
        still = []
        for record, uid in ending:
            kind = kinds.known(record.api_version, record.key.kind)
            path = kind.path(record.key.namespace, record.key.name) if kind else ""
            there = await kube.get(path, accept=METADATA) if kind else None
            if there is None or there["metadata"].get("uid") != uid:
                result.forgotten.append(record)
            elif wait and record.key.kind != "Namespace":
                still.append((record, uid, there["metadata"].get("finalizers") or ()))
        if not still:
            return
        if time.monotonic() - started > wait:
            for record, _, finalizers in still:
                said = f"is still being deleted after {wait:g} s; held by: {', '.join(finalizers) or 'no finalizer'}"
                result.failures.append(Failure(str(record.key), said))
            return
        ending = [(record, uid) for record, uid, _ in still]
        await asyncio.sleep(delay)
        delay = min(delay * 1.6, 2.0)
