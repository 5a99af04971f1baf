"""What the promotion commands do: each writes a decision to Git, or a label, and says which environments to look at.

A command that is carried out twice, because a worker died in between, decides the same thing again: its time is the
comment's, not the clock's.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from ghapp import intents, names
from ghapp.config import App
from ghapp.evidence import notes
from ghapp.evidence.release import Rejection, Release
from ghapp.git import Person
from ghapp.github import errors
from ghapp.intents import EVERY, Decision, Intent
from jobs import commands
from jobs.commands import Command, Target
from jobs.promotion.trailers import values
from jobs.promotion.view import View


@dataclass(frozen=True)
class Order:
    """A command, who gave it, when and where. ``pull`` is the pull request it stands on.

    ``app`` and ``environment`` are those of the promotion that the pull request carries, ``""`` on any other.
    """

    command: Command
    by: str
    at: datetime
    pull: int
    app: str = ""
    environment: str = ""


@dataclass(frozen=True)
class Answer:
    """What came of it: whether it was done, a sentence where words are needed, and what to look at now."""

    done: bool
    words: str = ""
    look_at: tuple[tuple[str, str], ...] = ()  # (app, environment)


class Refused(ValueError):
    """The command cannot be carried out; the message says why and how to write it."""


def carry_out(view: View, order: Order) -> Answer:
    """Carry out one command. Refusals are answers too."""
    try:
        return _HANDLERS[order.command.word](view, order)
    except Refused as e:
        return Answer(False, str(e))


def _hold(view: View, order: Order) -> Answer:
    target = _target(view, order)
    if not target.environment and order.environment:
        view.client.post(f"issues/{order.pull}/labels", {"labels": [names.LABEL_HOLD]})
        return Answer(True, look_at=((order.app, order.environment),))
    app, environment = _app(view, order), _environment(view, order, target)
    decision = _decision(order, target)
    _change(view, app.app, environment, order, target, lambda i: dataclasses.replace(i, hold=decision))
    return Answer(True, look_at=((app.app, environment),))


def _unhold(view: View, order: Order) -> Answer:
    target = _target(view, order)
    app, environment = _app(view, order), _environment(view, order, target)
    if (order.app, order.environment) == (app.app, environment):
        with contextlib.suppress(errors.NotFound):
            view.client.delete(f"issues/{order.pull}/labels/{quote(names.LABEL_HOLD, safe='')}")
    _change(view, app.app, environment, order, target, lambda i: dataclasses.replace(i, hold=None, pin=None))
    return Answer(True, look_at=((app.app, environment),))


def _promote(view: View, order: Order) -> Answer:
    target = _target(view, order)
    app, environment = _app(view, order), _environment(view, order, target)
    if _decided_before(view, app.app, environment, order):
        return Answer(True, look_at=((app.app, environment),))
    releases = [r for r in view.releases(app.app) if (app.app, r.name) not in view.rejected]
    if not releases:
        raise Refused(f"{app.app} has no release yet; one is made when the pipeline is green on a release branch.")
    chosen = find_release(view, app.app, target.release) if target.release else releases[-1]
    if rejection := view.rejected.get((app.app, chosen.name)):
        raise Refused(
            f"Release `{chosen.name}` was rejected by {rejection.by}: {rejection.reason or 'no reason given'}."
        )
    older = chosen.name != releases[-1].name and _older_than_deployed(view, app.app, environment, chosen, releases)
    skipped = [e for e in _before(app, environment) if not _has_run(view, app.app, e, chosen.name, releases)]
    decision = dataclasses.replace(
        _decision(order, target), release=chosen.name, kind="hotfix" if skipped else "promotion"
    )

    def decide(intent: Intent) -> Intent:
        # An older release stays until someone lifts the pin or promotes the newest.
        if older:
            return dataclasses.replace(intent, pin=decision, request=None)
        return dataclasses.replace(intent, request=decision, pin=None, hold=None)

    _change(view, app.app, environment, order, target, decide)
    words = f"Release `{chosen.name}` passes by {', '.join(skipped)}: this is a hotfix." if skipped else ""
    if older:
        words = f"Release `{chosen.name}` is older than what {environment} runs, and is held there until `/unhold`."
    return Answer(True, words, ((app.app, environment),))


def _rollback(view: View, order: Order) -> Answer:
    target = _target(view, order)
    app, environment = _app(view, order), _environment(view, order, target)
    if _decided_before(view, app.app, environment, order):
        return Answer(True, look_at=((app.app, environment),))
    placed = view.deployed(app.app, environment)
    if placed is None:
        raise Refused(f"Nothing is deployed in {environment}, so there is nothing to go back from.")
    if target.release:
        chosen = find_release(view, app.app, target.release).name
    else:
        chosen = previous_release(view, app.app, environment) or ""
        if not chosen:
            raise Refused(f"{environment} has run nothing before `{placed.deployment.release}`.")
    if chosen == placed.deployment.release:
        raise Refused(f"{environment} already runs `{chosen}`.")
    decision = dataclasses.replace(_decision(order, target), release=chosen, kind="rollback")
    _change(view, app.app, environment, order, target, lambda i: dataclasses.replace(i, pin=decision, request=None))
    words = f"{environment} goes back to `{chosen}` and is held there until `/unhold {environment}`."
    return Answer(True, words, ((app.app, environment),))


def _reject(view: View, order: Order) -> Answer:
    app = _app(view, order)
    target = _target(view, order)
    if not target.release:
        raise Refused("Name the release: `/reject <release> <reason>`.")
    chosen = find_release(view, app.app, target.release)
    rejection = Rejection(app.app, chosen.commit, chosen.name, target.reason, order.by, order.at)
    known = view.rejected.get((app.app, chosen.name))
    if known is None:
        notes.append(view.git, chosen.commit, [rejection.statement()], view.signer, order.at)
    everywhere = tuple((app.app, e.name) for e in app.deploy.environments)
    return Answer(True, f"Release `{chosen.name}` is never proposed again.", everywhere)


def _stop(view: View, order: Order) -> Answer:
    return _stop_or_resume(view, order, stop=True)


def _resume(view: View, order: Order) -> Answer:
    return _stop_or_resume(view, order, stop=False)


def _stop_or_resume(view: View, order: Order, *, stop: bool) -> Answer:
    words = order.command.arguments
    everything = bool(words) and words[0].lower() in ("everything", "all")
    target = Target(reason=" ".join(words[1:])) if everything else _target(view, order)
    environment = EVERY if everything else _environment(view, order, target)
    decision = _decision(order, target) if stop else None
    _change(view, EVERY, environment, order, target, lambda i: dataclasses.replace(i, stop=decision))
    reached = tuple(
        (name, e.name)
        for name, file in view.apps.items()
        for e in file.app.deploy.environments
        if everything or e.name == environment
    )
    where = "everything" if everything else environment
    return Answer(True, f"Deployments to {where} are {'stopped until `/resume`' if stop else 'resumed'}.", reached)


def _break_glass(view: View, order: Order) -> Answer:
    """For the release that this promotion carries; it ends with the merge."""
    if not order.environment:
        raise Refused("This belongs on the pull request of a promotion.")
    reason = " ".join(order.command.arguments)
    if not reason:
        raise Refused("Say why: `/break-glass <reason>`. It is kept in the environment's history.")
    view.client.post(f"issues/{order.pull}/labels", {"labels": [names.LABEL_BREAK_GLASS]})
    decision = _decision(order, Target(reason=reason))
    _change(
        view,
        order.app,
        order.environment,
        order,
        Target(reason=reason),
        lambda i: dataclasses.replace(i, break_glass=decision),
    )
    return Answer(True, look_at=((order.app, order.environment),))


def _refresh(view: View, order: Order) -> Answer:
    if order.environment:
        return Answer(True, look_at=((order.app, order.environment),))
    return Answer(True, look_at=tuple((n, e.name) for n, f in view.apps.items() for e in f.app.deploy.environments))


def _help(_view: View, _order: Order) -> Answer:
    return Answer(True, commands.usage())


_HANDLERS: Mapping[str, Callable[[View, Order], Answer]] = {
    "hold": _hold,
    "unhold": _unhold,
    "promote": _promote,
    "rollback": _rollback,
    "reject": _reject,
    "stop": _stop,
    "resume": _resume,
    "break-glass": _break_glass,
    "refresh": _refresh,
    "help": _help,
}
WORDS = frozenset(_HANDLERS)


# --- what a command is about ------------------------------------------------------------------------
def _target(view: View, order: Order) -> Target:
    known = {e.name for file in view.apps.values() for e in file.app.deploy.environments}
    words = [w for w in order.command.arguments if w not in view.apps or w in known]
    return commands.target(Command(order.command.word, " ".join(words)), known)


def _app(view: View, order: Order) -> App:
    """The app that is named, or the one of the promotion it stands on, or the only one there is."""
    named = [w for w in order.command.arguments if w in view.apps]
    name = named[0] if named else order.app or (next(iter(view.apps)) if len(view.apps) == 1 else "")
    app = view.app(name)
    if app is None:
        known = ", ".join(sorted(view.apps)) or "none"
        raise Refused(f"Say which app is meant (there are: {known}): `/{order.command.word} <app> …`.")
    return app


def _environment(view: View, order: Order, target: Target) -> str:
    name = target.environment or order.environment
    if name:
        return name
    known = sorted({e.name for file in view.apps.values() for e in file.app.deploy.environments})
    how = commands.WORDS[order.command.word][0]
    raise Refused(f"Say which environment is meant (there are: {', '.join(known) or 'none'}): `{how}`.")


def find_release(view: View, app: str, said: str) -> Release:
    """The release that someone means: its name, its source commit (7 digits or more) or one of its tags.

    Raises :class:`Refused` when there is none, or more than one.
    """
    known = view.releases(app)
    found = [r for r in known if said == r.name or said in r.tags or r.ref == f"refs/tags/{said}"]
    found = found or [r for r in known if len(said) >= 7 and r.commit.startswith(said)]
    if not found:
        newest = ", ".join(f"`{r.name}`" for r in reversed(known[-5:])) or "none"
        raise Refused(f"There is no release `{said}` of {app}; the newest are: {newest}.")
    return found[-1]


def previous_release(view: View, app: str, environment: str) -> str | None:
    """What ran before what runs now, from the environment branch's log; rolled-back releases are passed over."""
    history = [r for c in view.history(app, environment) for r in values(c, names.TRAILER_RELEASE)]
    return next((r for r in history if r != history[0]), None) if history else None


def _decided_before(view: View, app: str, environment: str, order: Order) -> bool:
    """Whether this very command was carried out already; what is deployed may have changed since."""
    intent = view.decided(app, environment)
    return any(d is not None and (d.by, d.at) == (order.by, order.at) for d in (intent.pin, intent.request))


def _older_than_deployed(view: View, app: str, environment: str, chosen: Release, releases: list[Release]) -> bool:
    placed = view.deployed(app, environment)
    order = {r.name: i for i, r in enumerate(releases)}
    return placed is not None and order.get(placed.deployment.release, -1) > order[chosen.name]


def _before(app: App, environment: str) -> list[str]:
    declared = app.environment(environment)
    return list(declared.upstreams) if declared else []


def _has_run(view: View, app: str, environment: str, release: str, releases: list[Release]) -> bool:
    placed = view.deployed(app, environment)
    order = {r.name: i for i, r in enumerate(releases)}
    return placed is not None and order.get(placed.deployment.release, -1) >= order[release]


def _decision(order: Order, target: Target) -> Decision:
    return Decision(by=order.by, at=order.at, reason=target.reason)


def _change(
    view: View, app: str, environment: str, order: Order, target: Target, decide: Callable[[Intent], Intent]
) -> None:
    where = f"{app if app != EVERY else 'every app'} in {environment if environment != EVERY else 'every environment'}"
    why = f"\n\n{target.reason}" if target.reason else ""
    intents.change(
        view.git,
        environment,
        app,
        decide,
        message=f"{order.command.word}: {where}{why}\n\nPull-Request: #{order.pull}\n",
        by=_person(order.by),
        at=order.at,
    )


def _person(login: str) -> Person:
    return Person(login, f"{login}@users.noreply.github.com")
