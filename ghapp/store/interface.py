"""What a store of logs and artifacts is: bytes by key, appended or put whole, dropped after their time.

Losing a store loses no decision. Keys are relative paths with ``/``; nothing outside the store can be named by one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Protocol

_KEY = re.compile(r"[A-Za-z0-9_.@+=,~ -]+(?:/[A-Za-z0-9_.@+=,~ -]+)*\Z")
MAX_KEY = 800


class StoreError(RuntimeError):
    """The store cannot be read or written; the message says why."""


class Store(Protocol):
    def append(self, key: str, data: bytes) -> None:
        """Add to the end of what is kept under ``key``; one writer at a time."""
        ...

    def put(self, key: str, data: bytes) -> None:
        """Replace what is kept under ``key``, all at once."""
        ...

    def put_file(self, key: str, path: Path) -> None: ...

    def read(self, key: str, *, start: int = 0, most: int = -1) -> bytes | None:
        """Bytes from ``start`` on, at most ``most`` (-1: all); ``None`` where there is nothing under ``key``."""
        ...

    def chunks(self, key: str) -> Iterator[bytes]:
        """All bytes under ``key`` in pieces of bounded size; nothing where there is no such key."""
        ...

    def size(self, key: str) -> int | None: ...

    def keys(self, prefix: str) -> Iterator[str]:
        """Every key that begins with ``prefix``, sorted."""
        ...

    def delete(self, prefix: str) -> None:
        """Drop everything whose key is ``prefix`` or lies below it; nothing there is as good."""
        ...

    def expire(self, before: datetime) -> int:
        """Drop what was last written before a moment (UTC) and return how many keys that were."""
        ...


def checked(key: str) -> str:
    """``key``, if it names something inside of a store. Raises ValueError."""
    if len(key) > MAX_KEY or not _KEY.match(key) or any(set(part) == {"."} for part in key.split("/")):
        raise ValueError(f"{key[:200]!r} is not a key of the store")
    return key
