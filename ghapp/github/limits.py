"""GitHub's rate limits, kept per installation; here for one process, in ``limits_redis.py`` for all of them.

Primary and secondary limits park an installation until their reset; writes are held to the pace that GitHub asks for;
no more calls are under way at once than it allows. Only counts and times are kept, never a token or an address.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol
from uuid import uuid4

# https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits
MAX_CONCURRENT = 100
WRITES_PER_MINUTE = 80
# A call that never ended (its process was killed) stops counting after this many seconds.
FORGOTTEN_AFTER = 120.0


@dataclass(frozen=True, slots=True)
class Wait:
    """Why a call may not go out now, and the moment (seconds since the epoch) at which it may."""

    reason: str
    until: float


class Limits(Protocol):
    """The budget of all installations. Every time is in seconds since the epoch."""

    def enter(self, installation: int, call: str, *, write: bool) -> Wait | None:
        """Take a place for one call, named ``call``; a :class:`Wait` where there is none."""

    def leave(self, installation: int, call: str) -> None:
        """The call named ``call`` has ended."""

    def park(self, installation: int, until: float) -> None:
        """No calls before ``until``."""

    def parked(self, installation: int) -> float:
        """Until when an installation is parked; 0 when it is not."""

    def seen(self, installation: int, remaining: int, limit: int, reset: float) -> None:
        """Note what GitHub's headers say is left."""

    def low(self, installation: int, share: float = 0.2) -> bool:
        """Whether less than ``share`` of the hour's budget is left: work that can wait should."""


@dataclass
class _Account:
    parked: float = 0.0
    writes: list[float] = field(default_factory=list)
    under_way: dict[str, float] = field(default_factory=dict)
    remaining: int = -1
    limit: int = 0
    reset: float = 0.0


class LocalLimits:
    """Limits for one process alone, as the command line needs them."""

    def __init__(self, writes_per_minute: int = WRITES_PER_MINUTE, clock: Callable[[], float] = time.time) -> None:
        self._accounts: dict[int, _Account] = {}
        self._writes, self._clock, self._lock = writes_per_minute, clock, threading.Lock()

    def _account(self, installation: int) -> _Account:
        return self._accounts.setdefault(installation, _Account())

    def enter(self, installation: int, call: str, *, write: bool) -> Wait | None:
        now = self._clock()
        with self._lock:
            account = self._account(installation)
            if account.parked > now:
                return Wait("parked", account.parked)
            account.under_way = {c: t for c, t in account.under_way.items() if t > now - FORGOTTEN_AFTER}
            if len(account.under_way) >= MAX_CONCURRENT:
                return Wait("busy", now + 0.1)
            if write and self._writes:
                account.writes = [t for t in account.writes if t > now - 60]
                if len(account.writes) >= self._writes:
                    return Wait("writes", account.writes[0] + 60)
                account.writes.append(now)
            account.under_way[call] = now
            return None

    def leave(self, installation: int, call: str) -> None:
        with self._lock:
            self._account(installation).under_way.pop(call, None)

    def park(self, installation: int, until: float) -> None:
        with self._lock:
            account = self._account(installation)
            account.parked = max(account.parked, until)

    def parked(self, installation: int) -> float:
        until = self._account(installation).parked
        return until if until > self._clock() else 0.0

    def seen(self, installation: int, remaining: int, limit: int, reset: float) -> None:
        with self._lock:
            account = self._account(installation)
            account.remaining, account.limit, account.reset = remaining, limit, reset

    def low(self, installation: int, share: float = 0.2) -> bool:
        account = self._account(installation)
        return 0 <= account.remaining < account.limit * share and account.reset > self._clock()


def new_call() -> str:
    """A name for one call, unique among all processes."""
    return uuid4().hex
