"""What the cluster has of us: one LIST per kind, by our label, however many objects there are.

Metadata alone where nothing else is needed; whole objects of the kinds whose health is read from them. Writes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from ghapp.agent import names
from ghapp.agent.kube.client import JSON, METADATA_LIST, Kube
from ghapp.agent.kube.errors import ApiError
from ghapp.agent.kube.kinds import Kind
from ghapp.agent.objects import Key, Live, key_of

_FEW = 3  # namespaces that are listed one by one rather than by one list of the whole cluster


def scopes(keys: Iterable[tuple[Kind, Key]]) -> dict[Kind, set[str]]:
    """The namespaces in which there are objects of each kind."""
    found: dict[Kind, set[str]] = {}
    for kind, key in keys:
        found.setdefault(kind, set()).add(key.namespace)
    return found


async def observe(kube: Kube, wanted: Mapping[Kind, set[str]], *, whole: Iterable[str] = ()) -> dict[Key, Live]:
    """Every labelled object of the kinds in their namespaces. ``whole`` are the kinds to read in full.

    Raises ApiError.
    """
    fully = frozenset(whole)
    found: dict[Key, Live] = {}
    for lives in await asyncio.gather(*(_kind(kube, k, spaces, k.name in fully) for k, spaces in wanted.items())):
        found.update(lives)
    return found


async def _kind(kube: Kube, kind: Kind, namespaces: set[str], whole: bool) -> dict[Key, Live]:
    if len(namespaces) > _FEW:
        try:
            return await _collection(kube, kind, "", whole)
        except ApiError as e:
            if e.code != 403:  # rights in the namespaces alone: then one by one
                raise
    found: dict[Key, Live] = {}
    for lives in await asyncio.gather(*(_collection(kube, kind, space, whole) for space in sorted(namespaces))):
        found.update(lives)
    return found


async def _collection(kube: Kube, kind: Kind, namespace: str, whole: bool) -> dict[Key, Live]:
    accept = JSON if whole else METADATA_LIST
    try:
        items, _ = await kube.collect(kind.collection(namespace), selector=names.LABEL_APP, accept=accept)
    except ApiError as e:
        if e.code == 404:
            return {}  # the kind's definition is gone, and its objects with it
        raise
    lives = (live_of(item, kind, whole=whole) for item in items)
    return {live.key: live for live in lives}


def live_of(obj: dict[str, Any], kind: Kind, *, whole: bool) -> Live:
    """A live object as the API server sent it."""
    meta = obj.get("metadata") or {}
    return Live(
        key=key_of(obj, kind),
        kind=kind,
        uid=str(meta.get("uid") or ""),
        version=str(meta.get("resourceVersion") or ""),
        app=str((meta.get("labels") or {}).get(names.LABEL_APP) or ""),
        terminating=bool(meta.get("deletionTimestamp")),
        managed=meta.get("managedFields") or [],
        object=obj,
        whole=whole,
    )
