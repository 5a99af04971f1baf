"""``ghapp worker``: reconciles, pipelines and the clock, each in a process of its own."""

from __future__ import annotations

import click


@click.command()
@click.option(
    "--queues",
    default="reconcile,pipeline",
    show_default=True,
    help="What to work on, separated by commas: reconcile, pipeline.",
)
@click.option("--concurrency", type=click.IntRange(1, 256), help="Processes for each queue; the settings' when absent.")
def worker(queues: str, concurrency: int | None) -> None:
    """Reconcile, build, scan and promote until stopped.

    Any number of workers may share one Redis. Work in progress is finished on SIGTERM, for 25 seconds at most; what is
    interrupted or killed is taken up again by another worker.
    """
    from ghapp import logs
    from ghapp.cli.output import stop
    from ghapp.settings import SettingsError, load
    from jobs import workers

    wanted = [name.strip() for name in queues.split(",") if name.strip()]
    if unknown := sorted(set(wanted) - set(workers.QUEUES)):
        stop(f"there is no queue {unknown[0]!r}; write one or both of {', '.join(workers.QUEUES)}")
    try:
        settings = load()
    except SettingsError as e:
        stop(str(e))
    if settings.app_id is None or settings.private_key is None:
        stop("a worker signs in to GitHub as the App; set GHAPP_APP_ID and GHAPP_PRIVATE_KEY or GHAPP_PRIVATE_KEY_FILE")
    logs.configure(settings)
    workers.run(settings, wanted, concurrency)
