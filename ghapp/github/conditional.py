"""Conditional requests: what was read before is asked for with its validator, and a 304 costs no budget.

GitHub's ETags hold for the token that got them, so a new token asks by ``Last-Modified`` where there is one. Bodies
stay in this process's memory, never in Redis: they are other people's repositories.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

MAX_BYTES = 32_000_000
MAX_BODY = 1_000_000


@dataclass(frozen=True, slots=True)
class Kept:
    """One answer that may be used again. ``size`` is the length of its body in bytes."""

    etag: str
    modified: str
    token: str
    data: Any
    link: str
    size: int


class ConditionalCache:
    """Answers by installation and address, the least recently used dropped when they exceed ``max_bytes``."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._kept: OrderedDict[tuple[int, str], Kept] = OrderedDict()
        self._max, self._bytes, self._lock = max_bytes, 0, threading.Lock()

    def headers(self, installation: int, url: str, token: str) -> dict[str, str]:
        """What to send so that GitHub may answer 304; empty when nothing is kept."""
        with self._lock:
            kept = self._kept.get((installation, url))
            if kept is None:
                return {}
            self._kept.move_to_end((installation, url))
        if kept.etag and kept.token == token:
            return {"If-None-Match": kept.etag}
        return {"If-Modified-Since": kept.modified} if kept.modified else {}

    def get(self, installation: int, url: str) -> Kept | None:
        with self._lock:
            return self._kept.get((installation, url))

    def keep(self, installation: int, url: str, kept: Kept) -> None:
        if kept.size > MAX_BODY or not (kept.etag or kept.modified):
            return
        with self._lock:
            self._drop((installation, url))
            self._kept[installation, url] = kept
            self._bytes += kept.size
            while self._bytes > self._max:
                self._drop(next(iter(self._kept)))

    def forget(self, installation: int) -> None:
        """Drop everything of one installation."""
        with self._lock:
            for key in [key for key in self._kept if key[0] == installation]:
                self._drop(key)

    def _drop(self, key: tuple[int, str]) -> None:
        if (kept := self._kept.pop(key, None)) is not None:
            self._bytes -= kept.size
