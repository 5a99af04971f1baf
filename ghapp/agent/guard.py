"""Step 12's brake: prunes that look like accidents stop and ask. Pure.

An empty branch, or more than N % of the members (of the environment, or of an app that still has its folder) going at
once, is refused until someone says ``--allow-prune``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ghapp.agent.objects import Failure, Record


@dataclass(frozen=True, slots=True)
class Verdict:
    """Which apps' stale members may not be pruned now, and the sentences about it."""

    apps: frozenset[str]
    failures: tuple[Failure, ...]


def too_much(members: int, gone: int, percent: int) -> bool:
    """Whether a prune looks like an accident: more than ``percent`` of the members, and more than one."""
    return gone > 1 and gone * 100 > members * percent


def guard(
    members: Mapping[str, int], stale: Mapping[str, Sequence[Record]], there: frozenset[str], wanted: int, percent: int
) -> Verdict:
    """``members`` counts what each app had so far, ``there`` are apps that still have a folder, ``wanted`` is how many
    objects the branch wants in all."""
    gone = sum(map(len, stale.values()))
    had = sum(members.values())
    everyone = frozenset(app for app, records in stale.items() if records)
    if gone and not wanted:
        said = f"the branch holds no manifests, and would remove all {gone} objects; use --allow-prune if that is meant"
        return Verdict(everyone, (Failure("", said),))
    if too_much(had, gone, percent):
        return Verdict(everyone, (Failure("", _said(gone, had, percent)),))
    blocked = {app for app in everyone & there if too_much(members.get(app, 0), len(stale[app]), percent)}
    said_of = (Failure(f"{app}/", _said(len(stale[app]), members[app], percent)) for app in sorted(blocked))
    return Verdict(frozenset(blocked), tuple(said_of))


def _said(gone: int, had: int, percent: int) -> str:
    return (
        f"{gone} of {had} objects would be pruned, more than {percent} %: nothing of it was; "
        "use --allow-prune if that is meant"
    )
