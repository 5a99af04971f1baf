"""What has to be done about one app's pipeline on one commit. Pure: from check runs, wishes and liveness to a plan.

==========================  =========  ==========================  ==========================================
check runs                  wanted     somebody asks               plan
==========================  =========  ==========================  ==========================================
none                        yes        —                           start all stages
none                        no         —                           nothing
none                        any        test, retest                start all stages
some open                   yes        — or anything but cancel    go on: start its job again if it is dead
some open                   no         —                           cancel (unless older runs may go on)
some open                   any        cancel                      cancel
all ended                   any        test                        start all stages
all ended                   any        retest                      start what is not green, and what follows it
all ended                   any        rerun of a stage            start it, and what follows and is not green
all ended, superseded       yes        —                           start all stages (it is the head again)
all ended otherwise         any        —                           nothing
some ended, some missing    yes        —                           start the missing ones
==========================  =========  ==========================  ==========================================

After ``image`` runs again, ``after`` does too: it is about another image.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ghapp.github.checks import CheckRun

SUPERSEDED = "superseded"  # how the title of a run begins that was stopped because its commit is nobody's head any more

Verb = Literal["test", "retest", "rerun", "cancel"]
_GREEN = ("success", "neutral", "skipped")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person asks for: ``stage`` and ``run`` for a rerun, ``by`` a login, ``inputs`` those of a call.

    ``afresh``: without what earlier runs have cached.
    """

    verb: Verb
    by: str = ""
    stage: str = ""
    run: str = ""
    inputs: Mapping[str, Any] | None = None
    afresh: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """``start`` a new run of these stages, or ``resume`` or ``cancel`` the run of that id; all empty: nothing."""

    start: tuple[str, ...] = ()
    resume: str = ""
    cancel: str = ""
    by: str = ""


def plan(
    stages: Sequence[str],
    present: Mapping[str, CheckRun],
    *,
    wanted: bool,
    wish: Wish | None = None,
    older_go_on: bool = False,
) -> Plan:
    """The plan for an app with these ``stages``, whose newest check runs are ``present`` (by stage)."""
    by = wish.by if wish else ""
    unfinished = [check for check in present.values() if check.status != "completed"]
    if unfinished:
        run = unfinished[0].external_id
        if wish and wish.verb == "cancel":
            return Plan(cancel=run, by=by)
        if not wanted and not older_go_on:
            return Plan(cancel=run)
        return Plan(resume=run)
    if wish and wish.verb != "cancel":
        return Plan(start=_asked(stages, present, wish), by=by)
    if not wanted:
        return Plan()
    if any(_superseded(check) for check in present.values()):
        return Plan(start=tuple(stages))
    return Plan(start=tuple(stage for stage in stages if stage not in present))


def attempt(present: Mapping[str, CheckRun]) -> int:
    """The number of the next run: one more than the highest that any check run names."""
    numbers = [check.external_id.rpartition("-")[2] for check in present.values()]
    return 1 + max((int(n) for n in numbers if n.isdecimal()), default=0)


def _asked(stages: Sequence[str], present: Mapping[str, CheckRun], wish: Wish) -> tuple[str, ...]:
    if wish.verb == "test":
        return tuple(stages)
    chosen: list[str] = []
    for stage in stages:
        check = present.get(stage)
        red = check is None or check.conclusion not in _GREEN or (bool(chosen) and check.conclusion == "skipped")
        asked = wish.verb == "rerun" and stage == wish.stage and check is not None and check.external_id == wish.run
        follows = bool(chosen) and (red or ("image" in chosen and stage == "after"))
        if asked or follows or (wish.verb == "retest" and red):
            chosen.append(stage)
    return tuple(chosen)


def _superseded(check: CheckRun) -> bool:
    return check.conclusion == "cancelled" and check.title.startswith(SUPERSEDED)
