"""`ghapp policy replay`: what these policies would have decided about past promotions."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ghapp.cli.policy_folder import as_json, period, with_now, with_policies

if TYPE_CHECKING:
    from policies.replay import Replayed


@click.command()
@click.option(
    "--facts", "source", type=click.Path(path_type=Path), required=True, help="Recorded promotions: .jsonl or a folder."
)
@click.option("--since", default="90d", callback=period, show_default=True, help="How far back.")
@with_policies
@click.option("--base", type=click.Path(path_type=Path), help="The policies to compare with: a folder or checkout.")
@with_now
@as_json
def replay(
    source: Path,
    since: timedelta,
    paths: tuple[Path, ...],
    organisation: Path | None,
    base: Path | None,
    now: datetime,
    as_json: bool,
) -> None:
    """Judge recorded promotions again, each at its own moment, and say which decisions would be others.

    Exit status 0 whatever changes: a changed decision may be what was wanted.
    """
    from ghapp.cli.output import print_json, print_table
    from ghapp.cli.policy_folder import policy_set, records
    from ghapp.cli.verdicts import as_data
    from policies.replay import replay as judge_again

    policies = policy_set(paths, organisation)
    old = policy_set((base,), organisation) if base else None
    found = judge_again(records(source), policies, base=old, since=now - since)
    changed = [r for r in found if r.changed]
    if as_json:
        rows = [
            {"id": r.record.id, "at": r.record.at, "before": r.before, "changed": r.changed, **as_data(r.gates)}
            for r in found
        ]
        print_json({"replayed": len(found), "changed": len(changed), "promotions": rows})
        return
    if changed:
        print_table(["at", "promotion", "was", "would be", "because"], [_row(r) for r in changed])
    click.echo(f"{len(found)} promotions replayed, {len(changed)} would be decided otherwise")


def _row(replayed: Replayed) -> list[str]:
    facts = replayed.record.facts
    what = f"{facts.app}: {facts.release.id} → {facts.environment.name}"
    return [
        f"{replayed.record.at:%Y-%m-%d %H:%M}",
        what,
        replayed.before or "pass",
        replayed.after.state,
        replayed.after.sentence,
    ]
