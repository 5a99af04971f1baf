"""What `ghapp agent` does with its options: checks them, runs, prints, and chooses the exit code."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import fields, replace
from typing import Any

from ghapp.agent.environment import Environment
from ghapp.agent.kube.config import ConfigError, load
from ghapp.agent.once import once
from ghapp.agent.report import Outcome
from ghapp.agent.server import ServerError
from ghapp.agent.surroundings import Surroundings
from ghapp.cli.output import print_json, stop


def run(options: dict[str, Any]) -> int:
    """Run the agent; the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    if not (options["once"] or options["plan"] or options["delete"]):
        return _for_good(options)
    logging.getLogger().setLevel(logging.WARNING)
    environment = environment_of(options)
    try:
        access = load(options["kubeconfig"], options["context_"])
        outcome = _loop(once(environment, access, _around(options)))
    except (ConfigError, ServerError, OSError) as e:
        outcome = Outcome(environment.name, stopped=str(e))
    except Exception as e:  # whatever happens, scripts get their one JSON object
        logging.getLogger("ghapp.agent").exception("the pass broke")
        outcome = Outcome(environment.name, stopped=f"the agent broke: {type(e).__name__}: {e}")
    show(outcome, as_json=options["as_json"])
    return 0 if outcome.ok else 1


def _around(options: dict[str, Any]) -> Surroundings:
    names = [f.name for f in fields(Surroundings)]
    return Surroundings(**{name: options[name] for name in names})


def _for_good(options: dict[str, Any]) -> int:
    from ghapp.agent import config_file
    from ghapp.agent.serve import serve

    around = _around(options)
    try:
        if options["config"]:
            file = config_file.read(options["config"])
            environments = [entry.environment() for entry in file.environments]
            token = options["server_token_file"] or file.server_token_file
            around = replace(around, server=around.server or file.server, server_token_file=token)
        else:
            environments = [environment_of(options)]
        _loop(serve(environments, load(options["kubeconfig"], options["context_"]), around))
    except (ConfigError, config_file.ConfigFileError, ServerError) as e:
        stop(str(e))
    return 0


def _loop(work: Any) -> Any:
    try:
        import uvloop
    except ImportError:
        return asyncio.run(work)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def environment_of(options: dict[str, Any]) -> Environment:
    """The environment that the command line names; ends the command where something is missing."""
    for name in ("repo", "branch", "namespace"):
        if not options[name]:
            stop(f"--{name} is missing", status=2)
    account = options["service_account"]
    if "/" in account or ":" in account:
        stop(f"--service-account {account!r}: name an account of the namespace itself, not of another one", status=2)
    return Environment(
        repo=options["repo"],
        branch=options["branch"].removeprefix("refs/heads/"),
        namespace=options["namespace"],
        verify=options["verify"],
        keys=tuple(options["keys"]),
        apps=tuple(options["apps"]),
        depends_on=_depends_on(options),
        service_account=account,
        wait=not options["no_wait"],
        timeout=options["timeout"],
        heal=not options["no_heal"],
        suspend=options["suspend"],
        delete=options["delete"],
        plan=options["plan"],
        allow_prune=options["allow_prune"],
        prune_percent=options["prune_limit"],
        interval=options["interval"],
    )


def _depends_on(options: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for entry in options["depends_on"]:
        app, equals, others = entry.partition("=")
        if not app or not equals or not others:
            stop(f"--depends-on {entry!r}: say APP=OTHER, such as web=database", status=2)
        found[app] = (*found.get(app, ()), *filter(None, others.split(",")))
    return found


def print_manifests(options: dict[str, Any]) -> None:
    """Print the resources for another engine."""
    import click
    import yaml

    from ghapp.agent.manifests import ENGINES
    from ghapp.agent.manifests.interface import Request

    request = Request(
        repo=options["repo"],
        branch=options["branch"].removeprefix("refs/heads/"),
        namespace=options["namespace"],
        apps=tuple(options["apps"]),
        depends_on=_depends_on(options),
        secret=options["secret"],
        own_namespace=options["engine_namespace"],
        service_account=options["service_account"],
        sops_secret=options["sops_secret"],
        project=options["project"],
        cluster=options["cluster"],
    )
    written = ENGINES[options["engine"]](request)
    if options["as_json"]:
        print_json(written)
    else:
        click.echo(yaml.safe_dump_all(written, sort_keys=False, explicit_start=True, width=1000), nl=False)


def show(outcome: Outcome, *, as_json: bool) -> None:
    """Print what came of a pass: one JSON object, or lines for a person."""
    import click

    if as_json:
        print_json(outcome.as_json())
        return
    if outcome.plan is not None:
        click.echo(outcome.plan or "nothing would change", nl=not outcome.plan)
    for drift in outcome.drift:
        by = f" by {', '.join(drift.managers)}" if drift.managers else ""
        click.echo(f"drift: {drift.object}: {', '.join(drift.fields)}{by}")
    for conflict in outcome.conflicts:
        click.echo(f"taken over: {conflict.object}: {conflict.message}")
    for failure in outcome.errors():
        click.echo(
            click.style("error: ", fg="red") + f"{failure.object}: {failure.message}".removeprefix(": "), err=True
        )
    if outcome.ok and outcome.plan is None:
        said = f"{len(outcome.created)} created, {len(outcome.changed)} changed, {len(outcome.pruned)} pruned"
        click.echo(f"{outcome.environment} is at {outcome.sha[:12]}: {outcome.objects} objects, {said}")
