"""``ghapp sandbox``: everything on this machine, until Ctrl-C."""

from __future__ import annotations

import signal
import tempfile
import threading
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ghapp.sandbox.tree import Places


@click.command()
@click.option("--redis-url", default="", help="Use this Redis instead of starting one.")
@click.option("--kubeconfig", default="", type=click.Path(), help="Use this cluster instead of starting one.")
@click.option("--folder", type=click.Path(path_type=Path), help="Keep everything here; else a folder that is removed.")
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 32), help="Worker processes a queue.")
@click.option("--json", "as_json", is_flag=True, help="Print where everything is as one JSON object.")
def sandbox(redis_url: str, kubeconfig: str, folder: Path | None, workers: int, as_json: bool) -> None:
    """Start a GitHub, a cluster, a registry, Redis and ghapp itself, and say where each is.

    Ctrl-C (or SIGTERM) stops all of it and leaves no process. Nothing leaves this machine.
    """
    from ghapp.cli.output import print_json, stop
    from ghapp.sandbox.children import ChildError
    from ghapp.sandbox.tree import Sandbox

    done = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        done.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    with tempfile.TemporaryDirectory(prefix="ghapp-sandbox-", ignore_cleanup_errors=True) as temporary:
        tree = Sandbox(folder or Path(temporary), redis_url=redis_url, kubeconfig=kubeconfig, workers=workers)
        try:
            places = tree.start(lambda part: None if as_json else click.echo(f"starting {part} …", err=True))
            if as_json:
                print_json(places.to_json())
            else:
                _tell(places)
            while not done.wait(0.5):
                if child := tree.failed():
                    stop(f"the {child.name} has ended: {child.tail() or 'it printed nothing'}")
        except ChildError as e:
            if not done.is_set():
                stop(str(e))
        finally:
            tree.stop()


def _tell(places: Places) -> None:
    from ghapp.sandbox.tree import PEOPLE

    rows = [
        ("GitHub (forge)", places.forge),
        ("its API", places.api),
        ("ghapp's server", places.server),
        ("registry", places.registry),
        ("Redis", places.redis),
        ("cluster", f"kubectl --kubeconfig {places.kubeconfig} get all -A"),
        ("files, logs", places.folder),
    ]
    width = max(len(name) for name, _ in rows)
    for name, where in rows:
        click.echo(f"  {name.ljust(width)}  {where}")
    click.echo(f"\nThe organisation is {places.organisation}. Its people, and a token for each:")
    for login, (name, permission) in PEOPLE.items():
        click.echo(f"  {login.ljust(6)}  {name.ljust(16)}  {permission.ljust(8)}  {places.tokens[login]}")
    click.echo("\nCtrl-C stops everything.")
