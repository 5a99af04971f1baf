"""Which release an environment wants: a function of what there is, what runs where, and what people have decided.

It never goes back by itself: only a person's pin names a release older than the one that is deployed. Whether the
wanted release may go *now* is the gates' question, not this one's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from policies.gates.facts import Kind, Strategy


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A person's word on one release: a pin (this and no other) or a request (this one next)."""

    release: str
    by: str
    at: datetime
    kind: Kind = Kind.PROMOTION
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """An environment's place in the order: what it comes after; ``any_of``: one of them is enough."""

    after: tuple[str, ...] = ()
    any_of: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Everything the decision is made of, for one app.

    ``releases`` are names, oldest first. ``deployed`` maps an environment to what it runs. ``no_ops`` maps one to the
    releases that would change nothing on what it runs, and so count as reached. ``rejected`` maps a release to why;
    ``declined`` are those whose promotion here was closed by hand.
    """

    environment: str
    strategy: Strategy = Strategy.LATEST
    places: Mapping[str, Place] = field(default_factory=dict)
    releases: tuple[str, ...] = ()
    deployed: Mapping[str, str] = field(default_factory=dict)
    no_ops: Mapping[str, frozenset[str]] = field(default_factory=dict)
    rejected: Mapping[str, str] = field(default_factory=dict)
    declined: frozenset[str] = frozenset()
    pin: Decision | None = None
    request: Decision | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """``release`` is the one to have here; equal to what is deployed, or ``None``, there is nothing to propose.

    ``skipped`` are the environments before this one that have not reached it (a hotfix).
    """

    release: str | None
    sentence: str
    kind: Kind = Kind.PROMOTION
    by: str | None = None
    reason: str = ""
    skipped: tuple[str, ...] = ()


def wanted(s: Situation) -> Wanted:
    """The wanted release and why. The table stands beside its test."""
    order = {name: i for i, name in enumerate(s.releases)}
    runs = s.deployed.get(s.environment)
    here = _reached(s.environment, s, order)
    decision = max(
        (d for d in (s.pin, s.request) if d and _stands(d, s, order, here)), key=lambda d: d.at, default=None
    )
    if decision:
        return _decided(decision, s, order)
    if not s.releases:
        return Wanted(None, "there is no release yet")
    if s.strategy is Strategy.MANUAL:
        return Wanted(runs, "releases come here only by /promote")
    reach = _reach(s, order)
    if reach is None:
        return Wanted(runs, f"waits for {_waited_for(s)} to run a release first")
    if s.strategy is Strategy.MATCH:
        return _matching(s, order, here, runs, reach)
    candidates = [name for name in s.releases[here + 1 : reach + 1] if name not in s.rejected]
    if not candidates:
        return _nothing_newer(s, here, runs)
    if s.strategy is Strategy.QUEUE:
        following = next((name for name in candidates if name not in s.declined), None)
        if following is None:
            return Wanted(runs, f"{candidates[0]} was declined here; a newer release or /promote goes on")
        return Wanted(following, f"{following} is the next in the queue, {len(candidates)} of them")
    newest = candidates[-1]
    if newest in s.declined:
        return Wanted(runs, f"{newest} was declined here; a newer release or /promote goes on")
    return Wanted(newest, f"{newest} is the newest release that may come here")


def _stands(decision: Decision, s: Situation, order: Mapping[str, int], here: int) -> bool:
    """A pin stands until it is lifted; a request until it is fulfilled or something newer is deployed."""
    return decision is s.pin or order.get(decision.release, here + 1) > here


def _decided(decision: Decision, s: Situation, order: Mapping[str, int]) -> Wanted:
    runs, name = s.deployed.get(s.environment), decision.release
    what = "pinned" if decision is s.pin else "asked for"
    if name in s.rejected:
        return Wanted(runs, f"{name}, {what} by @{decision.by}, was rejected: {s.rejected[name]}")
    if name not in order:
        return Wanted(runs, f"{name}, {what} by @{decision.by}, is not a release of this branch any more")
    if name == runs:
        return Wanted(runs, f"{name} is {what} by @{decision.by}; newer releases wait until that is lifted")
    skipped = tuple(e for e in _ancestors(s) if _reached(e, s, order) < order[name])
    why = f": {decision.reason}" if decision.reason else ""
    sentence = f"@{decision.by} has {what} {name}{why}"
    return Wanted(name, sentence, decision.kind, decision.by, decision.reason, skipped)


def _reached(environment: str, s: Situation, order: Mapping[str, int]) -> int:
    """The position of the newest release that an environment runs, or would not notice; -1 for none."""
    runs = s.deployed.get(environment)
    same = s.no_ops.get(environment, frozenset())
    return max((order.get(name, -1) for name in (runs, *same) if name), default=-1)


def _reach(s: Situation, order: Mapping[str, int]) -> int | None:
    """The newest position that the environments before this one allow; ``None`` while they run nothing."""
    place = s.places.get(s.environment, Place())
    if not place.after:
        return len(s.releases) - 1
    positions = [_reached(e, s, order) for e in place.after]
    position = max(positions) if place.any_of else min(positions)
    return position if position >= 0 else None


def _matching(s: Situation, order: Mapping[str, int], here: int, runs: str | None, reach: int) -> Wanted:
    place = s.places.get(s.environment, Place())
    if not place.after:
        return Wanted(runs, "matches the environment before it, and there is none")
    theirs = {e: s.deployed.get(e) for e in place.after}
    names = set(theirs.values())
    if not place.any_of and len(names) > 1:
        said = ", ".join(f"{e} {name or 'nothing'}" for e, name in theirs.items())
        return Wanted(runs, f"waits until the environments before it run the same release ({said})")
    running = [name for name in names if name and name in order]
    name = max(running, key=lambda n: order[n]) if running else s.releases[reach]
    if name in s.rejected:
        return Wanted(runs, f"{name} was rejected: {s.rejected[name]}")
    if order[name] < here:
        return Wanted(runs, f"runs {runs}, newer than {name} before it; it does not go back by itself")
    if name == runs:
        return Wanted(runs, f"runs {name}, as does the environment before it")
    if name in s.declined:
        return Wanted(runs, f"{name} was declined here; a newer release or /promote goes on")
    return Wanted(name, f"{name} is what the environment before it runs")


def _nothing_newer(s: Situation, here: int, runs: str | None) -> Wanted:
    newer = [name for name in s.releases[here + 1 :] if name not in s.rejected]
    if newer and s.places.get(s.environment, Place()).after:
        return Wanted(runs, f"{newer[-1]} waits for {_waited_for(s)}")
    if runs and runs in s.rejected:
        return Wanted(runs, f"{runs} was rejected ({s.rejected[runs]}) and nothing newer is there; /rollback goes back")
    if runs is None:
        return Wanted(None, "every release was rejected")
    return Wanted(runs, f"{runs} is the newest release, and deployed")


def _waited_for(s: Situation) -> str:
    place = s.places[s.environment]
    return (" or " if place.any_of else " and ").join(place.after)


def _ancestors(s: Situation) -> Iterator[str]:
    """Every environment before this one, nearest first, each once; a circle ends where it began."""
    seen, waiting = {s.environment}, list(s.places.get(s.environment, Place()).after)
    while waiting:
        name = waiting.pop(0)
        if name not in seen:
            seen.add(name)
            yield name
            waiting += s.places.get(name, Place()).after
