"""Step 8 with its facts: what the members are, how they live, and what is to be done about each of them.

Gathers (one LIST per kind, whole objects only in doubt) and asks :mod:`plan`, :mod:`compare` and :mod:`guard`. Writes
nothing to the cluster.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import orjson

from ghapp.agent import compare, desire, fields, guard, order, plan
from ghapp.agent.branch import Branch, Wanted
from ghapp.agent.environment import Environment
from ghapp.agent.inventory import Inventory
from ghapp.agent.kube.client import JSON, Kube
from ghapp.agent.kube.kinds import Kind, Kinds
from ghapp.agent.objects import Drift, Failure, Key, Live, Record
from ghapp.agent.observe import live_of, observe, scopes
from ghapp.agent.order import Step
from ghapp.agent.plan import Action, Work
from ghapp.agent.wait import Member

_ONE_BY_ONE = 20  # objects of a kind in doubt that are read one by one rather than by a list


@dataclass
class Pass:
    """What one pass is about. ``work`` holds the objects of apps that were read; ``members`` all that is wanted.

    ``stale`` may be pruned after its app (or, for an app without a folder, after everything) is applied; ``deferred``
    are apps of which something stale stays for now. ``synced`` was found to be in sync without a record that says so.
    """

    wanted: Wanted
    work: dict[Key, Work] = field(default_factory=dict)
    members: dict[str, list[Member]] = field(default_factory=dict)
    stale: dict[str, list[Record]] = field(default_factory=dict)
    deferred: set[str] = field(default_factory=set)
    blocked: list[Failure] = field(default_factory=list)
    drift: list[Drift] = field(default_factory=list)
    synced: list[Record] = field(default_factory=list)

    @property
    def objects(self) -> int:
        return sum(map(len, self.members.values()))

    @property
    def writes(self) -> bool:
        return bool(self.todo() or self.synced or any(self.stale.values()))

    def todo(self) -> list[Work]:
        return [w for w in self.work.values() if w.action is Action.APPLY]

    def steps(self, app: str) -> list[Step]:
        """The app's objects in order; none for an app that was not read or is held."""
        found = self.wanted.apps.get(app)
        return order.steps(found.objects) if found is not None and not found.held else []

    def held(self, app: str) -> bool:
        found = self.wanted.apps.get(app)
        return found is not None and found.held

    def failures(self, app: str) -> list[Failure]:
        """What is wrong with an app before anything of it was tried."""
        found = self.wanted.apps.get(app)
        return list(found.failures) if found is not None else []


async def gather(
    environment: Environment, branch: Branch, wanted: Wanted, inventory: Inventory, kube: Kube, kinds: Kinds
) -> Pass:
    """Everything there is to know before the first write. Raises ApiError, Unreachable, FetchError."""
    await branch.load(wanted, [app for app in wanted.trees if app not in wanted.same])
    now = Pass(wanted)
    _settle_ownership(now, inventory)
    places = [(one.kind, one.key) for app in wanted.apps.values() for one in app.objects]
    places += await _places(kinds, (r for r in inventory.records.values() if r.app in wanted.same))
    lives = await observe(kube, scopes(places))
    if drifted := _drifted(inventory, wanted, lives):
        # Nothing of these apps changed on the branch, but something did in the cluster.
        await branch.load(wanted, drifted)
        _settle_ownership(now, inventory)
    objects = [one for app in wanted.apps.values() for one in app.objects]
    now.work = {w.desired.key: w for w in plan.work(objects, inventory.records, lives)}
    await _compare(now, environment, kube)
    _count_members(now, inventory, {key: kind for kind, key in places})
    _find_stale(now, environment, inventory)
    return now


def _settle_ownership(now: Pass, inventory: Inventory) -> None:
    owners = {r.key: r.app for r in inventory.records.values() if r.app in now.wanted.trees}
    now.wanted.apps = desire.refuse_shared(now.wanted.apps, owners)


async def _places(kinds: Kinds, records: Iterable[Record]) -> list[tuple[Kind, Key]]:
    found = []
    for record in records:
        kind = kinds.known(record.api_version, record.key.kind)
        if kind is None:
            kind = await kinds.find(record.api_version, record.key.kind)
        if kind is not None:
            found.append((kind, record.key))
    return found


def _drifted(inventory: Inventory, wanted: Wanted, lives: dict[Key, Live]) -> list[str]:
    """Apps that were not read and of which a member is not as it was left."""
    unread = wanted.same - wanted.apps.keys()
    suspects = (r for r in inventory.records.values() if r.app in unread)
    return sorted({r.app for r in suspects if not plan.settled(r, lives.get(r.key))})


async def _compare(now: Pass, environment: Environment, kube: Kube) -> None:
    """Settle every doubt: in sync (remembered so), or to be applied; and name what drifted."""
    doubts = [w for w in now.work.values() if w.action is Action.COMPARE]
    lives = await _whole(kube, doubts)
    for item in doubts:
        one, live = item.desired, lives.get(item.desired.key)
        paths = [] if live is None else _differences(item, live)
        known = item.record is not None and item.record.digest == one.digest and bool(item.record.version)
        if live is not None and not paths:
            now.work[one.key] = replace(item, action=Action.NOTHING, live=live)
            print_of = fields.fingerprint(live.managed)
            now.synced.append(one.record(version=live.version, fingerprint=print_of))
            continue
        now.work[one.key] = replace(item, action=Action.APPLY, live=live)
        if known and live is not None:
            managers = sorted({m for p in paths for m in fields.owners(live.managed, p)})
            now.drift.append(Drift(str(one.key), tuple(map(compare.shown, paths)), tuple(managers)))
    for item in now.work.values():
        if item.action is Action.APPLY and item.live is None and item.record is not None and item.record.version:
            now.drift.append(Drift(str(item.desired.key), ("(deleted)",), ()))
    if not environment.heal:
        told = {d.object for d in now.drift}
        for key, item in now.work.items():
            if str(key) in told:
                now.work[key] = replace(item, action=Action.NOTHING)


def _differences(item: Work, live: Live) -> list[compare.Path]:
    return compare.differences(orjson.loads(item.desired.body), live.object, live.managed, item.desired.ignore)


async def _whole(kube: Kube, doubts: list[Work]) -> dict[Key, Live]:
    """The whole live objects of what is in doubt: by list where they are many."""
    found = {w.desired.key: w.live for w in doubts if w.live is not None and w.live.whole}
    rest = [w for w in doubts if w.desired.key not in found]
    counts = Counter(w.desired.kind for w in rest)
    many = [w for w in rest if counts[w.desired.kind] > _ONE_BY_ONE]
    places = scopes((w.desired.kind, w.desired.key) for w in many)
    found.update(await observe(kube, places, whole={kind.name for kind in places}))

    async def one(item: Work) -> None:
        there = await kube.get(item.desired.path, accept=JSON)
        if there is not None:
            found[item.desired.key] = live_of(there, item.desired.kind, whole=True)

    await asyncio.gather(*(one(w) for w in rest if w.desired.key not in found))
    return found


def _count_members(now: Pass, inventory: Inventory, kinds: dict[Key, Kind]) -> None:
    by_app: dict[str, list[Record]] = {}
    for record in inventory.records.values():
        by_app.setdefault(record.app, []).append(record)
    for app in now.wanted.trees:
        read = now.wanted.apps.get(app)
        if read is not None:
            now.members[app] = [Member(o.kind, o.key, o.expires) for o in read.objects]
        else:
            now.members[app] = [Member(kinds[r.key], r.key) for r in by_app.get(app, ()) if r.key in kinds]


def _find_stale(now: Pass, environment: Environment, inventory: Inventory) -> None:
    """What nothing wants any more, less what may not go now."""
    wanted = now.wanted
    alive = {m.key for members in now.members.values() for m in members}
    held = [app for app in wanted.apps.values() if app.held]
    for record in inventory.records.values():
        app = record.app
        if record.key in alive or now.held(app) or (environment.apps and app not in environment.apps):
            continue
        if any(other.mentions(record.key) for other in held):
            now.deferred.add(app)  # it may have moved to an app that cannot be read now
        else:
            now.stale.setdefault(app, []).append(record)
    if environment.allow_prune or not now.stale:
        return
    counts = Counter(r.app for r in inventory.records.values() if not environment.apps or r.app in environment.apps)
    hopes = len(alive) + len(held)
    verdict = guard.guard(counts, now.stale, frozenset(wanted.trees), hopes, environment.prune_percent)
    now.blocked += verdict.failures
    for app in verdict.apps:
        now.stale.pop(app)
        now.deferred.add(app)
