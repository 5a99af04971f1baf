"""``ghapp settings``: every setting, its value, where that came from, and what it means."""

from __future__ import annotations

from typing import Any

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--markdown", is_flag=True, help="Print the table of docs/settings.md.")
def settings(as_json: bool, markdown: bool) -> None:
    """List every setting, its value and where it comes from. Secrets are never shown."""
    from pydantic_core import PydanticUndefined

    from ghapp.cli.output import print_json, print_table, stop
    from ghapp.settings import PREFIX, Settings, SettingsError, is_secret, load_with_origins, without_password

    if markdown:
        click.echo(reference())
        return
    try:
        values, origins = load_with_origins()
    except SettingsError as e:
        stop(str(e))
    rows = []
    for name, field in Settings.model_fields.items():
        value = getattr(values, name)
        shown: Any = _masked(value) if is_secret(name) else value
        if name == "redis_url":
            shown = without_password(value)
        rows.append(
            {
                "name": name,
                "variable": PREFIX + name.upper(),
                "value": _plain(shown),
                "source": origins[name],
                "default": None if field.default is PydanticUndefined else _plain(_masked(field.default, name)),
                "secret": is_secret(name),
                "description": field.description or "",
            }
        )
    if as_json:
        print_json({"settings": rows})
        return
    print_table(
        ("variable", "value", "from", "meaning"),
        [(r["variable"], _text(r["value"]), r["source"], r["description"]) for r in rows],
    )


def reference() -> str:
    """The table of settings for the documentation, in Markdown."""
    from ghapp.settings import PREFIX, Settings, may_be_file

    lines = ["| variable | default | meaning |", "| --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        variable = f"`{PREFIX}{name.upper()}`" + (f"<br>`{PREFIX}{name.upper()}_FILE`" if may_be_file(name) else "")
        default = _text(_plain(field.default))
        lines.append(f"| {variable} | {f'`{default}`' if default else ''} | {field.description} |")
    return "\n".join(lines)


def _masked(value: Any, name: str = "") -> Any:
    """What may be shown of a secret: whether there is one, or how many."""
    from ghapp.settings import is_secret

    if name and not is_secret(name):
        return value
    if isinstance(value, tuple):
        return f"({len(value)} set)" if value else ""
    return "(set)" if value else ""


def _plain(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, str | int | bool | None):
        return value
    return str(value)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
