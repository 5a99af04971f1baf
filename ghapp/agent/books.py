"""After a pass: what the inventory remembers of it, and what the report says. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ghapp.agent.inventory import Inventory, State
from ghapp.agent.members import Pass
from ghapp.agent.objects import Failure
from ghapp.agent.report import AppOutcome, Outcome
from ghapp.agent.rollout import Result


def remember(now: Pass, inventory: Inventory, results: Mapping[str, Result], settings: str) -> None:
    """What exists from now on: applied members as they are now, less those that are gone.

    A member whose fate is unknown stays; so does one whose deletion was refused.
    """
    for record in now.synced:
        inventory.records[record.key] = record
    trees: dict[str, str] = {}
    for app, result in results.items():
        for key, applied in result.applied.items():
            inventory.records[key] = applied.record
        for key in result.never:
            inventory.records.pop(key, None)
        for record in result.pruned.forgotten:
            inventory.records.pop(record.key, None)
        left = len(now.stale.get(app, ())) > len(result.pruned.forgotten)
        if app in now.wanted.trees and result.whole and not left and app not in now.deferred:
            trees[app] = now.wanted.trees[app]
    gone_apps_left = any(r.app not in now.wanted.trees for r in inventory.records.values())
    complete = trees.keys() == now.wanted.trees.keys() and not gone_apps_left
    inventory.state = State(now.wanted.sha if complete else "", settings, trees)


def tell(now: Pass, results: Mapping[str, Result], outcome: Outcome) -> None:
    """Fill the outcome of a pass that tried something."""
    outcome.failures = [*now.blocked]
    for app in sorted(results):
        result = results[app]
        outcome.failures += result.failures
        outcome.created += [str(k) for k, a in result.applied.items() if a.created]
        outcome.changed += [str(k) for k, a in result.applied.items() if a.changed and not a.created]
        outcome.conflicts += [Failure(str(k), c) for k, a in result.applied.items() for c in a.conflicts]
        outcome.pruned += [str(r.key) for r in result.pruned.deleted]
        outcome.kept += [str(r.key) for r in result.pruned.kept]
        if app in now.wanted.trees:
            blocked = [b for b in now.blocked if b.object in ("", f"{app}/")]
            outcome.apps.append(outcome_of(now, app, [*result.failures, *blocked]))


def outcome_of(now: Pass, app: str, failures: Sequence[Failure]) -> AppOutcome:
    """One app's part of a pass, with its release where the branch is signed."""
    release = now.wanted.releases.get(app)
    return AppOutcome(
        app=app,
        objects=len(now.members.get(app, ())),
        failures=tuple(failures),
        release=release.release if release else "",
        source_commit=release.commit if release else "",
        tree=now.wanted.trees[app],
        held=now.held(app),
    )
