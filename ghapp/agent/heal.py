"""Self-healing: a few members that drifted are made right at once, without a pass over the others."""

from __future__ import annotations

import time

import orjson

from ghapp.agent import compare, fields, plan
from ghapp.agent.apply import Applier, Failed
from ghapp.agent.kube.client import JSON
from ghapp.agent.kube.errors import ApiError, Unreachable
from ghapp.agent.lease import Led
from ghapp.agent.objects import Desired, Drift, Failure, Key, Live
from ghapp.agent.observe import live_of
from ghapp.agent.plan import Action
from ghapp.agent.reconcile import Reconciler
from ghapp.agent.report import Outcome


async def heal(reconciler: Reconciler, keys: set[Key]) -> Outcome:
    """Compare these members with what the branch wants of them, and apply those that differ.

    Only what the last whole pass read is applied; with ``heal: false`` drift is named and left.
    """
    started = time.monotonic()
    inventory = reconciler.inventory
    outcome = Outcome(reconciler.environment.name, sha=inventory.state.sha, objects=len(inventory.records))
    changed = False
    try:
        for one in reconciler.branch.objects(keys):
            changed |= await _one(reconciler, one, outcome)
        if changed:
            await reconciler.store.save(inventory)
    except (Unreachable, Led) as e:
        outcome.stopped = str(e)
    except ApiError as e:
        outcome.stopped = f"the API server refused: {e.message}"
    outcome.applied_sha = inventory.state.sha
    outcome.seconds = time.monotonic() - started
    return outcome


async def _one(reconciler: Reconciler, one: Desired, outcome: Outcome) -> bool:
    """Look at one member; whether what is remembered of it changed."""
    records = reconciler.inventory.records
    there = await reconciler.kube.get(one.path, accept=JSON)
    live = live_of(there, one.kind, whole=True) if there is not None else None
    action = plan.decide(one, records.get(one.key), live)
    if action is Action.NOTHING:
        return False
    paths = _differences(one, live)
    if live is not None and not live.terminating and not paths:
        records[one.key] = one.record(version=live.version, fingerprint=fields.fingerprint(live.managed))
        return True
    managers = {m for path in paths for m in fields.owners(live.managed, path)} if live is not None else set()
    where = tuple(map(compare.shown, paths)) if live is not None else ("(deleted)",)
    outcome.drift.append(Drift(str(one.key), where, tuple(sorted(managers))))
    if not reconciler.environment.heal:
        return False
    await reconciler.lead()
    try:
        applied = await Applier(reconciler.kube, reconciler.environment.timeout).apply(one, live)
    except Failed as e:
        outcome.failures.append(Failure(str(one.key), str(e)))
        return False
    records[one.key] = applied.record
    outcome.changed.append(str(one.key))
    return True


def _differences(one: Desired, live: Live | None) -> list[compare.Path]:
    if live is None:
        return []
    return compare.differences(orjson.loads(one.body), live.object, live.managed, one.ignore)
