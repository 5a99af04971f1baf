"""`ghapp policy explain`: why a promotion waits, gate by gate, from its pull request or from recorded facts."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from ghapp.cli.policy_folder import as_json, with_now, with_policies


@click.command()
@click.argument("pull_request", required=False, metavar="[OWNER/REPOSITORY#NUMBER]")
@click.option("--facts", "facts_file", type=click.Path(path_type=Path), help="A promotion's facts, JSON.")
@with_policies
@with_now
@click.option("--details", is_flag=True, help="Also what each gate's check says in full.")
@as_json
def explain(
    pull_request: str | None,
    facts_file: Path | None,
    paths: tuple[Path, ...],
    organisation: Path | None,
    now: datetime,
    details: bool,
    as_json: bool,
) -> None:
    """Say what a promotion waits for and when that may change.

    With a pull request: what ghapp has last said of its head on GitHub, read with the app's own key (`ghapp settings`).
    With --facts: judged here and now by the policies given, and nobody is asked.
    """
    from ghapp.cli.output import print_json, stop
    from ghapp.cli.policy_folder import policy_set, promotion
    from ghapp.cli.promotion_checks import verdicts as verdicts_of
    from ghapp.cli.verdicts import as_data, show
    from policies.gates.registry import judge

    if (pull_request is None) == (facts_file is None):
        stop("say what to explain: a pull request as owner/repository#number, or --facts FILE", status=2)
    if facts_file is not None:
        facts = promotion(facts_file)
        title = f"{facts.app}: {facts.release.id} → {facts.environment.name} ({facts.kind})"
        verdicts = judge(facts, policy_set(paths, organisation), now)
    else:
        title = pull_request or ""
        verdicts = verdicts_of(title)
    if as_json:
        print_json(as_data(verdicts))
        return
    click.echo(title)
    show(verdicts)
    for name, verdict in verdicts.items() if details else ():
        if verdict.details:
            click.echo(f"\n{name}\n{verdict.details}")
