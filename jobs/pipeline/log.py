"""The log of one step: redacted before it touches anything, kept whole in the store, its tail at hand for the check.

Written in bounded memory, whatever the step prints; beyond :data:`MOST` bytes it says so and keeps only the end.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from ghapp.store import Store
from jobs.pipeline.matchers import Matcher, strip_escapes
from jobs.pipeline.redaction import Redactor

MOST = 512 * 2**20
_TAIL = 48_000
_BUFFER = 1 << 18
_FLUSH_AFTER = 1.0


class StepLog:
    """Give :meth:`write` to an executor as its output. ``changed`` is called when there is something new to show."""

    def __init__(
        self,
        store: Store,
        key: str,
        redactor: Redactor,
        matcher: Matcher | None = None,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._store, self.key = store, key
        self._stream, self._matcher, self._changed = redactor.stream(), matcher, changed
        self._buffer = bytearray()
        self._tail = bytearray()
        self._flushed = time.monotonic()
        self.size = 0

    def write(self, data: bytes) -> None:
        self._take(self._stream.feed(data))
        if len(self._buffer) >= _BUFFER or time.monotonic() - self._flushed > _FLUSH_AFTER:
            self.flush()

    def line(self, text: str) -> None:
        """A remark of ghapp's own."""
        self.write(f"{text}\n".encode("utf-8", "replace"))

    def flush(self) -> None:
        self._flushed = time.monotonic()
        if self._buffer:
            self._store.append(self.key, bytes(self._buffer))
            self._buffer.clear()
        self._changed()

    def close(self) -> None:
        self._take(self._stream.finish())
        if self._matcher:
            self._matcher.feed(b"\n")  # the last line may have no end
        self.flush()

    def tail(self, lines: int, characters: int = 20_000) -> str:
        """The last lines as plain text."""
        text = bytes(self._tail[-4 * characters :]).decode("utf-8", "replace")
        text = strip_escapes(text.replace("\r\n", "\n").replace("\r", "\n"))
        return "\n".join(text.rstrip("\n").split("\n")[-lines:])[-characters:]

    def _take(self, data: bytes) -> None:
        if not data:
            return
        if self._matcher:
            self._matcher.feed(data)
        self._tail += data[-_TAIL:]
        if len(self._tail) > 2 * _TAIL:
            del self._tail[:-_TAIL]
        room = MOST - self.size
        self.size += len(data)
        if room > 0:
            self._buffer += data[:room]
            if len(data) > room:
                self._buffer += f"\n… the log is longer than {MOST} bytes; the rest is not kept\n".encode()
