"""Switches that make the forge behave badly on purpose: slow, failing, limiting, losing what it should deliver.

All are off until someone turns them on; ``clear()`` turns all of them off again.
"""

from __future__ import annotations

import random
import re
import threading
from dataclasses import dataclass, field
from typing import Literal

from ghapp.sandbox.forge.web.errors import ApiError

DeliveryFate = Literal["deliver", "lose", "double", "hold"]


@dataclass(slots=True)
class Failure:
    """The next ``times`` requests that match fail with ``status``; after their effect when ``after_effect``."""

    times: int
    status: int = 502
    method: str = ""
    path: str = ""
    after_effect: bool = False
    retry_after: int | None = None
    message: str = "Server Error"

    def matches(self, method: str, path: str) -> bool:
        return self.times > 0 and self.method in ("", method) and re.search(self.path, path) is not None


@dataclass(slots=True)
class Faults:
    """``latency`` is in seconds; rates are between 0 and 1; ``lose``, ``double`` and ``reorder`` count deliveries."""

    latency: float = 0.0
    error_rate: float = 0.0
    lose: int = 0
    double: int = 0
    reorder: int = 0
    lose_rate: float = 0.0
    double_rate: float = 0.0
    reorder_rate: float = 0.0
    failures: list[Failure] = field(default_factory=list)
    seed: int = 1
    _random: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311 - faults, not secrets
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def clear(self) -> None:
        self.latency = self.error_rate = self.lose_rate = self.double_rate = self.reorder_rate = 0.0
        self.lose = self.double = self.reorder = 0
        self.failures = []

    def fail_next(
        self, times: int = 1, status: int = 502, method: str = "", path: str = "", after_effect: bool = False
    ) -> None:
        """Fail the next requests whose method equals and whose path matches a regular expression."""
        self.failures.append(Failure(times, status, method, path, after_effect))

    def secondary_limit_next(
        self, times: int = 1, retry_after: int = 60, status: int = 403, method: str = "", path: str = ""
    ) -> None:
        """Answer the next requests with a secondary rate limit."""
        message = (
            "You have exceeded a secondary rate limit. Please wait a few minutes before you try again. "
            "If you reach out to GitHub Support for help, please include the request ID."
        )
        self.failures.append(Failure(times, status, method, path, retry_after=retry_after, message=message))

    def refuse(self, method: str, path: str, after_effect: bool = False) -> ApiError | None:
        """The error that this request is to fail with, if it is."""
        with self._lock:
            for failure in self.failures:
                if failure.after_effect == after_effect and failure.matches(method, path):
                    failure.times -= 1
                    self.failures = [f for f in self.failures if f.times > 0]
                    headers = {"Retry-After": str(failure.retry_after)} if failure.retry_after is not None else {}
                    return ApiError(failure.status, failure.message, headers=headers)
            if not after_effect and self.error_rate and self._random.random() < self.error_rate:
                return ApiError(502, "Server Error")
        return None

    def delivery_fate(self) -> DeliveryFate:
        """What becomes of the next delivery; ``hold`` is to be sent after the one that follows it."""
        with self._lock:
            if self.lose > 0:
                self.lose -= 1
                return "lose"
            if self.double > 0:
                self.double -= 1
                return "double"
            if self.reorder > 0:
                self.reorder -= 1
                return "hold"
            dice = self._random.random()
            if dice < self.lose_rate:
                return "lose"
            if dice < self.lose_rate + self.double_rate:
                return "double"
            return "hold" if dice < self.lose_rate + self.double_rate + self.reorder_rate else "deliver"
