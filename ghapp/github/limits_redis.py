"""GitHub's rate limits shared by every process on one Redis; see ``limits.py`` for what they are.

While Redis is away, each process keeps to the limits that it sees by itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from redis import Redis, exceptions

from ghapp.github.limits import FORGOTTEN_AFTER, MAX_CONCURRENT, WRITES_PER_MINUTE, LocalLimits, Wait

_AWAY = (exceptions.ConnectionError, exceptions.TimeoutError)

# KEYS: parked, under way, writes · ARGV: now, call, 1 for a write, writes a minute, calls at once, forgotten after
_ENTER = """
local now = tonumber(ARGV[1])
local parked = tonumber(redis.call('GET', KEYS[1]) or '0')
if parked > now then return {'parked', tostring(parked)} end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - tonumber(ARGV[6]))
if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[5]) then return {'busy', tostring(now + 0.1)} end
local writes = tonumber(ARGV[4])
if ARGV[3] == '1' and writes > 0 then
  redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now - 60)
  if redis.call('ZCARD', KEYS[3]) >= writes then
    return {'writes', tostring(tonumber(redis.call('ZRANGE', KEYS[3], 0, 0, 'WITHSCORES')[2]) + 60)}
  end
  redis.call('ZADD', KEYS[3], now, ARGV[2])
  redis.call('EXPIRE', KEYS[3], 61)
end
redis.call('ZADD', KEYS[2], now, ARGV[2])
redis.call('EXPIRE', KEYS[2], ARGV[6])
return {'go', '0'}
"""

# KEYS: parked · ARGV: until, seconds that the key lives. The later of two moments wins.
_PARK = """
if tonumber(redis.call('GET', KEYS[1]) or '0') < tonumber(ARGV[1]) then
  redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
end
"""


class RedisLimits:
    """Implements :class:`ghapp.github.limits.Limits`."""

    def __init__(
        self, redis: Redis, writes_per_minute: int = WRITES_PER_MINUTE, clock: Callable[[], float] = time.time
    ) -> None:
        self._redis, self._writes, self._clock = redis, writes_per_minute, clock
        self._enter, self._park = redis.register_script(_ENTER), redis.register_script(_PARK)
        self._local = LocalLimits(writes_per_minute, clock)

    def enter(self, installation: int, call: str, *, write: bool) -> Wait | None:
        keys = [_key(installation, what) for what in ("parked", "calls", "writes")]
        args: list[float | str] = [self._clock(), call, int(write), self._writes, MAX_CONCURRENT, int(FORGOTTEN_AFTER)]
        try:
            reason, until = (_text(part) for part in self._enter(keys=keys, args=args))
        except _AWAY:
            return self._local.enter(installation, call, write=write)
        return None if reason == "go" else Wait(reason, float(until))

    def leave(self, installation: int, call: str) -> None:
        self._local.leave(installation, call)
        try:
            self._redis.zrem(_key(installation, "calls"), call)
        except _AWAY:
            return

    def park(self, installation: int, until: float) -> None:
        self._local.park(installation, until)
        try:
            self._park(keys=[_key(installation, "parked")], args=[until, max(1, int(until - self._clock()) + 2)])
        except _AWAY:
            return

    def parked(self, installation: int) -> float:
        try:
            until = float(self._redis.get(_key(installation, "parked")) or 0)
        except _AWAY:
            return self._local.parked(installation)
        return until if until > self._clock() else 0.0

    def seen(self, installation: int, remaining: int, limit: int, reset: float) -> None:
        # One process's view is enough to be careful; Redis is not asked on every call for it.
        self._local.seen(installation, remaining, limit, reset)

    def low(self, installation: int, share: float = 0.2) -> bool:
        return self._local.low(installation, share)


def _key(installation: int, what: str) -> str:
    return f"ghapp:limits:{installation}:{what}"


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
