"""`ghapp policy simulate`: what if someone approved, or the hour were another? Changes only facts."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ghapp.cli.policy_folder import as_json, with_now, with_policies

if TYPE_CHECKING:
    from policies.gates.facts import Promotion


@click.command()
@click.option(
    "--facts", "facts_file", type=click.Path(path_type=Path), required=True, help="A promotion's facts, JSON."
)
@with_policies
@with_now
@click.option("--approve", multiple=True, metavar="LOGIN", help="As if LOGIN had approved the head.")
@click.option("--ignore", multiple=True, metavar="LOGIN", help="As if LOGIN had reviewed nothing.")
@click.option("--kind", type=click.Choice(["promotion", "rollback", "hotfix"]), help="As if it were one of these.")
@click.option("--by", metavar="LOGIN", help="As if LOGIN had asked for it.")
@click.option("--environment", metavar="NAME", help="As if it went to another environment (with the same settings).")
@as_json
def simulate(
    facts_file: Path,
    paths: tuple[Path, ...],
    organisation: Path | None,
    now: datetime,
    approve: tuple[str, ...],
    ignore: tuple[str, ...],
    kind: str | None,
    by: str | None,
    environment: str | None,
    as_json: bool,
) -> None:
    """Judge a promotion as it is and as it would be."""
    from ghapp.cli.output import print_json, print_table
    from ghapp.cli.policy_folder import policy_set, promotion
    from ghapp.cli.verdicts import as_data
    from policies.gates import judge, ready
    from policies.gates.facts import Kind, Review

    policies, facts = policy_set(paths, organisation), promotion(facts_file)
    reviews = [r for r in facts.reviews if r.author not in ignore]
    reviews += [Review(author=who, state="APPROVED", commit=facts.head_sha, submitted_at=now) for who in approve]
    other: Promotion = dataclasses.replace(
        facts,
        reviews=tuple(reviews),
        kind=Kind(kind) if kind else facts.kind,
        requested_by=by or facts.requested_by,
        environment=dataclasses.replace(facts.environment, name=environment or facts.environment.name),
    )
    before, after = judge(facts, policies, now), judge(other, policies, now)
    if as_json:
        print_json({"before": as_data(before), "after": as_data(after)})
        return
    rows = []
    both = {"ready": (ready(before), ready(after))} | {n: (before.get(n), after.get(n)) for n in {**before, **after}}
    for name, (was, would) in both.items():
        rows.append([name, was.state if was else "—", would.state if would else "—", would.sentence if would else ""])
    print_table(["gate", "is", "would be", "because"], rows)
