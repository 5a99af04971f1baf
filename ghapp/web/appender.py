"""Writes deliveries to Redis, all that arrive meanwhile in one round trip, and says when each is durable.

With ``appendfsync always`` Redis writes a round trip to disk once; with ``everysec`` and Redis 7.2 that is waited for;
how safe Redis is set up to be, `/readyz` says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.exceptions import RedisError, ResponseError

from jobs.deliveries import APPEND, SEEN_SECONDS, STREAM, Delivery, mark

_MOST = 256  # deliveries in one round trip
_FSYNC_MS = 2_000


class NotDurable(RedisError):
    """Redis took a delivery but did not say in time that it is on disk."""


def append(redis: Redis, delivery: Delivery) -> bool:
    """Write one delivery; ``True`` when it is new, ``False`` when it was taken before. Raises ``RedisError``."""
    wait = waits_for_disk(redis.info("server"), settings_of(redis))
    with redis.pipeline(transaction=False) as pipeline:
        _fill(pipeline, [delivery], wait)
        (new,) = _read(pipeline.execute(raise_on_error=False), wait)
    if isinstance(new, Exception):
        raise new
    return bool(new)


class Appender:
    """As :func:`append`, for one event loop: ``await appender.append(delivery)``."""

    def __init__(self, redis: AsyncRedis) -> None:
        self._redis = redis
        self._waiting: list[tuple[Delivery, asyncio.Future[bool]]] = []
        self._writer: asyncio.Task[None] | None = None
        self._wait_for_disk: bool | None = None

    def append(self, delivery: Delivery) -> asyncio.Future[bool]:
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((delivery, future))
        if self._writer is None:
            self._writer = asyncio.get_running_loop().create_task(self._write())
        return future

    async def _write(self) -> None:
        """Round trips until nothing waits; what arrives during one goes with the next."""
        while self._waiting:
            batch, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
            answers: Sequence[Any]
            try:
                answers = await self._send([delivery for delivery, _ in batch])
            except (RedisError, OSError) as e:
                answers = [e if isinstance(e, RedisError) else RedisError(str(e))] * len(batch)
            for (_, future), answer in zip(batch, answers, strict=True):
                if future.done():  # its client has gone
                    continue
                if isinstance(answer, Exception):
                    future.set_exception(answer)
                else:
                    future.set_result(bool(answer))
        self._writer = None

    async def _send(self, deliveries: list[Delivery]) -> Sequence[Any]:
        if self._wait_for_disk is None:
            self._wait_for_disk = await self._asked()
        async with self._redis.pipeline(transaction=False) as pipeline:
            _fill(pipeline, deliveries, self._wait_for_disk)
            return _read(await pipeline.execute(raise_on_error=False), self._wait_for_disk)

    async def _asked(self) -> bool:
        server = await self._redis.info("server")
        try:
            found = {**await self._redis.config_get("appendonly"), **await self._redis.config_get("appendfsync")}
        except ResponseError:
            found = {}
        return waits_for_disk(server, found)


def _fill(pipeline: Any, deliveries: list[Delivery], wait_for_disk: bool) -> None:
    for delivery in deliveries:
        pipeline.eval(APPEND, 2, mark(delivery.id), STREAM, SEEN_SECONDS, delivery.to_json())
    if wait_for_disk:
        pipeline.waitaof(1, 0, _FSYNC_MS)


def _read(answers: list[Any], waited_for_disk: bool) -> Sequence[Any]:
    if waited_for_disk:
        written = answers.pop()
        if isinstance(written, Exception) or written[0] < 1:
            raise NotDurable("Redis did not write the delivery to its disk in time")
    return answers


# --- how safe Redis is ------------------------------------------------------------------------------
def waits_for_disk(server: dict[str, Any], settings: dict[Any, Any]) -> bool:
    """Whether a write has to be waited for explicitly: the append-only file is synced every second, and Redis can say
    when (7.2). ``always`` needs no waiting; without the file there is nothing to wait for."""
    major, minor = (int(part) for part in str(server["redis_version"]).split(".")[:2])
    return (major, minor) >= (7, 2) and durability(settings) == "everysec"


def settings_of(redis: Redis) -> dict[Any, Any]:
    """What Redis says about its append-only file; empty where that may not be asked, as on many managed ones."""
    try:
        return {**redis.config_get("appendonly"), **redis.config_get("appendfsync")}
    except ResponseError:
        return {}


def durability(settings: dict[Any, Any]) -> str:
    """How Redis keeps what it is given: ``always``, ``everysec``, ``no`` (when it likes), ``never``, ``unknown``."""
    values = {_text(key): _text(value) for key, value in settings.items()}
    return "never" if values.get("appendonly") == "no" else values.get("appendfsync", "unknown")


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
