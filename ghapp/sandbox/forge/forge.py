"""A whole forge: state, git, HTTP, webhooks and pages put together, and its life from start to stop.

It composes and decides nothing itself: what comes in over HTTP is judged where it is handled.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from ghapp.sandbox.forge import admin, controls
from ghapp.sandbox.forge.git.batch import ReaderPool
from ghapp.sandbox.forge.git.store import GitStore
from ghapp.sandbox.forge.model import Delivery, State
from ghapp.sandbox.forge.operations import automerge, timeline
from ghapp.sandbox.forge.rest import table
from ghapp.sandbox.forge.seeding import Seeding
from ghapp.sandbox.forge.smart_http import SmartHttp
from ghapp.sandbox.forge.web.application import API, GRAPHQL, Application, RequestLog
from ghapp.sandbox.forge.web.call import Call, Reply
from ghapp.sandbox.forge.web.faults import Faults
from ghapp.sandbox.forge.web.ratelimit import RateLimits
from ghapp.sandbox.forge.web.server import Server, WsgiApp
from ghapp.sandbox.forge.webhooks.delivery import Deliverer


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Forge(Seeding):
    """A GitHub stand-in. Its git repositories are kept below ``root``, which is emptied of older ones at the start.

    ``clock`` returns an aware time; :meth:`advance` moves it.
    """

    def __init__(
        self, root: Path, host: str = "127.0.0.1", port: int = 0, clock: Callable[[], datetime] = _utc_now
    ) -> None:
        self._offset = timedelta()
        self._folder = root / "repositories"
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        self._pool = ReaderPool()
        super().__init__(State(lambda: clock() + self._offset), self._create_store)
        self.faults = Faults()
        self.limits = RateLimits(self.state.now)
        self.requests = RequestLog()
        self._deliverer = Deliverer(self.state, self.faults)
        timeline.watch(self.state)
        automerge.watch(self.state)
        self.state.listeners.append(self.share_new)
        self._git = SmartHttp(self.state, self._folder, self.faults)
        routes = table.routes(self._store, self.limits, self._deliverer.redeliver)
        self.application = Application(
            self.state, routes, self._graphql, self._elsewhere, self.faults, self.limits, self.requests
        )
        self._admin = admin.create(
            {
                **self._calls(),
                **controls.calls(self.state, self.faults, self.limits, self.requests, self.pause, self.resume),
            }
        )
        self._pages: WsgiApp | None = None
        self._server = Server(self.application, host, port)

    # Life -------------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Listen. Everything that needs an address is right from here on."""
        self._server.start()
        host, port = self._server.address
        self.state.web_url = f"http://{host}:{port}"

    def stop(self) -> None:
        """Stop listening and sending, and end what was started."""
        self._server.stop()
        self._deliverer.close()
        self._pool.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def pause(self) -> None:
        """Be away: refuse connections and cut those that are open, until :meth:`resume`."""
        self._server.stop()

    def resume(self) -> None:
        """Be back, at the same address."""
        self._server.start()

    @property
    def url(self) -> str:
        """Where its pages and git are: ``http://host:port``."""
        return self.state.web_url

    @property
    def api_url(self) -> str:
        return self.url + API

    @property
    def graphql_url(self) -> str:
        return self.url + GRAPHQL

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._offset += timedelta(seconds=seconds)

    @property
    def deliveries(self) -> list[Delivery]:
        """The log of webhook deliveries, oldest first."""
        return list(self.state.deliveries)

    def wait_for_deliveries(self, timeout: float = 10) -> bool:
        """Wait until everything that was to be delivered has been tried; False if that takes longer."""
        return self._deliverer.wait(timeout)

    # What is served ---------------------------------------------------------------------------------------------------

    def _create_store(self, repository_id: int, default_branch: str) -> GitStore:
        return GitStore.create(self._folder / f"{repository_id}.git", self._pool, default_branch)

    def _graphql(self, call: Call) -> Reply:
        # Parsing GitHub's schema takes a moment, which a forge that is never asked should not.
        from ghapp.sandbox.forge.graphql.execution import execute

        bucket = self.limits.bucket(call.actor.key, "graphql")
        outcome = execute(self.state, call.actor, call.body.fields, bucket)
        return Reply(outcome.body, cost=outcome.points)

    def _elsewhere(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path: str = environ["RAW_PATH"]
        if SmartHttp.matches(path):
            return self._git(environ, start_response)
        if path.startswith(admin.PREFIX):
            return self._admin(environ, start_response)
        if self._pages is None:
            from ghapp.sandbox.forge.pages import application

            self._pages = application.create(self.state)
        return self._pages(environ, start_response)

    def _calls(self) -> dict[str, Callable[..., Any]]:
        """What :mod:`.admin` offers of this class."""
        offered = (
            self.accept_permissions,
            self.add_collaborator,
            self.add_member,
            self.advance,
            self.change_repositories,
            self.create_app,
            self.create_org,
            self.create_repository,
            self.create_team,
            self.create_user,
            self.install,
            self.protect,
            self.queue_merge,
            self.revoke_authorization,
            self.share,
            self.suspend,
            self.uninstall,
            self.user_token,
            self.wait_for_deliveries,
        )
        return {call.__name__: call for call in offered}
