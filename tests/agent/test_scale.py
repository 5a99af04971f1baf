"""Large environments: no request per object, no matter how many there are."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

import pytest

from ghapp.agent.inventory import Inventory, Store
from ghapp.agent.kube.client import Kube
from ghapp.agent.kube.config import load
from ghapp.agent.objects import Key, Record

pytestmark = [pytest.mark.conformance, pytest.mark.slow]


def test_ten_thousand_objects(place: Any) -> None:
    straight = {"access": load(place.kubeconfig)}  # not through the gateway, which counts but is slow
    text = "\n---\n".join(
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{n}}}\ndata: {{a: '{'x' * 200}'}}" for n in range(10_000)
    )
    first = place.sync({"shop/all.yaml": text}, **straight)
    assert first.ok
    assert len(first.created) == 10_000
    outcome = place.sync()
    assert outcome.ok
    assert outcome.objects == 10_000
    assert [entry for entry in place.gateway.log if entry[0] != "GET"] == []
    assert len(place.gateway.log) <= 40
    changed = text.replace("c77}\ndata: {a: 'x", "c77}\ndata: {a: 'y")
    assert place.sync({"shop/all.yaml": changed}).ok
    assert place.gateway.writes == [("PATCH", place.path("configmaps", "c77"))]
    assert place.sync(delete=True, **straight).ok
    assert len(place.api.get(place.path("configmaps"))["items"]) <= 1


def test_a_thousand_apps_in_one_branch(place: Any) -> None:
    straight = {"access": load(place.kubeconfig)}
    files = {f"app-{n}/all.yaml": [place.cm(f"c{n}"), place.cm(f"d{n}")] for n in range(1000)}
    outcome = place.sync(files, **straight)
    assert outcome.ok
    assert len(outcome.apps) == 1000
    outcome = place.sync({**files, "app-7/all.yaml": [place.cm("c7", {"a": "2"}), place.cm("d7")]})
    assert outcome.ok
    assert place.gateway.writes == [("PATCH", place.path("configmaps", "c7"))]
    assert len(place.gateway.log) <= 40
    assert place.sync(delete=True, **straight).ok


def test_the_inventory_grows_over_chunks(place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ghapp.agent.inventory._FULL", 60_000)

    def record(n: int) -> Record:
        digest = hashlib.sha256(str(n).encode()).hexdigest()
        key = Key("", "ConfigMap", place.namespace, f"a-rather-long-name-{digest}")
        return Record(key, "v1", "shop", digest[:16], str(n), digest[16:32])

    async def go() -> None:
        async with Kube(place.api.access) as kube:
            store = Store(kube, place.namespace, "prod")
            full = {r.key: r for r in map(record, range(3_000))}
            inventory = Inventory(records=dict(full))
            assert await store.save(inventory)
            assert len(inventory.stored) > 1
            again = await store.load()
            assert again.records == full
            assert not await store.save(again), "nothing changed, nothing is written"
            key = next(iter(full))
            again.records[key] = record(-1)
            before = dict(again.stored)
            await store.save(again)
            assert sum(again.stored[n] != before[n] for n in before) == 1, "one change rewrites one chunk"
            await store.remove(again)

    asyncio.run(go())
