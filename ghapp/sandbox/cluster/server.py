"""A Kubernetes API that listens on loopback, in a thread of this process.

Only what listens, starts, stops and puts the parts together is here. Objects live in memory and end with it.
"""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from ghapp.sandbox.cluster import certificates, kubeconfig, seed
from ghapp.sandbox.cluster.accounts import Signer
from ghapp.sandbox.cluster.api import MAX_BODY, Api
from ghapp.sandbox.cluster.control import Control
from ghapp.sandbox.cluster.controllers.loop import Loop, Pace
from ghapp.sandbox.cluster.controllers.registry import ALL, ESSENTIAL
from ghapp.sandbox.cluster.controllers.runs import Runs
from ghapp.sandbox.cluster.faults import Faults
from ghapp.sandbox.cluster.identity import AUTHENTICATED, Tokens, User
from ghapp.sandbox.cluster.images import Images
from ghapp.sandbox.cluster.kinds import Kinds
from ghapp.sandbox.cluster.lists import Lister
from ghapp.sandbox.cluster.logs import Logs
from ghapp.sandbox.cluster.objects import Objects
from ghapp.sandbox.cluster.rbac import Authorizer
from ghapp.sandbox.cluster.reviews import Reviewer
from ghapp.sandbox.cluster.store import Store
from ghapp.sandbox.cluster.verbs import Verbs
from ghapp.sandbox.cluster.watch import Watches


class Cluster:
    """A cluster: ``start()``, use ``url``, ``stop()``. Also a context manager.

    ``pace`` says how long things take; without ``controllers`` nothing but the API itself runs, as in envtest.
    With ``tls`` every request needs a token; without, those that bring none are the administrator's.
    Images of ``registry`` (an address) must be there for their Pods to start.
    ``faults`` may be changed at any time. ``data_dir`` is where Jobs run and write logs; a temporary folder without.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        data_dir: Path | None = None,
        *,
        pace: Pace | None = None,
        controllers: bool = True,
        tls: bool = False,
        registry: str = "",
    ) -> None:
        self.host = host
        self.port = port
        self.pace = pace or Pace()
        self.controllers = controllers
        self.tls = tls
        self.registry = registry
        self.authority = ""
        self.tokens = Tokens()
        if tls:
            self.tokens.anonymous = None
        self.faults = Faults()
        self._data_dir = data_dir
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._done: asyncio.Event | None = None
        self._control: Control | None = None

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.host}:{self.port}"

    def start(self) -> Cluster:
        """Listen. Raises OSError where the port is taken."""
        if self._data_dir is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="ghapp-cluster-", ignore_cleanup_errors=True)
            self._data_dir = Path(self._temporary.name)
        self._ready.clear()
        self._thread = threading.Thread(target=self._run, args=(self._data_dir,), name="sandbox-cluster", daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            raise self._failure
        return self

    def stop(self) -> None:
        """Close every connection, kill every Job, end. Safe to repeat."""
        if self._loop is not None and self._done is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._done.set)
            self._thread.join()
        self._thread = None
        if self._temporary is not None:
            self._temporary.cleanup()
            self._temporary, self._data_dir = None, None

    def __enter__(self) -> Cluster:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def kubeconfig(self, path: Path, token: str = "", namespace: str = "default") -> Path:
        """Write a kubeconfig for the administrator, or for the holder of ``token``."""
        return kubeconfig.write(path, self.url, token or self.tokens.admin, namespace, self.authority)

    def token(self, user: str, *groups: str) -> str:
        """A new token for a user, who may do what roles allow them to."""
        return self.tokens.issue(User(user, (*groups, AUTHENTICATED)))

    def drop_watches(self) -> None:
        """End every open watch, as a server that restarts does."""
        self._act(lambda c: c.drop_watches())

    def expire(self) -> None:
        """Forget the past: watches from old versions and continued lists get 410, open watches end."""
        self._act(lambda c: c.expire())

    def set_pace(self, **seconds: float) -> None:
        """Change how long things take from now on; names are those of :class:`Pace`."""
        self._act(lambda c: c.set_pace(seconds))

    def pause(self) -> None:
        """Be away: connections are cut without an answer until :meth:`resume`."""
        self.faults.away = True
        self.drop_watches()

    def resume(self) -> None:
        self.faults.away = False

    def _act(self, act: Callable[[Control], object]) -> None:
        """Run something in the cluster's event loop, and wait for it."""
        if self._loop is None or self._control is None:
            raise RuntimeError("the cluster is not running: call start() first")
        done = threading.Event()
        control = self._control

        def run() -> None:
            try:
                act(control)
            finally:
                done.set()

        self._loop.call_soon_threadsafe(run)
        done.wait()

    def _run(self, folder: Path) -> None:
        try:
            with asyncio.Runner(loop_factory=_loop_factory()) as runner:
                runner.run(self._serve(folder))
        except BaseException as e:  # told to whoever called start()
            self._failure = e
        finally:
            self._ready.set()

    async def _serve(self, folder: Path) -> None:
        self._loop = asyncio.get_running_loop()
        self._done = asyncio.Event()
        store = Store()
        objects = Objects(store, Kinds())
        lister, watches, logs = Lister(store), Watches(store), Logs(folder)
        authorizer, signer = Authorizer(store), Signer()
        reviewer = Reviewer(authorizer, self.tokens, signer)
        controllers = Loop(objects, self.pace, Images(self.registry))
        self._control = Control(store, self.faults, self.tokens, watches, lister, controllers)
        runs = Runs(controllers, folder, logs)
        controllers.start([*ALL, lambda _: runs] if self.controllers else ESSENTIAL)
        seed.plant(objects)
        verbs = Verbs(objects, authorizer, reviewer, signer, lister, watches, logs)
        api = Api(objects.kinds, verbs, self.tokens, signer, authorizer, self.faults, self._control)
        # Watches end with their clients: handlers are cancelled when a connection goes.
        server = web.Server(api.handle, request_factory=_request, handler_cancellation=True, access_log=None)
        runner = web.ServerRunner(server, shutdown_timeout=0.1)
        await runner.setup()
        secure = None
        if self.tls:
            secure, self.authority = certificates.context(self.host, folder)
        await web.TCPSite(runner, self.host, self.port, backlog=1024, ssl_context=secure).start()
        self.port = runner.addresses[0][1]
        self._ready.set()
        await self._done.wait()
        self._control = None
        controllers.stop()
        runs.stop()
        watches.drop()
        await runner.cleanup()


def _request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=MAX_BODY)


def _loop_factory() -> Any:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
