"""Small facts that all processes share for a while: where a repository is installed, who may do what.

Redis itself is such a store; the command line has one in memory. Losing either costs calls, never an answer.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from redis import Redis


class Store(Protocol):
    """Values by key, each for ``seconds``."""

    def get(self, key: str) -> str | None: ...

    def set(self, key: str, value: str, *, seconds: int) -> None: ...

    def delete(self, key: str) -> None: ...


class MemoryStore:
    """For one process alone."""

    def __init__(self, most: int = 10_000) -> None:
        self._values: dict[str, tuple[str, float]] = {}
        self._most, self._lock = most, threading.Lock()

    def get(self, key: str) -> str | None:
        value, until = self._values.get(key, ("", 0.0))
        return value if until > time.monotonic() else None

    def set(self, key: str, value: str, *, seconds: int) -> None:
        with self._lock:
            self._values.pop(key, None)
            self._values[key] = (value, time.monotonic() + seconds)
            while len(self._values) > self._most:
                del self._values[next(iter(self._values))]

    def delete(self, key: str) -> None:
        self._values.pop(key, None)


class RedisStore:
    """For all processes on one Redis; while that is away nothing is known."""

    def __init__(self, redis: Redis) -> None:
        from redis import exceptions

        self._redis, self._away = redis, (exceptions.ConnectionError, exceptions.TimeoutError)

    def get(self, key: str) -> str | None:
        try:
            value = self._redis.get(key)
        except self._away:
            return None
        return value.decode() if isinstance(value, bytes) else value

    def set(self, key: str, value: str, *, seconds: int) -> None:
        try:
            self._redis.set(key, value, ex=seconds)
        except self._away:
            return

    def delete(self, key: str) -> None:
        try:
            self._redis.delete(key)
        except self._away:
            return
