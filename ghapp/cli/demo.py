"""``ghapp demo``: the story on a terminal, or as plain lines, or as one JSON object."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ghapp.sandbox.demo import Result
    from ghapp.sandbox.tree import Places


@click.command()
@click.option("--keep", is_flag=True, help="Leave everything running afterwards, to look at; Ctrl-C ends it.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object at the end.")
@click.option("--redis-url", default="", help="Use this Redis instead of starting one.")
@click.option("--kubeconfig", default="", type=click.Path(), help="Use this cluster instead of starting one.")
def demo(keep: bool, as_json: bool, redis_url: str, kubeconfig: str) -> None:
    """Watch one push travel from commit to production, a bad one being stopped, and a rollback.

    Needs no account, no cluster and no server of anyone's; about a minute.
    """
    from ghapp.cli.output import print_json, stop
    from ghapp.sandbox.children import ChildError
    from ghapp.sandbox.demo import DemoError, Story
    from ghapp.sandbox.tree import Sandbox

    say = _Lines(quiet=as_json)
    with tempfile.TemporaryDirectory(prefix="ghapp-demo-", ignore_cleanup_errors=True) as folder:
        sandbox = Sandbox(Path(folder), redis_url=redis_url, kubeconfig=kubeconfig)
        try:
            places = sandbox.start(lambda part: say("start", part))
            result = Story(sandbox, places, say).tell()
            say.close()
            print_json(result.to_json()) if as_json else _summary(result, places, keep)
            while keep and not sandbox.failed():
                time.sleep(0.5)
        except (ChildError, DemoError) as e:
            say.close()
            stop(f"{e}\nThe logs of all parts are in {_keep_logs(Path(folder))}")
        except KeyboardInterrupt:
            click.echo("\nstopping …", err=True)
        finally:
            say.close()
            sandbox.stop()


def _keep_logs(folder: Path) -> str:
    """Copy them to where they outlive the demo."""
    kept = tempfile.mkdtemp(prefix="ghapp-demo-logs-")
    shutil.copytree(folder / "logs", kept, dirs_exist_ok=True)
    return kept


class _Lines:
    """The story line by line, with the seconds since the start; on a terminal, what is waited for turns below it."""

    def __init__(self, *, quiet: bool) -> None:
        self.started, self.quiet = time.monotonic(), quiet
        self._status: Any = None
        if not quiet and sys.stdout.isatty():
            from rich.console import Console

            self._status = Console(highlight=False).status("starting …")
            self._status.start()

    def __call__(self, what: str, detail: str) -> None:
        if self.quiet:
            return
        seconds = f"{time.monotonic() - self.started:5.1f} s"
        if self._status is None:
            click.echo(f"{seconds}  {what.ljust(28)}{detail}")
            return
        from rich.text import Text

        line = Text.assemble((f"{seconds}  ", "dim"), (what.ljust(28), _colour(what, detail)), detail)
        self._status.console.print(line)
        self._status.update(f"after {what} …")

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self._status is not None:
            self._status.stop()


def _colour(what: str, detail: str) -> str:
    if what == "stopped" or detail.startswith("failure"):
        return "red"
    if " waits: " in detail:
        return "yellow"
    return "green" if "healthy" in detail or "back" in detail or detail.startswith("success") else "cyan"


def _summary(result: Result, places: Places, keep: bool) -> None:
    from ghapp.cli.output import print_table

    click.echo()
    digest = result.image_digest.removeprefix("sha256:")[:9]
    rows = [
        (
            e["name"],
            result.release,
            digest,
            f"#{e['pull_request']}",
            ", ".join(e["approved_by"]) or "–",
            e["deployment_state"],
            f"{e['seconds']:.1f}",
        )
        for e in result.environments
    ]
    back = result.rollback
    rows.append(("prod", back["release"], "", f"#{back['pull_request']}", "–", "rolled back", ""))
    columns = ("environment", "release", "image", "pull", "approved by", "state", "seconds")
    print_table(columns, rows)
    click.echo(f"\nStopped on the way: {result.blocked['check']} — {result.blocked['reason']}")
    click.echo(f"Everything took {result.seconds:.0f} s, on real git, a real Redis, real HTTP and real processes.")
    if keep:
        click.echo(f"\nLook around: {places.forge}/{places.organisation}/guestbook   (Ctrl-C ends it)")
        for e in result.environments:
            click.echo(f"  {e['name'].ljust(8)} {e['url']}")
    else:
        click.echo("`ghapp demo --keep` leaves it running, with pages to look at.")
