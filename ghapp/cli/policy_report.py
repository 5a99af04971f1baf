"""`ghapp policy report`: what would be blocked today, and after each coming date, across all repositories."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from ghapp.cli.policy_folder import as_json, with_now, with_policies


@click.command()
@click.option(
    "--facts", "source", type=click.Path(path_type=Path), required=True, help="Recorded promotions: .jsonl or a folder."
)
@with_policies
@with_now
@as_json
def report(source: Path, paths: tuple[Path, ...], organisation: Path | None, now: datetime, as_json: bool) -> None:
    """List what findings and missing plugins block, now and once deadlines, waivers and exceptions have passed."""
    import dataclasses

    from ghapp.cli.output import print_json, print_table
    from ghapp.cli.policy_folder import policy_set, records
    from policies.report import report as blocked

    found = blocked(records(source), policy_set(paths, organisation), now)
    if as_json:
        print_json({"now": now, "blocked": [dataclasses.asdict(b) for b in found]})
        return
    if not found:
        click.echo("nothing is blocked, and nothing will be by a date that is known")
        return
    rows = [
        [
            "now" if b.since == now else f"{b.since:%Y-%m-%d %H:%M}",
            b.repository,
            b.app,
            b.environment,
            b.gate,
            b.sentence,
        ]
        for b in found
    ]
    print_table(["from", "repository", "app", "environment", "gate", "because"], rows)
