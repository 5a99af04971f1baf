"""The agent as it runs for good: drift healed by watch, pokes, leases, tokens and reports, many environments."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from aiohttp import web

from ghapp.agent.kube.config import Access, load
from ghapp.agent.serve import _run
from ghapp.agent.surroundings import Surroundings


@dataclass
class Control:
    """A stand-in for ghapp's server: the three calls of the agent's wire format."""

    reports: list[dict[str, Any]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    sha: str = ""
    url: str = ""
    key: str = "pre-shared"

    async def token(self, request: web.Request) -> web.Response:
        if request.headers["Authorization"] != f"Bearer {self.key}":
            return web.json_response({"message": "unknown credential"}, status=401)
        self.tokens.append((await request.json())["repository"])
        return web.json_response({"token": "ghs_x", "expires_at": "2100-01-01T00:00:00Z"})

    async def wait(self, request: web.Request) -> web.Response:
        for _ in range(100):
            if self.sha and request.query["sha"] != self.sha:
                return web.json_response({"sha": self.sha})
            await asyncio.sleep(0.05)
        return web.Response(status=204)

    async def report(self, request: web.Request) -> web.Response:
        self.reports.append(orjson.loads(await request.read()))
        return web.Response(status=202)


@dataclass
class Running:
    """An agent in a thread of its own."""

    environments: list[Any]
    access: Access
    around: Surroundings = field(default_factory=Surroundings)

    def __enter__(self) -> Running:
        started = threading.Event()

        async def go() -> None:
            self.loop = asyncio.get_running_loop()
            self.task = asyncio.ensure_future(_run(self.environments, self.access, self.around))
            started.set()
            with contextlib.suppress(asyncio.CancelledError):
                await self.task

        self.thread = threading.Thread(target=asyncio.run, args=(go(),))
        self.thread.start()
        assert started.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(RuntimeError):  # it ended before
            self.loop.call_soon_threadsafe(self.task.cancel)
        self.thread.join(30)
        assert not self.thread.is_alive()


@pytest.fixture
def control() -> Iterator[Control]:
    server, ready, stop = Control(), threading.Event(), []

    async def serve() -> None:
        app = web.Application()
        app.router.add_post("/agent/v1/token", server.token)
        app.router.add_get("/agent/v1/wait", server.wait)
        app.router.add_post("/agent/v1/report", server.report)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        server.url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"  # type: ignore[union-attr]
        ended = asyncio.Event()
        stop.append((asyncio.get_running_loop(), ended))
        ready.set()
        await ended.wait()
        await runner.cleanup()

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    assert ready.wait(10)
    yield server
    loop, ended = stop[0]
    loop.call_soon_threadsafe(ended.set)
    thread.join(10)


@pytest.fixture
def running(place: Any) -> Any:
    """Start the agent on the place's environment (or on others), through the gateway."""

    def start(*environments: Any, **around: Any) -> Running:
        access = replace(load(place.kubeconfig), url=place.gateway.url, tls=None)
        chosen = list(environments) or [replace(place.environment, interval=600)]
        return Running(chosen, access, Surroundings(**around))

    return start


@pytest.mark.conformance
def test_drift_is_healed_by_watch(place: Any, running: Any) -> None:
    place.repository.commit({"shop/a.yaml": [place.cm("one"), place.cm("two")]})
    with running():
        place.eventually(lambda: place.get("configmaps", "two"))
        place.eventually(lambda: ("GET", place.path("configmaps")) in place.gateway.log)
        place.api.merge(place.path("configmaps", "one"), {"data": {"a": "9", "b": "9"}}, "kubectl-edit")
        place.eventually(lambda: place.get("configmaps", "one")["data"] == {"a": "1"})
        place.api.delete(place.path("configmaps", "two"))
        place.eventually(lambda: place.get("configmaps", "two"))
        # Again and again: patience grows, but it is healed.
        place.api.merge(place.path("configmaps", "one"), {"data": {"a": "8"}}, "kubectl-edit")
        place.eventually(lambda: place.get("configmaps", "one")["data"] == {"a": "1"})
    assert place.sync().drift == [], "what was healed is remembered"
    assert place.gateway.writes == []


@pytest.mark.conformance
def test_a_watch_that_expired_begins_again(place: Any, running: Any) -> None:
    place.gateway.gone = 2
    place.repository.commit({"shop/a.yaml": place.cm("one")})
    with running():
        place.eventually(lambda: place.get("configmaps", "one"))
        place.eventually(lambda: place.gateway.gone == 0)
        place.api.merge(place.path("configmaps", "one"), {"data": {"a": "9"}}, "kubectl-edit")
        place.eventually(lambda: place.get("configmaps", "one")["data"] == {"a": "1"})


@pytest.mark.conformance
def test_drift_is_reported_and_left_where_healing_is_off(place: Any, running: Any, control: Control) -> None:
    place.repository.commit({"shop/a.yaml": place.cm("one")})
    file = place.repository.path.parent / "key"
    file.write_text(control.key)
    with running(replace(place.environment, heal=False, interval=600), server=control.url, server_token_file=file):
        place.eventually(lambda: control.reports and control.reports[-1]["state"] == "success")
        place.api.merge(place.path("configmaps", "one"), {"data": {"a": "9"}}, "kubectl-edit")
        place.eventually(lambda: any(r["drift"] for r in control.reports))
    (drift,) = next(r["drift"] for r in control.reports if r["drift"])
    assert drift["fields"] == [".data.a"]
    assert drift["managers"] == ["kubectl-edit"]
    assert place.get("configmaps", "one")["data"] == {"a": "9"}


@pytest.mark.conformance
def test_an_outage_is_survived(place: Any, running: Any) -> None:
    place.repository.commit({"shop/a.yaml": place.cm("one")})
    with running(replace(place.environment, interval=1)):
        place.eventually(lambda: place.get("configmaps", "one"))
        place.gateway.away = True
        place.repository.commit({"shop/a.yaml": [place.cm("one"), place.cm("two")]})
        refused = len(place.gateway.log)
        place.eventually(lambda: len(place.gateway.log) > refused + 3)
        place.gateway.away = False
        place.eventually(lambda: place.get("configmaps", "two"), 30)


def test_a_merge_is_applied_when_the_server_pokes_and_reported_once(place: Any, running: Any, control: Control) -> None:
    first = place.repository.commit({"shop/a.yaml": place.cm("one")})
    file = place.repository.path.parent / "key"
    file.write_text(control.key + "\n")
    with running(server=control.url, server_token_file=file):
        place.eventually(lambda: control.reports and control.reports[-1]["state"] == "success")
        second = place.repository.commit({"shop/a.yaml": place.cm("one", {"a": "2"})})
        control.sha = second
        place.eventually(lambda: place.get("configmaps", "one")["data"] == {"a": "2"})
        place.eventually(lambda: control.reports[-1]["sha"] == second and control.reports[-1]["state"] == "success")
    told = [(r["sha"], r["state"]) for r in control.reports]
    assert told == [(s, state) for s in (first, second) for state in ("in_progress", "success")]
    last = control.reports[-1]
    assert (last["environment"], last["branch"], last["objects"], last["changed"]) == ("prod", "env/prod", 1, 1)
    assert [(a["app"], a["state"]) for a in last["apps"]] == [("shop", "success")]


def test_two_agents_one_leads_and_the_other_takes_over(place: Any, running: Any) -> None:
    place.repository.commit({"shop/a.yaml": place.cm("one")})
    lease = place.path("leases", "ghapp-agent-prod", "coordination.k8s.io/v1")

    def holder() -> str:
        return str((place.api.get(lease) or {"spec": {}})["spec"].get("holderIdentity") or "")

    with running() as first:
        place.eventually(lambda: place.get("configmaps", "one"))
        leader = holder()
        assert leader
        with running():
            place.gateway.log.clear()
            place.api.merge(place.path("configmaps", "one"), {"data": {"a": "9"}}, "kubectl-edit")
            place.eventually(lambda: place.get("configmaps", "one")["data"] == {"a": "1"})
            assert holder() == leader
            first.loop.call_soon_threadsafe(first.task.cancel)
            place.eventually(lambda: holder() not in ("", leader))


def test_many_environments_in_one_process(place: Any, running: Any) -> None:
    for name in ("dev", "prod"):
        place.repository.commit({f"{name}-app/a.yaml": place.cm(name)}, branch=f"env/{name}")
    both = [replace(place.environment, branch=f"env/{name}", interval=600) for name in ("dev", "prod")]
    with running(*both):
        place.eventually(lambda: place.get("configmaps", "dev") and place.get("configmaps", "prod"))
    # Each has an inventory of its own: neither prunes what is the other's.
    assert place.sync(branch="env/dev").ok
    assert place.get("configmaps", "prod")


def test_metrics_probes_and_events(place: Any, running: Any) -> None:
    import socket

    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    place.repository.commit({"shop/a.yaml": place.cm("one")})

    def ask(path: str) -> str:
        async def go() -> str:
            async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as answer:
                return f"{answer.status} {await answer.text()}"

        try:
            return asyncio.run(go())
        except aiohttp.ClientError:
            return ""

    with running(metrics_port=port, metrics_host="127.0.0.1"):
        place.eventually(lambda: 'ghapp_agent_objects{environment="prod"} 1.0' in ask("/metrics"))
        assert ask("/healthz") == ask("/readyz") == "200 ok\n"
        assert 'ghapp_agent_leads{environment="prod"} 1.0' in ask("/metrics")
        told = place.eventually(lambda: place.api.get(place.path("events"))["items"])
    assert any(e["reason"] == "Applied" and "1 created" in e["message"] for e in told)


def test_tokens_are_minted_before_they_are_needed_and_kept_while_they_are_good(
    control: Control, tmp_path: Path
) -> None:
    from ghapp.agent.broker import credential, minting
    from ghapp.agent.server import Server, ServerError

    file = tmp_path / "token"
    file.write_text("wrong")

    async def go() -> None:
        async with aiohttp.ClientSession() as session:
            mint = minting(Server(control.url, credential(file), session), "acme/shop")
            with pytest.raises(ServerError, match="unknown credential"):
                await mint()
            file.write_text(control.key)
            assert await mint() == await mint() == "ghs_x"

    asyncio.run(go())
    assert control.tokens == ["acme/shop"]
