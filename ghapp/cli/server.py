"""``ghapp server``: the web server, by granian."""

from __future__ import annotations

import click


@click.command()
@click.option("--host", help="Address to listen on; the settings' when absent.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 picks a free one.")
@click.option("--workers", type=click.IntRange(1, 64), help="Processes; the settings' when absent.")
def server(host: str | None, port: int | None, workers: int | None) -> None:
    """Receive webhooks, answer agents and serve the pages until stopped.

    It starts even while Redis or GitHub are away; /readyz says what is wrong.
    """
    from ghapp.cli.output import stop
    from ghapp.settings import SettingsError, load

    try:
        settings = load()
    except SettingsError as e:
        stop(str(e))
    from ghapp import logs
    from ghapp.web.serve import CannotListen, serve

    logs.configure(settings)
    try:
        serve(host or settings.host, settings.port if port is None else port, workers or settings.web_workers)
    except CannotListen as e:
        stop(str(e))
