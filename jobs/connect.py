"""The one place that makes connections to Redis, and that makes text of what it answers."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError, TimeoutError  # noqa: A004 - redis-py's names
from redis.retry import Retry

if TYPE_CHECKING:
    from ghapp.settings import Settings

_BACKOFF, _TRIES = ExponentialBackoff(cap=0.3, base=0.05), 3
_AWAY: list[type[Exception]] = [ConnectionError, TimeoutError]
# A Redis that hangs is as good as away. RQ lengthens the timeout of the connection on which it waits for jobs.
_TIMEOUTS: dict[str, Any] = {"socket_connect_timeout": 3, "socket_timeout": 10}


def connect(settings: Settings) -> Redis:
    """A client for the Redis that the settings name.

    It connects when it is first used, and again when a connection is lost: three tries within half a second.
    """
    return Redis.from_url(
        settings.redis_url, retry=Retry(_BACKOFF, _TRIES), retry_on_error=_AWAY, health_check_interval=30, **_TIMEOUTS
    )


def wait_for(redis: Redis) -> None:
    """Return when Redis answers; asked once a second, for as long as it takes."""
    while True:
        try:
            redis.ping()
            return
        except (ConnectionError, TimeoutError):
            time.sleep(1)


def connect_async(settings: Settings) -> AsyncRedis:
    """As :func:`connect`, for an event loop."""
    retry = AsyncRetry(_BACKOFF, _TRIES)
    return AsyncRedis.from_url(settings.redis_url, retry=retry, retry_on_error=_AWAY, **_TIMEOUTS)


def text(value: bytes | str) -> str:
    """What Redis answered, as text. RQ wants clients that answer bytes."""
    return value.decode() if isinstance(value, bytes) else value
