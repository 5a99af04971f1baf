"""Writes deliveries to Redis, all that arrive meanwhile in one round trip, and says when each is durable.

One thread does it, for every thread and event loop of the process. With ``appendfsync always`` Redis writes a
round trip to disk once; with ``everysec`` and Redis 7.2 it is waited for; how safe Redis is, `/readyz` says.
"""

from __future__ import annotations

import logging
import queue
import threading
from concurrent.futures import Future
from typing import Any

from redis import Redis
from redis.exceptions import RedisError, ResponseError

from jobs.deliveries import APPEND, SEEN_SECONDS, STREAM, Delivery, mark

log = logging.getLogger(__name__)

_MOST = 256  # deliveries in one round trip
_FSYNC_MS = 2_000

_Item = tuple[Delivery, "Future[bool]"]


class NotDurable(RedisError):
    """Redis took a delivery but did not say in time that it is on disk."""


class Appender:
    """``append(delivery).result()`` is ``True`` when it was new, ``False`` when it was taken before.

    It raises ``RedisError`` when Redis is away: then nothing may be promised to the sender.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._waiting: queue.SimpleQueue[_Item] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._wait_for_disk: bool | None = None

    def append(self, delivery: Delivery) -> Future[bool]:
        future: Future[bool] = Future()
        self._waiting.put((delivery, future))
        if self._thread is None:
            self._start()
        return future

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="deliveries", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            batch = [self._waiting.get()]
            while len(batch) < _MOST:
                try:
                    batch.append(self._waiting.get_nowait())
                except queue.Empty:
                    break
            self._write(batch)

    def _write(self, batch: list[_Item]) -> None:
        try:
            answers = self._send([delivery for delivery, _ in batch])
        except Exception as e:
            for _, future in batch:
                future.set_exception(e)
            return
        for (_, future), answer in zip(batch, answers, strict=True):
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(bool(answer))

    def _send(self, deliveries: list[Delivery]) -> list[Any]:
        if self._wait_for_disk is None:
            self._wait_for_disk = waits_for_disk(self._redis)
        with self._redis.pipeline(transaction=False) as pipeline:
            for delivery in deliveries:
                pipeline.eval(APPEND, 2, mark(delivery.id), STREAM, SEEN_SECONDS, delivery.to_json())
            if self._wait_for_disk:
                pipeline.waitaof(1, 0, _FSYNC_MS)
            answers = pipeline.execute(raise_on_error=False)
        if self._wait_for_disk and (isinstance(answers[-1], Exception) or answers.pop()[0] < 1):
            raise NotDurable("Redis did not write the delivery to its disk in time")
        return answers


def waits_for_disk(redis: Redis) -> bool:
    """Whether a write has to be waited for explicitly: the append-only file is synced every second, and Redis can say
    when (7.2). ``always`` needs no waiting; without the file there is nothing to wait for."""
    major, minor = (int(part) for part in str(redis.info("server")["redis_version"]).split(".")[:2])
    return (major, minor) >= (7, 2) and durability(redis) == "everysec"


def durability(redis: Redis) -> str:
    """How Redis keeps what it is given: ``always``, ``everysec``, ``no`` (the system decides), ``never``.

    ``unknown`` where its settings may not be read, as on many managed ones.
    """
    try:
        found = {**redis.config_get("appendonly"), **redis.config_get("appendfsync")}
    except ResponseError:
        return "unknown"
    values = {str(k): v.decode() if isinstance(v, bytes) else str(v) for k, v in found.items()}
    return "never" if values.get("appendonly") == "no" else values.get("appendfsync", "unknown")
