"""``ghapp promote``, ``rollback`` and ``hold``: the commands of a pull request, given from a terminal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click


def _options(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(
        (
            click.option("--repo", default="", help="owner/name; the checkout's origin when absent."),
            click.option("--app", default="", help="The app, where the repository has several."),
            click.option("--reason", default="", help="Why; it is kept in the environment's history."),
            click.option("--wait", default=20.0, show_default=True, help="Seconds to wait for the answer."),
            click.option("--json", "as_json", is_flag=True, help="Print one JSON object."),
        )
    ):
        command = option(command)
    return command


@click.command()
@click.argument("release", required=False, default="")
@click.option("--to", "environment", required=True, help="The environment.")
@_options
def promote(release: str, environment: str, **options: Any) -> None:
    """Carry RELEASE (a name, source commit or tag; the newest when absent) into an environment.

    The same as writing `/promote` on its pull request, with your own GitHub account: it needs GH_TOKEN, GITHUB_TOKEN
    or a signed-in `gh`.
    """
    _give("promote", [options["app"], release, "to", environment], environment, **options)


@click.command()
@click.argument("environment")
@click.option("--to", "release", default="", help="The release to go back to; the one before when absent.")
@_options
def rollback(environment: str, release: str, **options: Any) -> None:
    """Take ENVIRONMENT back to an earlier release, and hold it there."""
    to = ["to", release] if release else []
    _give("rollback", [options["app"], environment, *to], environment, **options)


@click.command()
@click.argument("environment")
@click.option("--lift", is_flag=True, help="Lift the hold instead.")
@_options
def hold(environment: str, lift: bool, **options: Any) -> None:
    """Hold ENVIRONMENT: nothing newer goes in until the hold is lifted."""
    _give("unhold" if lift else "hold", [options["app"], environment], environment, **options)


def _give(
    word: str, arguments: list[str], environment: str, *, repo: str, app: str, reason: str, wait: float, as_json: bool
) -> None:
    from ghapp import asking
    from ghapp.cli.output import print_json, stop

    text = " ".join(part for part in (f"/{word}", *arguments, " ".join(reason.split())) if part)
    try:
        asker = asking.Asker(repo or asking.repository_here(), api=asking.api(), token=asking.token())
        answer = asker.ask(text, environment, wait=wait)
    except asking.AskError as e:
        stop(str(e))
    if as_json:
        print_json({"command": text, **{f: getattr(answer, f) for f in answer.__slots__}, "app": app or None})
    else:
        said = {"done": "done", "refused": "refused", "waiting": "given; ghapp has not answered yet"}[answer.state]
        click.echo(f"{text}: {said} ({answer.comment})")
        if answer.words:
            click.echo(answer.words)
    raise SystemExit(1 if answer.state == "refused" else 0)
