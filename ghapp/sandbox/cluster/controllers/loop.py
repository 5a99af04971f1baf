"""The work queue that controllers share: a subject that something happened to is looked at soon, once.

Runs in the server's event loop, a few subjects at a time, so that requests are served in between.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from ghapp.sandbox.cluster.errors import ApiError
from ghapp.sandbox.cluster.images import Images
from ghapp.sandbox.cluster.objects import Objects
from ghapp.sandbox.cluster.store import Event, Key

log = logging.getLogger(__name__)

_BATCH = 5
_RETRY_SECONDS = 0.05
_BROKEN_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How long things take, in seconds: a Pod until it is ready, a volume until it is bound, a load balancer until it
    has an address, a definition until it is served."""

    ready: float = 0.2
    bound: float = 0.1
    address: float = 0.1
    established: float = 0.05


class Controller(Protocol):
    """Looks after one kind of subject."""

    @property
    def collections(self) -> tuple[str, ...]:
        """Whose events matter; () for everybody's."""

    def subjects(self, collection: str, event: Event) -> Iterable[Key]:
        """Whom an event concerns."""

    def reconcile(self, key: Key) -> float | None:
        """Do whatever is missing; seconds after which to look again, if time alone matters."""


class Loop:
    """Feeds controllers with the subjects that events name."""

    def __init__(self, objects: Objects, pace: Pace, images: Images | None = None) -> None:
        self.objects = objects
        self.images = images or Images("")
        self.pace = pace
        self._by_collection: dict[str, list[Controller]] = {}
        self._everybodys: list[Controller] = []
        self._queue: dict[tuple[int, Key], Controller] = {}
        self._timers: dict[tuple[int, Key], asyncio.TimerHandle] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._scheduled = False

    def start(self, controllers: Iterable[Callable[[Loop], Controller]]) -> None:
        """Begin to listen; must be called in the running event loop."""
        self._loop = asyncio.get_running_loop()
        for make in controllers:
            controller = make(self)
            for name in controller.collections:
                self._by_collection.setdefault(name, []).append(controller)
            if not controller.collections:
                self._everybodys.append(controller)
        self.objects.store.listeners.append(self._heard)

    def stop(self) -> None:
        """Do nothing any more."""
        self._loop = None
        self._queue.clear()
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def soon(self, controller: Controller, key: Key, delay: float = 0.0) -> None:
        """Look at a subject now, or in ``delay`` seconds; the latest wish about a later moment counts."""
        if self._loop is None:
            return
        which = (id(controller), key)
        if delay > 0:
            if timer := self._timers.pop(which, None):
                timer.cancel()
            self._timers[which] = self._loop.call_later(delay, self._due, which, controller)
            return
        self._queue.setdefault(which, controller)
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._work)

    def _due(self, which: tuple[int, Key], controller: Controller) -> None:
        self._timers.pop(which, None)
        self.soon(controller, which[1])

    def _heard(self, collection: str, event: Event) -> None:
        for controller in (*self._by_collection.get(collection, ()), *self._everybodys):
            for key in controller.subjects(collection, event):
                self.soon(controller, key)

    def _work(self) -> None:
        self._scheduled = False
        for _ in range(min(_BATCH, len(self._queue))):
            which = next(iter(self._queue))
            controller = self._queue.pop(which)
            try:
                again = controller.reconcile(which[1])
            except ApiError as e:
                log.debug("%s %s: %s", type(controller).__name__, which[1], e)
                again = _RETRY_SECONDS
            except Exception:
                log.exception("%s %s", type(controller).__name__, which[1])
                again = _BROKEN_SECONDS
            if again is not None:
                self.soon(controller, which[1], max(again, 0.001))
        if self._queue and self._loop is not None:
            self._scheduled = True
            self._loop.call_soon(self._work)
