"""The ASGI application that `ghapp server` runs: it reads bodies, takes webhooks at once, hands the rest to Flask.

A body is read completely, within a size and a time, before a thread is given to it: slow clients cost a few bytes,
not a thread. Webhooks take the same steps as in ``webhooks.py`` without passing through Flask, several times faster.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

import orjson
from redis.exceptions import RedisError

from ghapp.web.appender import Appender
from ghapp.web.webhooks import PATH, Refused, accepted, admit, refusal, unavailable
from jobs.connect import connect_async

if TYPE_CHECKING:
    from flask import Flask

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

BODY_SECONDS = 10.0  # within which a body must have arrived
MAX_OTHER_BODY = 1_000_000  # bytes of a body that is not a webhook
THREADS = 128  # Flask views at once in one process; agents that wait take one each
_WRITE_SECONDS = 8.0  # within which Redis must have taken a delivery; GitHub waits for ten
_LARGE = 500_000  # bytes above which a signature is worth a thread


class _Gone(Exception):
    """The client went away before its body was complete."""


class Front:
    """ASGI around a Flask app."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._here = app.extensions["ghapp"]
        self._appender = Appender(connect_async(self._here.settings))
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="view")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        webhook = scope["path"] == PATH and scope["method"] == "POST"
        limit = self._here.settings.max_body if webhook else MAX_OTHER_BODY
        try:
            body = await _body(scope, receive, limit)
        except _Gone:
            return
        except Refused as e:
            await _answer(send, *refusal(e))
            return
        if webhook:
            await _answer(send, *await self._webhook(scope, body))
        else:
            await self._flask(scope, body, send)

    async def _webhook(self, scope: Scope, body: bytes) -> tuple[Any, ...]:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        settings = self._here.settings
        try:
            if len(body) > _LARGE:
                loop = asyncio.get_running_loop()
                delivery = await loop.run_in_executor(self._threads, admit, settings, headers, body)
            else:
                delivery = admit(settings, headers, body)
            new = False
            if delivery.subjects:
                async with asyncio.timeout(_WRITE_SECONDS):
                    new = await self._appender.append(delivery)
        except Refused as e:
            return refusal(e)
        except (RedisError, TimeoutError) as e:
            return unavailable(e)
        return accepted(delivery, new), 202

    # --- Flask -------------------------------------------------------------------------------------
    async def _flask(self, scope: Scope, body: bytes, send: Send) -> None:
        loop = asyncio.get_running_loop()

        def send_now(message: Message) -> None:
            """From the view's thread; waits until the client has taken it, so that a long log fits in memory."""
            asyncio.run_coroutine_threadsafe(_send(send, message), loop).result()

        await loop.run_in_executor(self._threads, self._view, _environ(scope, body), send_now)

    def _view(self, environ: dict[str, Any], send: Callable[[Message], None]) -> None:
        started: list[Message] = []

        def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> Callable[[bytes], None]:
            code = int(status.split(" ", 1)[0])
            encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
            started.append({"type": "http.response.start", "status": code, "headers": encoded})
            return lambda data: send({"type": "http.response.body", "body": data, "more_body": True})

        chunks: Iterable[bytes] = self._app.wsgi_app(environ, start_response)
        try:
            for chunk in chunks:
                if started:
                    send(started.pop())
                if chunk:
                    send({"type": "http.response.body", "body": chunk, "more_body": True})
            if started:
                send(started.pop())
            send({"type": "http.response.body", "body": b""})
        finally:
            close = getattr(chunks, "close", None)
            if close is not None:
                close()


async def _send(send: Send, message: Message) -> None:
    await send(message)


async def _answer(send: Send, data: Any, status: int, headers: dict[str, str] | None = None) -> None:
    body = orjson.dumps(data)
    fields = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        *((name.lower().encode(), value.encode()) for name, value in (headers or {}).items()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": body})


async def _body(scope: Scope, receive: Receive, limit: int) -> bytes:
    """The whole body. Raises ``Refused`` when it is larger than ``limit`` bytes or slower than ``BODY_SECONDS``."""
    for name, value in scope["headers"]:
        if name == b"content-length" and (not value.isdigit() or int(value) > limit):
            raise Refused(413, f"The body has more than {limit} bytes.")
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise _Gone
                part = message.get("body", b"")
                size += len(part)
                if size > limit:
                    raise Refused(413, f"The body has more than {limit} bytes.")
                parts.append(part)
                if not message.get("more_body"):
                    return b"".join(parts)
    except TimeoutError:
        raise Refused(408, f"The body took longer than {BODY_SECONDS:.0f} seconds.") from None


def _environ(scope: Scope, body: bytes) -> dict[str, Any]:
    """The WSGI environment of an ASGI request (PEP 3333)."""
    server = scope.get("server") or ("localhost", 80)
    client = scope.get("client") or ("", 0)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope.get("raw_path") or scope["path"].encode()).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": str(server[0]),
        "SERVER_PORT": str(server[1]),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": str(client[0]),
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        if name == "content-type":
            environ["CONTENT_TYPE"] = value
        elif name != "content-length":
            key = "HTTP_" + name.upper().replace("-", "_")
            environ[key] = f"{environ[key]},{value}" if key in environ else value
    return environ


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


def make_front() -> Front:
    """What granian's worker processes call."""
    from ghapp import logs
    from ghapp.settings import load
    from ghapp.web import create_app

    settings = load()
    logs.configure(settings)
    return Front(create_app(settings))
