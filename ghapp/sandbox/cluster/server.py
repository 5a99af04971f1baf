"""A Kubernetes API that listens on loopback, in a thread of this process.

Only what listens, starts and stops is here. Objects live in memory and end with it.
"""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

from aiohttp import web

from ghapp.sandbox.cluster import kubeconfig
from ghapp.sandbox.cluster.api import Api
from ghapp.sandbox.cluster.controllers import ALL, ESSENTIAL
from ghapp.sandbox.cluster.controllers.loop import Loop, Pace
from ghapp.sandbox.cluster.faults import Faults
from ghapp.sandbox.cluster.identity import Tokens
from ghapp.sandbox.cluster.kinds import Kinds
from ghapp.sandbox.cluster.objects import Objects, Write
from ghapp.sandbox.cluster.store import Store

_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")


class Cluster:
    """A cluster: ``start()``, use ``url``, ``stop()``. Also a context manager.

    ``pace`` says how long things take; without ``controllers`` nothing but the API itself runs, as in envtest.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        data_dir: Path | None = None,
        *,
        pace: Pace | None = None,
        controllers: bool = True,
    ) -> None:
        self.pace = pace or Pace()
        self.controllers = controllers
        self.host = host
        self.port = port
        self.data_dir = data_dir
        self.tokens = Tokens()
        self.faults = Faults()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._done: asyncio.Event | None = None

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def start(self) -> Cluster:
        """Listen. Raises OSError where the port is taken."""
        self._thread = threading.Thread(target=self._run, name="sandbox-cluster", daemon=True)
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

    def __enter__(self) -> Cluster:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def kubeconfig(self, path: Path, token: str = "", namespace: str = "default") -> Path:
        """Write a kubeconfig for the administrator, or for the holder of ``token``."""
        return kubeconfig.write(path, self.url, token or self.tokens.admin, namespace)

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=_loop_factory()) as runner:
                runner.run(self._serve())
        except BaseException as e:  # told to whoever called start()
            self._failure = e
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._done = asyncio.Event()
        objects = Objects(Store(), Kinds())
        controllers = Loop(objects, self.pace)
        controllers.start(ALL if self.controllers else ESSENTIAL)
        _populate(objects)
        api = Api(objects, self.tokens, self.faults)
        server = web.Server(api.handle, access_log=None)
        runner = web.ServerRunner(server, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, self.host, self.port, backlog=1024)
        await site.start()
        sockets: Any = site._server.sockets  # type: ignore[union-attr]
        self.port = sockets[0].getsockname()[1]
        self._ready.set()
        await self._done.wait()
        controllers.stop()
        api.watches.drop()
        await runner.cleanup()


def _loop_factory() -> Any:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def _populate(objects: Objects) -> None:
    kind = objects.kinds.named("Namespace")
    for name in _NAMESPACES:
        objects.create(kind, "", {"metadata": {"name": name}}, Write("kube-apiserver"))
