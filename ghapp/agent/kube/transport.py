"""HTTP/1.1 to one server over kept-alive connections, as little of it as an API server needs, ten thousand times over.

A request and its whole answer; no redirects, no cookies, no compression, no streaming: watches go another way. A
general client costs several times as much processor time per request, which the API server beside it could use.
"""

from __future__ import annotations

import asyncio
import re
from functools import lru_cache
from typing import cast
from urllib.parse import urlsplit

from ghapp.agent.kube.config import Access

_CONNECT_SECONDS = 15.0
_ANSWER_SECONDS = 120.0
_MOST_HEAD = 65536
_LENGTH = re.compile(rb"\ncontent-length:[ \t]*([0-9]+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\ntransfer-encoding:[^\r\n]*chunked", re.IGNORECASE)
_CLOSE = re.compile(rb"\nconnection:[^\r\n]*close", re.IGNORECASE)
_RETRY_AFTER = re.compile(rb"\nretry-after:[ \t]*([0-9]+)", re.IGNORECASE)

Reply = tuple[int, bytes, float]  # status, body, seconds of Retry-After


class NotHttp(ConnectionError):
    """What answered does not speak HTTP/1.1."""


class _Connection(asyncio.Protocol):
    """One connection: one request at a time."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.usable = False
        self.received = 0  # bytes, since the last request was sent
        self._buffer = bytearray()
        self._answer: asyncio.Future[Reply] | None = None
        self._forget()

    def _forget(self) -> None:
        self._status = 0
        self._length: int | None = None
        self._chunks: list[bytes] | None = None
        self._after = 0.0

    def ask(self, raw: bytes) -> asyncio.Future[Reply]:
        """Send a request; its answer to be awaited."""
        self.received = 0
        self._answer = asyncio.get_running_loop().create_future()
        if self.transport is None or self.transport.is_closing():
            self._answer.set_exception(ConnectionResetError("the connection was closed"))
        else:
            self.transport.write(raw)
        return self._answer

    # --- what the event loop calls ------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.usable = cast(asyncio.Transport, transport), True

    def connection_lost(self, exc: Exception | None) -> None:
        self.usable = False
        if self._answer is None or self._answer.done():
            return
        if self._status and self._length is None and self._chunks is None:
            self._done(bytes(self._buffer))  # an answer that ends with its connection
        else:
            self._answer.set_exception(ConnectionResetError(str(exc or "the server closed the connection")))

    def data_received(self, data: bytes) -> None:
        self.received += len(data)
        self._buffer += data
        try:
            while not self._status:
                if not self._head():
                    return
            self._body()
        except ValueError as e:
            self._fail(NotHttp(f"the server does not speak HTTP/1.1 ({e})"))

    # --- reading ------------------------------------------------------------------------------------

    def _head(self) -> bool:
        """Read the status and the headers that matter, if they are there."""
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > _MOST_HEAD or not b"HTTP/1.".startswith(self._buffer[:7]):
                raise ValueError("no header")
            return False
        head = bytes(self._buffer[: end + 2])
        del self._buffer[: end + 4]
        if not head.startswith(b"HTTP/1."):
            raise ValueError("no status line")
        status = int(head[9:12])
        if 100 <= status < 200:
            return bool(self._buffer) and self._head()
        length, chunked = _LENGTH.search(head), _CHUNKED.search(head)
        self._status = status
        self._length = 0 if status in (204, 304) else int(length[1]) if length and not chunked else None
        self._chunks = [] if chunked else None
        self._after = float(found[1]) if (found := _RETRY_AFTER.search(head)) else 0.0
        if _CLOSE.search(head) or (self._length is None and self._chunks is None):
            self.usable = False
        return True

    def _body(self) -> None:
        if self._chunks is not None:
            self._chunked(self._chunks)
        elif self._length is not None and len(self._buffer) >= self._length:
            body = bytes(self._buffer[: self._length])
            del self._buffer[: self._length]
            self._done(body)

    def _chunked(self, chunks: list[bytes]) -> None:
        while (line := self._buffer.find(b"\r\n")) >= 0:
            size = int(self._buffer[:line].partition(b";")[0], 16)
            if size == 0:
                end = self._buffer.find(b"\r\n\r\n", line)
                if end < 0:
                    return
                del self._buffer[: end + 4]
                self._done(b"".join(chunks))
                return
            if len(self._buffer) < line + 2 + size + 2:
                return
            chunks.append(bytes(self._buffer[line + 2 : line + 2 + size]))
            del self._buffer[: line + 2 + size + 2]

    def _done(self, body: bytes) -> None:
        reply = (self._status, body, self._after)
        self._forget()
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(reply)

    def _fail(self, e: Exception) -> None:
        self.usable = False
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(e)
        self.close()

    def close(self) -> None:
        self.usable = False
        if self.transport is not None:
            self.transport.abort()


class Transport:
    """Connections to the server of one :class:`Access`; as many as there are requests at once."""

    def __init__(self, access: Access) -> None:
        self._access = access
        parts = urlsplit(access.url)
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._netloc = parts.netloc.rpartition("@")[2]
        self._prefix = parts.path.rstrip("/")
        self._tls = access.tls if parts.scheme == "https" else None
        self._idle: list[_Connection] = []

    async def send(self, method: str, target: str, headers: str, body: bytes | None) -> Reply:
        """A request and its answer. ``target`` is path and query, ``headers`` whole lines.

        Raises OSError (and with it ConnectionError, ssl.SSLError) and TimeoutError.
        """
        raw = _request(method, headers, self._netloc, None if body is None else len(body), self._prefix + target)
        if body:
            raw += body
        while True:
            connection = self._reusable()
            reused = connection is not None
            if connection is None:
                connection = await self._connect()
            try:
                async with asyncio.timeout(_ANSWER_SECONDS):
                    reply = await connection.ask(raw)
            except NotHttp:
                raise
            except ConnectionError:
                if reused and not connection.received:
                    continue  # the server had closed it while nothing was asked: that says nothing about the server
                raise
            except BaseException:
                connection.close()
                raise
            if connection.usable:
                self._idle.append(connection)
            else:
                connection.close()
            return reply

    def _reusable(self) -> _Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.usable:
                return connection
        return None

    async def _connect(self) -> _Connection:
        name = (self._access.server_name or self._host) if self._tls else None
        async with asyncio.timeout(_CONNECT_SECONDS):
            _, connection = await asyncio.get_running_loop().create_connection(
                _Connection, self._host, self._port, ssl=self._tls, server_hostname=name
            )
        return connection

    def close(self) -> None:
        for connection in self._idle:
            connection.close()
        self._idle.clear()


def _request(method: str, headers: str, host: str, length: int | None, target: str) -> bytes:
    sized = f"Content-Length: {length}\r\n" if length is not None else ""
    return f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n{headers}{sized}\r\n".encode()


@lru_cache(maxsize=64)
def lines(headers: tuple[tuple[str, str], ...]) -> str:
    """Headers as they are sent. Raises ValueError for one that would be two."""
    if any("\r" in text or "\n" in text for pair in headers for text in pair):
        raise ValueError("a header with a line break in it")
    return "".join(f"{name}: {value}\r\n" for name, value in headers)
