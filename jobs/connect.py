"""The one place that makes connections to Redis, and that makes text of what it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from redis import Redis
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError, TimeoutError  # noqa: A004 - redis-py's names
from redis.retry import Retry

if TYPE_CHECKING:
    from ghapp.settings import Settings


def connect(settings: Settings) -> Redis:
    """A client for the Redis that the settings name. It connects when it is first used, and again when a connection is
    lost; three tries within half a second."""
    return Redis.from_url(
        settings.redis_url,
        retry=Retry(ExponentialBackoff(cap=0.3, base=0.05), 3),
        retry_on_error=[ConnectionError, TimeoutError],
        health_check_interval=30,
        socket_connect_timeout=3,
        socket_keepalive=True,
    )


def text(value: bytes | str) -> str:
    """What Redis answered, as text. RQ wants clients that answer bytes."""
    return value.decode() if isinstance(value, bytes) else value
