"""`ghapp policy schema`: the JSON Schema of a policy file, a facts file, or a line of a batch."""

from __future__ import annotations

import click


@click.command()
@click.argument("kind", default="policy", type=click.Choice(["policy", "facts", "case"]))
def schema(kind: str) -> None:
    """Print the JSON Schema of KIND: policy (the default), facts, or case (a line of a batch)."""
    from ghapp.approvals.schema import SCHEMAS
    from ghapp.cli.output import print_json

    print_json(SCHEMAS[kind]())
