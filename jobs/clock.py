"""What has to happen by itself: deliveries become jobs, moments arrive, the dead are found, everything is swept.

Every `ghapp worker` runs one clock; any number of them share the work through Redis, and none of them is needed for it.
"""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from redis import Redis
from redis.exceptions import RedisError

from ghapp.github.directory import Directory
from ghapp.github.shared import RedisStore
from ghapp.settings import without_password
from jobs.deliveries import Dispatcher
from jobs.queue import BACKGROUND, RECONCILE, Queue, rq_queue
from jobs.recovery import Recovery

if TYPE_CHECKING:
    from ghapp.settings import Settings

log = logging.getLogger(__name__)

TICK = 0.25  # seconds that a wait for deliveries takes at most, so that moments arrive in time
ASK_EVERY = 1.0  # seconds between two questions whether a sweep is due
LOOK_EVERY = 5.0  # seconds between two looks for what is abandoned
_EPOCH = "ghapp:epoch"  # gone when Redis was flushed or is new
_SWEPT = "ghapp:swept"  # there while the last sweep is young enough
_SWEEP_TIMEOUT = 900


class Clock:
    """One clock. ``tick`` does everything that is due; ``run`` ticks until ``stop`` is called."""

    def __init__(self, settings: Settings, redis: Redis, name: str) -> None:
        self._settings, self._redis = settings, redis
        self._queue = Queue(redis)
        self._dispatcher = Dispatcher(redis, Directory(RedisStore(redis)), name)
        self._recovery = Recovery(self._queue)
        self._asked = self._looked = 0.0
        self._stopped = False

    def stop(self) -> None:
        self._stopped = True

    def run(self) -> None:
        away = False
        while not self._stopped:
            try:
                self.tick()
                if away:
                    log.warning("Redis is back; work goes on")
                away = False
            except RedisError as e:
                if not away:
                    log.error(
                        "Redis at %s is away (%s); work goes on when it is back",
                        without_password(self._settings.redis_url),
                        e,
                    )
                away = True
                time.sleep(1)

    def tick(self, wait: float = TICK) -> None:
        self._dispatcher.dispatch(wait)
        for subject in self._queue.take_due(datetime.now(UTC)):
            self._queue.carry(subject, reason="its moment has come")
        if time.monotonic() - self._asked >= ASK_EVERY:
            self._asked = time.monotonic()
            self._sweep_if_due()
        if time.monotonic() - self._looked >= LOOK_EVERY:
            self._looked = time.monotonic()
            self._dispatcher.dispatch_abandoned()
            self._recovery.look()

    def _sweep_if_due(self) -> None:
        if self._redis.exists(_EPOCH, _SWEPT) == 2:
            return
        flushed = self._redis.set(_EPOCH, uuid4().hex, nx=True)
        due = self._redis.set(_SWEPT, 1, nx=True, ex=self._settings.sweep_interval)
        if flushed or due:
            log.info("sweeping%s", ": Redis is empty, so everything is looked at afresh" if flushed else "")
            # The first sweep after a flush goes before everything, later ones behind it.
            rq_queue(self._redis, RECONCILE if flushed else BACKGROUND).enqueue(
                "jobs.sweep.sweep", job_timeout=_SWEEP_TIMEOUT, result_ttl=0, failure_ttl=60, description="sweep"
            )
