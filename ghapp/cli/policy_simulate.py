"""`ghapp policy simulate`: what if someone approved, or the hour were another? Changes only facts, never rules.

Of a promotion by every gate, or (with --policy) of any pull request by an approval policy.
"""

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
@click.option("--facts", "file", type=click.Path(path_type=Path), required=True, help="The facts, JSON.")
@click.option("--policy", "policy_file", type=click.Path(path_type=Path), help="A .policy.yml: judge a pull request.")
@with_policies
@with_now
@click.option("--approve", multiple=True, metavar="LOGIN", help="As if LOGIN had approved the head.")
@click.option("--ignore", multiple=True, metavar="LOGIN", help="As if LOGIN had reviewed and commented nothing.")
@click.option("--comment", multiple=True, metavar="LOGIN=TEXT", help="With --policy: as if LOGIN had written TEXT.")
@click.option("--base", default="", metavar="BRANCH", help="With --policy: as if it went into BRANCH.")
@click.option("--kind", type=click.Choice(["promotion", "rollback", "hotfix"]), help="As if it were one of these.")
@click.option("--by", metavar="LOGIN", help="As if LOGIN had asked for the promotion.")
@click.option("--environment", metavar="NAME", help="As if it went to another environment (with the same settings).")
@as_json
def simulate(
    file: Path,
    policy_file: Path | None,
    paths: tuple[Path, ...],
    organisation: Path | None,
    now: datetime,
    approve: tuple[str, ...],
    ignore: tuple[str, ...],
    comment: tuple[str, ...],
    base: str,
    kind: str | None,
    by: str | None,
    environment: str | None,
    as_json: bool,
) -> None:
    """Judge a promotion, or a pull request, as it is and as it would be."""
    from ghapp.cli.output import stop
    from policies.gates.facts import Kind, Review

    if policy_file is not None:
        _pull_request(file, policy_file, now, approve, ignore, comment, base, as_json=as_json)
        return
    if comment or base:
        stop("--comment and --base are for pull requests: name their policy with --policy", status=2)
    from ghapp.cli.policy_folder import promotion

    facts = promotion(file)
    reviews = [r for r in facts.reviews if r.author not in ignore]
    reviews += [Review(author=who, state="APPROVED", commit=facts.head_sha, submitted_at=now) for who in approve]
    other = dataclasses.replace(
        facts,
        reviews=tuple(reviews),
        kind=Kind(kind) if kind else facts.kind,
        requested_by=by or facts.requested_by,
        environment=dataclasses.replace(facts.environment, name=environment or facts.environment.name),
    )
    _promotion(facts, other, paths, organisation, now, as_json=as_json)


def _promotion(
    facts: Promotion,
    other: Promotion,
    paths: tuple[Path, ...],
    organisation: Path | None,
    now: datetime,
    *,
    as_json: bool,
) -> None:
    from ghapp.cli.output import print_json, print_table
    from ghapp.cli.policy_folder import policy_set
    from ghapp.cli.verdicts import as_data
    from policies.gates.registry import judge, ready

    policies = policy_set(paths, organisation)
    before, after = judge(facts, policies, now), judge(other, policies, now)
    if as_json:
        print_json({"before": as_data(before), "after": as_data(after)})
        return
    rows = []
    both = {"ready": (ready(before), ready(after))} | {n: (before.get(n), after.get(n)) for n in {**before, **after}}
    for name, (was, would) in both.items():
        rows.append([name, was.state if was else "—", would.state if would else "—", would.sentence if would else ""])
    print_table(["gate", "is", "would be", "because"], rows)


def _pull_request(
    file: Path,
    policy_file: Path,
    now: datetime,
    approve: tuple[str, ...],
    ignore: tuple[str, ...],
    comment: tuple[str, ...],
    base: str,
    *,
    as_json: bool,
) -> None:
    import json

    from ghapp.approvals import factsfile
    from ghapp.cli.output import print_json, stop
    from policies.approval import explain
    from policies.approval.actors import Actors
    from policies.approval.case import CannotJudge
    from policies.approval.facts import Comment, Review
    from policies.approval.judge import judge
    from policies.approval.simulate import Simulation
    from policies.approval.simulate import simulate as changed

    said = [c.partition("=") for c in comment]
    if wrong := next((who for who, equals, _ in said if not (who and equals)), None):
        stop(f"--comment {wrong!r}: write LOGIN=TEXT", status=2)
    try:
        policy = policy_file.read_text("utf-8-sig")
        facts = factsfile.parse(json.loads(file.read_bytes()))
        simulation = Simulation(
            ignore_comments=Actors(users=ignore),
            ignore_reviews=Actors(users=ignore),
            add_comments=tuple(Comment(who, text, now) for who, _, text in said),
            add_reviews=tuple(Review(who, "APPROVED", "", now, commit_oid=facts.head_sha) for who in approve),
            base_branch=base,
        )
        before, after = judge(policy, facts, now), judge(policy, changed(facts, simulation, now), now)
    except (OSError, ValueError, RecursionError, CannotJudge) as e:
        stop(str(e))
    if as_json:
        print_json({"before": before.to_json(), "after": after.to_json()})
        return
    click.echo(f"as it is\n{explain.text(before)}\n\nas it would be\n{explain.text(after)}")
