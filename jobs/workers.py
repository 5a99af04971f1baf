"""Which processes one ``ghapp worker`` has: workers for each queue, and a clock."""

from __future__ import annotations

import importlib
import logging
import signal
from collections.abc import Sequence
from typing import TYPE_CHECKING

from jobs.queue import BACKGROUND, PIPELINE, RECONCILE
from jobs.reconcile import RECONCILERS
from jobs.supervisor import Supervisor

if TYPE_CHECKING:
    from ghapp.settings import Settings

log = logging.getLogger(__name__)

# queue → the queues that its workers take from, in that order.
QUEUES: dict[str, tuple[str, ...]] = {RECONCILE: (RECONCILE, BACKGROUND), PIPELINE: (PIPELINE,)}

# Loaded once, before workers are forked, so that a new worker is ready in milliseconds, and its first job too.
_PRELOADED: dict[str, tuple[str, ...]] = {
    RECONCILE: ("ghapp.github.transport", *(entry.partition(":")[0] for entry in RECONCILERS.values())),
    PIPELINE: ("ghapp.github.transport", "jobs.runs"),
}


def run(settings: Settings, queues: Sequence[str], concurrency: int | None = None) -> None:
    """Work until SIGTERM or SIGINT. ``concurrency`` is the number of processes for each of ``queues``."""
    for queue in queues:
        for module in _PRELOADED[queue]:
            importlib.import_module(module)
    from jobs import worker
    from jobs.clock import Clock
    from jobs.connect import connect

    def clock(place: str, _: int) -> None:
        ticking = Clock(settings, connect(settings), place)
        for sign in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sign, lambda *_: ticking.stop())
        ticking.run()

    supervisor = Supervisor()
    for queue in queues:
        default = settings.workers if queue == RECONCILE else settings.pipeline_workers
        for number in range(default if concurrency is None else concurrency):

            def body(place: str, incarnation: int, names: tuple[str, ...] = QUEUES[queue]) -> None:
                worker.work(settings, names, place, incarnation)

            supervisor.add(f"{queue}-{number}", body)
    supervisor.add("clock", clock)
    log.info("working on %s", ", ".join(queues))
    supervisor.run()
