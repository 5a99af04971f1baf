"""The command ``ghapp``: a list of commands, each in a file of its own that is imported only when it is used."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import click

# command → (module, attribute, one line of help). The line stands here so that `ghapp --help` imports nothing.
COMMANDS: dict[str, tuple[str, str, str]] = {
    "demo": ("ghapp.cli.demo", "demo", "Watch one push travel from commit to production, on this machine."),
    "sandbox": (
        "ghapp.cli.sandbox",
        "sandbox",
        "Start a GitHub, a cluster, a registry and ghapp itself, on this machine.",
    ),
    "server": ("ghapp.cli.server", "server", "Receive webhooks and serve the pages."),
    "worker": ("ghapp.cli.worker", "worker", "Reconcile, build, scan and promote."),
    "agent": ("ghapp.cli.agent", "agent", "Make a cluster equal to an environment branch."),
    "validate": (
        "ghapp.cli.validate",
        "validate",
        "Check .ghapp.yml and policy files: every problem, its line, its fix.",
    ),
    "schema": ("ghapp.cli.schema", "schema", "Print the JSON Schema of a file that people write."),
    "settings": ("ghapp.cli.settings", "settings", "List every setting, its value and where it comes from."),
    "status": ("ghapp.cli.status", "status", "What runs where: apps by environments, from Git alone."),
    "promote": ("ghapp.cli.command", "promote", "Ask for a release to be promoted to an environment."),
    "rollback": ("ghapp.cli.command", "rollback", "Ask for an environment to go back to an earlier release."),
    "hold": ("ghapp.cli.command", "hold", "Hold an environment, or lift the hold."),
    "policy": ("ghapp.cli.policy", "policy", "Evaluate, explain, test and replay policies."),
    "windows": ("ghapp.cli.windows", "windows", "Show the blackout and maintenance windows that are coming."),
}


class Commands(click.Group):
    """A group that knows its commands by name alone."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, _, line) in COMMANDS.items()])

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as e:
            import difflib

            close = difflib.get_close_matches(args[0], COMMANDS, n=1)
            fix = f"Did you mean {close[0]!r}?" if close else "`ghapp --help` lists them."
            raise click.UsageError(f"{e.message} {fix}", ctx) from None


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from ghapp import __version__

        click.echo(f"ghapp {__version__}")
        ctx.exit()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version)
def main() -> None:
    """Deliver software from GitHub to Kubernetes, entirely from pull requests."""


if __name__ == "__main__":
    sys.exit(main())
