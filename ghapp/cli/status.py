"""``ghapp status``: apps by environments, read from Git alone."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("repository", default=".")
@click.option(
    "--verify-key",
    "keys",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False),
    help="Public key (PEM) that records must be signed with; may be given several times.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def status(repository: str, keys: tuple[str, ...], as_json: bool) -> None:
    """What runs where. REPOSITORY is a path or URL that git can fetch (your own credentials are used)."""
    from ghapp.cli.output import print_json, print_table, stop
    from ghapp.git import GitError
    from ghapp.status import StatusError, read_status

    try:
        rows = read_status(repository, [Path(k).read_bytes() for k in keys])
    except (StatusError, GitError) as e:
        stop(str(e))
    if as_json:
        print_json({"repository": repository, "deployed": [row.to_json() for row in rows]})
        return
    if not rows:
        click.echo("nothing is deployed: there is no environment branch env/* with a record of ghapp's")
        return
    columns = ("app", "environment", "release", "source", "image", "since", "how", "approved by")
    print_table(columns, [row.cells() for row in rows])
