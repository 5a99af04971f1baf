"""Members that are no longer as we left them, noticed by watching: one watch per kind, metadata alone.

Keeps no copy of anything; what it holds is the few members that look touched. Deciding is up to :mod:`plan`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from ghapp.agent import names, plan
from ghapp.agent.kube.client import Kube
from ghapp.agent.kube.errors import ApiError
from ghapp.agent.kube.kinds import Kind, Kinds
from ghapp.agent.kube.watch import watch
from ghapp.agent.objects import Key, Live, Record
from ghapp.agent.observe import live_of, scopes

_FEW = 3


class Drift:
    """Watches the members of one environment. ``records`` gives them as they are remembered now."""

    def __init__(self, kube: Kube, kinds: Kinds) -> None:
        self._kube = kube
        self._kinds = kinds
        self._records: Mapping[Key, Record] = {}
        self._tasks: dict[tuple[Kind, str], asyncio.Task[None]] = {}
        self._touched: dict[Key, Live | None] = {}
        self.noticed = asyncio.Event()

    async def follow(self, records: Mapping[Key, Record]) -> None:
        """Watch the kinds and namespaces of these members, and no others."""
        self._records = records
        wanted = await self._collections(records)
        for place in self._tasks.keys() - wanted:
            self._tasks.pop(place).cancel()
        for place in wanted - self._tasks.keys():
            self._tasks[place] = asyncio.create_task(self._watch(*place))

    def suspects(self) -> set[Key]:
        """Members that are not as they were left, as far as is known now."""
        for key in list(self._touched):
            record = self._records.get(key)
            if record is None or not record.version or plan.settled(record, self._touched[key]):
                del self._touched[key]
        if not self._touched:
            self.noticed.clear()
        return set(self._touched)

    def seen_to(self, keys: set[Key]) -> None:
        """These were looked at; the next event about them counts again."""
        for key in keys:
            self._touched.pop(key, None)
        if not self._touched:
            self.noticed.clear()

    async def close(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()

    async def _collections(self, records: Mapping[Key, Record]) -> set[tuple[Kind, str]]:
        found = []
        for record in records.values():
            kind = self._kinds.known(record.api_version, record.key.kind)
            kind = kind or await self._kinds.find(record.api_version, record.key.kind)
            if kind is not None:
                found.append((kind, record.key))
        places: set[tuple[Kind, str]] = set()
        for kind, spaces in scopes(found).items():
            together = len(spaces) > _FEW and await self._everywhere(kind)
            places |= {(kind, "")} if together else {(kind, space) for space in spaces}
        return places

    async def _everywhere(self, kind: Kind) -> bool:
        """Whether we may watch a kind in all namespaces at once."""
        if (kind, "") in self._tasks:
            return True
        try:
            await self._kube.request("GET", kind.collection(), query={"limit": "1"})
        except ApiError:
            return False
        return True

    async def _watch(self, kind: Kind, namespace: str) -> None:
        listed: set[Key] = set()
        async for event, obj in watch(self._kube, kind.collection(namespace), names.LABEL_APP):
            if event == "SYNCED":
                for key, record in list(self._records.items()):
                    here = (key.group, key.kind) == (kind.group, kind.name) and namespace in ("", key.namespace)
                    if here and key not in listed and record.version:
                        self._notice(key, None)
                listed.clear()
                continue
            live = live_of(obj, kind, whole=False)
            if event == "LISTED":
                listed.add(live.key)
            self._notice(live.key, None if event == "DELETED" else live)

    def _notice(self, key: Key, live: Live | None) -> None:
        record = self._records.get(key)
        if record is None or not record.version:
            return
        if live is not None and plan.settled(record, live):
            self._touched.pop(key, None)
            return
        self._touched[key] = live
        self.noticed.set()
