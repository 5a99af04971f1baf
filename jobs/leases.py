"""Leases: at most one worker at a time on a subject or a run, known to be dead soon after it died.

A lease is a key that expires unless its holder renews it; a thread does that for as long as the work goes on. A worker
that takes the place of a dead one gives the dead one's lease back at once.
"""

from __future__ import annotations

import logging
import threading
from types import TracebackType

from redis import Redis
from redis.exceptions import RedisError

from jobs.connect import text

log = logging.getLogger(__name__)

SECONDS = 20  # after which a lease that nobody renews is gone
RENEWED_EVERY = 2.0

# KEYS: lease, held · ARGV: holder, name, seconds. Takes a lease that is free or one's own.
_TAKE = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[3])
redis.call('SET', KEYS[2], ARGV[2], 'EX', ARGV[3])
return 1
"""

# KEYS: lease, held · ARGV: holder
_GIVE_BACK = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1], KEYS[2]) end
"""


class Leases:
    """The leases of one holder, which holds at most one at a time.

    ``holder`` is a worker's place, not its process: who replaces a dead worker has the same.
    """

    def __init__(self, redis: Redis, holder: str) -> None:
        self._redis, self._holder = redis, holder
        self._take, self._give_back = redis.register_script(_TAKE), redis.register_script(_GIVE_BACK)

    def take(self, name: str) -> bool:
        """Take or renew the lease called ``name``; whether it is ours now."""
        return bool(self._take(keys=[_lease(name), _held(self._holder)], args=[self._holder, name, SECONDS]))

    def give_back(self, name: str) -> None:
        self._give_back(keys=[_lease(name), _held(self._holder)], args=[self._holder])

    def left_behind(self) -> str | None:
        """What the worker that had this place before us held when it died; its lease is given back."""
        name = self._redis.get(_held(self._holder))
        if name is None:
            return None
        self.give_back(text(name))
        return text(name)

    def holding(self, name: str) -> Holding:
        """``with leases.holding(name) as ours:`` — renewed until the block ends, and given back then."""
        return Holding(self, name)


class Holding:
    """One lease while work goes on. Entering says whether it could be taken."""

    def __init__(self, leases: Leases, name: str) -> None:
        self._leases, self._name = leases, name
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> bool:
        if not self._leases.take(self._name):
            return False
        self._thread = threading.Thread(target=self._renew, name=f"lease {self._name}", daemon=True)
        self._thread.start()
        return True

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._thread is None:
            return
        self._over.set()
        self._thread.join()
        try:
            self._leases.give_back(self._name)
        except RedisError:
            log.warning("the lease of %s could not be given back; it expires in %d s", self._name, SECONDS)

    def _renew(self) -> None:
        while not self._over.wait(RENEWED_EVERY):
            try:
                if not self._leases.take(self._name):
                    log.error("the lease of %s was taken by another worker", self._name)
            except RedisError:
                log.warning("Redis is away; the lease of %s cannot be renewed", self._name)


def held(redis: Redis, name: str) -> bool:
    """Whether anybody holds the lease called ``name``."""
    return bool(redis.exists(_lease(name)))


def _lease(name: str) -> str:
    return f"ghapp:lease:{name}"


def _held(holder: str) -> str:
    return f"ghapp:held:{holder}"
