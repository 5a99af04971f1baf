"""Primary rate limits: so many requests an hour for each installation, user or app, and what is left of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ghapp.sandbox.forge.web.errors import ApiError

WINDOW = timedelta(hours=1)
SEARCH_LIMIT, SEARCH_WINDOW = 30, timedelta(minutes=1)


@dataclass(slots=True)
class Bucket:
    """What one actor has of one resource (``core``, ``graphql``) until ``reset``."""

    limit: int
    used: int
    reset: datetime

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.used)

    def as_json(self) -> dict[str, int]:
        return {
            "limit": self.limit,
            "used": self.used,
            "remaining": self.remaining,
            "reset": int(self.reset.timestamp()),
        }


class RateLimits:
    """All buckets. ``limit`` is GitHub's 5,000 an hour; tests set less."""

    def __init__(self, now: Callable[[], datetime], limit: int = 5000, anonymous: int = 60) -> None:
        self.limit, self.anonymous = limit, anonymous
        self._now = now
        self._lock = threading.Lock()
        self._buckets: dict[tuple[str, str], Bucket] = {}

    def bucket(self, actor: str, resource: str = "core") -> Bucket:
        """The present bucket of an actor; begins a new window when the old one is over."""
        now = self._now()
        with self._lock:
            found = self._buckets.get((actor, resource))
            if found is None or found.reset <= now:
                limit = self.anonymous if actor == "anonymous" else SEARCH_LIMIT if resource == "search" else self.limit
                window = SEARCH_WINDOW if resource == "search" else WINDOW
                found = self._buckets[(actor, resource)] = Bucket(limit, 0, now + window)
            return found

    def check(self, actor: str, resource: str = "core") -> Bucket:
        """The bucket, or GitHub's 403 when nothing is left in it."""
        found = self.bucket(actor, resource)
        if found.remaining <= 0:
            raise ApiError(403, f"API rate limit exceeded for {actor}.", headers=headers(found, resource))
        return found

    def spend(self, actor: str, resource: str = "core", cost: int = 1) -> Bucket:
        found = self.bucket(actor, resource)
        with self._lock:
            found.used += cost
        return found

    def exhaust(self, actor: str, resource: str = "core", reset_in: float = 3600) -> None:
        """Leave an actor nothing for ``reset_in`` seconds."""
        found = self.bucket(actor, resource)
        with self._lock:
            found.used, found.reset = found.limit, self._now() + timedelta(seconds=reset_in)

    def restore(self) -> None:
        """Forget all use."""
        with self._lock:
            self._buckets.clear()


def headers(bucket: Bucket, resource: str) -> dict[str, str]:
    return {
        "X-RateLimit-Limit": str(bucket.limit),
        "X-RateLimit-Remaining": str(bucket.remaining),
        "X-RateLimit-Used": str(bucket.used),
        "X-RateLimit-Reset": str(int(bucket.reset.timestamp())),
        "X-RateLimit-Resource": resource,
    }
