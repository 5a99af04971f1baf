"""`ghapp policy …`: what policies say, on a laptop as on the server. Each command is a file of its own.

The group knows its commands by name alone, so that asking for help imports none of them.
"""

from __future__ import annotations

import importlib

import click

# command → (module, attribute, one line of help)
COMMANDS: dict[str, tuple[str, str, str]] = {
    "evaluate": ("ghapp.cli.policy_evaluate", "evaluate", "Judge a pull request from a facts file, or many at once."),
    "facts": ("ghapp.cli.policy_facts", "facts", "Write the facts of a pull request from GitHub."),
    "validate": ("ghapp.cli.policy_validate", "validate", "Check policy files: every problem, its line, its fix."),
    "test": ("ghapp.cli.policy_test", "test", "Run the test cases beside the policies."),
    "explain": ("ghapp.cli.policy_explain", "explain", "Say what a promotion waits for, and when that may change."),
    "simulate": ("ghapp.cli.policy_simulate", "simulate", "Judge a promotion as it would be otherwise."),
    "replay": ("ghapp.cli.policy_replay", "replay", "Judge past promotions again by other policies."),
    "report": ("ghapp.cli.policy_report", "report", "List what is blocked today and after each coming date."),
    "schema": ("ghapp.cli.policy_schema", "schema", "Print the JSON Schema of policy or facts files."),
}


class PolicyCommands(click.Group):
    """A group whose commands are imported when they are used."""

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


@click.group(cls=PolicyCommands)
def policy() -> None:
    """Evaluate, explain, test and replay policies."""
