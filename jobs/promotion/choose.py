"""Which release an environment wants: the facts of the decision from the view, and its answer as a release."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ghapp import intents
from ghapp.config import AnyOf, App, Environment
from ghapp.evidence.release import Release
from jobs.promotion.view import View
from policies.gates.facts import Kind, Strategy
from policies.releases import Decision, Place, Situation, wanted


@dataclass(frozen=True)
class Choice:
    """``release`` is the one to have here, ``None`` where there is none to propose; the rest says why and by whom."""

    release: Release | None
    sentence: str
    kind: Kind = Kind.PROMOTION
    by: str | None = None
    reason: str = ""
    skipped: tuple[str, ...] = ()


def choose(view: View, app: App, environment: Environment, declined: Callable[[], frozenset[str]]) -> Choice:
    """Decide. ``declined`` costs a call, and is asked only where its answer could matter."""
    releases = view.releases(app.app)
    answer = wanted(situation(view, app, environment, releases, frozenset()))
    placed = view.deployed(app.app, environment.name)
    if answer.release is not None and (placed is None or answer.release != placed.deployment.release):
        answer = wanted(situation(view, app, environment, releases, declined()))
    found = next((r for r in releases if r.name == answer.release), None)
    return Choice(found, answer.sentence, answer.kind, answer.by, answer.reason, answer.skipped)


def situation(
    view: View, app: App, environment: Environment, releases: list[Release], declined: frozenset[str]
) -> Situation:
    """Everything that the decision is made of."""
    deployed = {e.name: p.deployment for e in app.deploy.environments if (p := view.deployed(app.app, e.name))}
    intent = view.decided(app.app, environment.name)
    return Situation(
        environment=environment.name,
        strategy=Strategy(environment.strategy),
        places={e.name: Place(e.upstreams, isinstance(e.after, AnyOf)) for e in app.deploy.environments},
        releases=tuple(r.name for r in releases),
        deployed={name: record.release for name, record in deployed.items()},
        no_ops={
            name: frozenset(r for r, same in view.no_ops(app.app, name).items() if same == record.release)
            for name, record in deployed.items()
        },
        rejected={name: r.reason or "no reason given" for (a, name), r in view.rejected.items() if a == app.app},
        declined=declined,
        pin=_decision(intent.pin),
        request=_decision(intent.request),
    )


def _decision(made: intents.Decision | None) -> Decision | None:
    if made is None:
        return None
    return Decision(release=made.release, by=made.by, at=made.at, kind=Kind(made.kind), reason=made.reason)
