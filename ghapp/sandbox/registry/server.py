"""A registry that listens on loopback, in a thread of this process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

from ghapp.sandbox.registry.api import Api
from ghapp.sandbox.registry.storage import Storage


class Registry:
    """A registry: ``start()``, use ``url`` or ``address``, ``stop()``. Also a context manager.

    ``root`` holds the content and is made where it is missing; ``users`` maps names to passwords.
    """

    def __init__(
        self, root: Path, host: str = "127.0.0.1", port: int = 0, *, users: Mapping[str, str] | None = None
    ) -> None:
        self.root = root
        self.host = host
        self.port = port
        self._users = users
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._done: asyncio.Event | None = None
        self._ready = threading.Event()
        self._failure: BaseException | None = None

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    @property
    def address(self) -> str:
        """Host and port, as an image's name begins with."""
        return f"{self.host}:{self.port}"

    def start(self) -> Registry:
        """Listen. Raises OSError where the port is taken or the folder cannot be written."""
        self._ready.clear()
        self._thread = threading.Thread(target=self._run, name="sandbox-registry", daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            raise self._failure
        return self

    def stop(self) -> None:
        """Close every connection and end. Safe to repeat."""
        if self._loop is not None and self._done is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._done.set)
            self._thread.join()
        self._thread = None

    def __enter__(self) -> Registry:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as e:  # told to whoever called start()
            self._failure = e
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._done = asyncio.Event()
        api = Api(Storage(self.root), self._users)
        server = web.Server(api.handle, request_factory=_request, access_log=None)
        runner = web.ServerRunner(server, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, self.host, self.port).start()
        self.port = runner.addresses[0][1]
        self._ready.set()
        await self._done.wait()
        await runner.cleanup()


def _request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
    """A request whose body is limited by what it is for, not by the server."""
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=0)
