"""`ghapp windows`: the blackout and maintenance windows that are coming, as a table or as a calendar."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ghapp.cli.policy_folder import as_json, period, with_now, with_policies

if TYPE_CHECKING:
    from policies.window import Occurrence


@click.command()
@click.option("--next", "horizon", default="90d", callback=period, show_default=True, help="How far to look ahead.")
@with_policies
@with_now
@click.option("--repository", default="", help="Only windows for this repository, owner/name.")
@click.option("--app", default="", help="Only windows for this app.")
@click.option("--environment", default="", help="Only windows for this environment.")
@click.option("--ics", is_flag=True, help="Print an iCalendar text to import or subscribe to.")
@as_json
def windows(
    horizon: timedelta,
    paths: tuple[Path, ...],
    organisation: Path | None,
    now: datetime,
    repository: str,
    app: str,
    environment: str,
    ics: bool,
    as_json: bool,
) -> None:
    """Show every window that is open or opens soon, in order of time."""
    from ghapp.cli.output import print_json, print_table, stop
    from ghapp.cli.policy_folder import policy_set
    from policies.policy import Policy
    from policies.window import to_ics, upcoming

    policies = policy_set(paths, organisation)
    if problems := list(policies.problems("Window")):
        stop("; ".join(map(str, problems)))

    def wanted(policy: Policy) -> bool:
        asked = {"repositories": repository, "apps": app, "environments": environment}
        return all(policy.scope.names(key, value) for key, value in asked.items() if value)

    found = upcoming([p for p in policies.of("Window") if wanted(p)], now, horizon)
    if ics:
        click.echo(to_ics(found, now=now), nl=False)
    elif as_json:
        print_json(
            [
                {
                    "name": o.policy.name,
                    "type": o.policy.body.type,
                    "start": o.span.start,
                    "end": o.span.end,
                    "timezone": o.policy.body.timezone,
                    "message": o.policy.body.message,
                    "scope": o.policy.scope.model_dump(),
                    "origin": o.policy.origin,
                    "file": o.policy.file,
                }
                for o in found
            ]
        )
    elif not found:
        click.echo("no window is open or opens in that time")
    else:
        rows = [_row(o) for o in found]
        print_table(["from", "until", "type", "window", "where", "message"], rows)


def _row(occurrence: Occurrence) -> list[str]:
    from policies.window.judge import say

    policy, span = occurrence.policy, occurrence.span
    start, end = (say(moment, policy.body.timezone) for moment in span)
    return [start, end, policy.body.type, policy.name, str(policy.scope), policy.body.message]
