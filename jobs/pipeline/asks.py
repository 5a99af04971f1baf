"""What people pressed and said about a commit's runs, as wishes: each looked at once, its author's permission first."""

from __future__ import annotations

from collections.abc import Mapping

from ghapp.github.checks import CheckRun
from ghapp.github.client import RepositoryClient
from ghapp.github.people import People
from jobs.pipeline.decide import Verb, Wish
from jobs.pipeline.order import parse_run
from jobs.reconcile import Context
from jobs.subjects import Ask

_SEEN = 3 * 86_400  # seconds that a delivery is remembered, as long as it can come again
_AFRESH = "no-cache"  # `/test web no-cache`
_COMMANDS: dict[str, Verb] = {"test": "test", "retest": "retest", "cancel": "cancel"}
_CHECKED_BEFORE = ("command", "dispatch")  # by the comment's reconcile, and by GitHub itself


def wish_for(context: Context, client: RepositoryClient, app: str, present: Mapping[str, CheckRun]) -> Wish | None:
    """The newest wish about one app that its author may have; ``None`` for none."""
    found = None
    for ask in context.asks:
        wish = _wish(ask, app, present)
        if wish is not None and _may(context, client, ask) and _first_time(context, ask, app):
            found = wish
    return found


def _wish(ask: Ask, app: str, present: Mapping[str, CheckRun]) -> Wish | None:
    if ask.verb == "command":
        words = str(ask.data.get("rest", "")).split()
        verb, afresh = _COMMANDS.get(ask.about), _AFRESH in words
        apps = [word for word in words if word != _AFRESH]
        return Wish(verb, ask.sender, afresh=afresh) if verb and (not apps or apps[0] == app) else None
    if ask.verb == "dispatch":
        payload = ask.data.get("client_payload") or {}
        given = payload.get("inputs") or {}
        inputs = given if isinstance(given, dict) else {"inputs": given}
        return Wish("test", ask.sender, inputs=inputs) if payload.get("app", app) == app else None
    if ask.verb == "rerun_failed":
        return Wish("retest", ask.sender)
    run = parse_run(ask.about)
    if run is None or run[2] != app or ask.verb not in ("rerun", "action"):
        return None
    if ask.verb == "action" and ask.data.get("identifier") == "cancel":
        return Wish("cancel", ask.sender)
    if ask.verb == "action" and ask.data.get("identifier") != "rerun":
        return None
    stage = _stage(ask, present)
    return Wish("rerun", ask.sender, stage, ask.about) if stage else None


def _stage(ask: Ask, present: Mapping[str, CheckRun]) -> str:
    """The stage of the check run that was pressed; by its name or, without one, the only one of that run."""
    of_run = [check.name for check in present.values() if check.external_id == ask.about]
    name = str(ask.data.get("name") or (of_run[0] if len(of_run) == 1 else ""))
    return name.rpartition(" / ")[2]


def _may(context: Context, client: RepositoryClient, ask: Ask) -> bool:
    if ask.verb in _CHECKED_BEFORE:
        return True
    people = People(context.github.store, context.github.for_installation(client.installation))
    return bool(ask.sender) and people.at_least(client, ask.sender, "write")


def _first_time(context: Context, ask: Ask, app: str) -> bool:
    """An ask may come twice; reruns are told apart by the run that they name, the others by their delivery."""
    if ask.verb in ("rerun", "action") or not ask.delivery:
        return True
    return bool(context.queue.redis.set(f"ghapp:asked:{ask.delivery}:{app}", "1", nx=True, ex=_SEEN))
