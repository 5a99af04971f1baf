"""``ghapp schema``: the JSON Schema of a file that people write, for editors."""

from __future__ import annotations

import click


@click.command()
@click.argument("kind", default="app")
def schema(kind: str) -> None:
    """Print the JSON Schema of KIND: app (.ghapp.yml, the default), or a policy's kind such as Window."""
    from ghapp.cli.output import print_json, stop
    from ghapp.config.schema import SCHEMAS

    if kind not in SCHEMAS:
        stop(f"{kind!r} is not a kind of file; write one of {', '.join(SCHEMAS)}")
    print_json(SCHEMAS[kind]())
