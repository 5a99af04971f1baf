"""Over the network: git by smart HTTP with minted credentials, and reports straight to GitHub."""

from __future__ import annotations

import asyncio
import base64
import os
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import web

from ghapp.agent.kube.config import load
from ghapp.agent.once import once
from ghapp.agent.surroundings import Surroundings


@dataclass
class Web:
    """git's own http-backend for one folder of repositories, and the few GitHub calls that reports make."""

    root: Path
    token: str = ""
    url: str = ""
    fetches: int = 0
    calls: list[tuple[str, str, Any]] = field(default_factory=list)
    statuses: list[dict[str, Any]] = field(default_factory=list)

    async def git(self, request: web.Request) -> web.Response:
        pair = base64.b64encode(f"x-access-token:{self.token}".encode()).decode()
        if self.token and request.headers.get("Authorization") != f"Basic {pair}":
            return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="git"'})
        self.fetches += request.method == "POST" and b"command=fetch" in await request.read()
        env = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": request.path.removeprefix("/git"),
            "REQUEST_METHOD": request.method,
            "QUERY_STRING": request.query_string,
            "CONTENT_TYPE": request.headers.get("Content-Type", ""),
            "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
            "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
        }
        process = await asyncio.create_subprocess_exec(
            "git", "http-backend", env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        out, _ = await process.communicate(await request.read())
        head, _, body = out.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        status = int(headers.pop("Status", "200").split()[0])
        return web.Response(status=status, body=body, headers=headers)

    async def api(self, request: web.Request) -> web.Response:
        raw = await request.read()
        body = orjson.loads(raw) if raw else None
        self.calls.append((request.method, request.path.partition("/shop")[2], body))
        if request.method == "POST":
            self.statuses.insert(0, body)
            return web.json_response({}, status=201)
        if request.path.endswith("/deployments"):
            return web.json_response([{"id": 7}] if request.query["task"] == "deploy:web" else [])
        if "/deployments/7/" in request.path:
            return web.json_response([s for s in self.statuses if "context" not in s][:1])
        return web.json_response([s for s in self.statuses if "context" in s])


@pytest.fixture
def remote(repository: Any) -> Iterator[Web]:
    server, ready, stop = Web(repository.path.parent), threading.Event(), []

    async def serve() -> None:
        app = web.Application(client_max_size=2**26)
        app.router.add_route("*", "/git/{rest:.*}", server.git)
        app.router.add_route("*", "/api/{rest:.*}", server.api)
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


def sync(place: Any, remote: Web, **around: Any) -> Any:
    environment = replace(place.environment, repo=f"{remote.url}/git/repository/.git")
    return asyncio.run(once(environment, load(place.kubeconfig), Surroundings(**around)))


def test_a_branch_is_fetched_with_a_token_and_only_when_it_moved(place: Any, remote: Web, tmp_path: Path) -> None:
    place.repository.commit({"web/a.yaml": place.cm("a")})
    remote.token = "t0ken"
    refused = sync(place, remote)
    assert not refused.ok
    assert "cannot be asked for env/prod" in refused.errors()[0].message
    file = tmp_path / "token"
    file.write_text("t0ken\n")
    assert sync(place, remote, token_file=file).ok
    assert place.get("configmaps", "a")
    fetches = remote.fetches
    assert fetches > 0
    assert sync(place, remote, token_file=file).ok
    assert remote.fetches == fetches, "nothing moved, nothing is fetched"
    place.repository.commit({"web/a.yaml": place.cm("a", {"a": "2"})})
    assert sync(place, remote, token_file=file).ok
    assert place.get("configmaps", "a")["data"] == {"a": "2"}
    place.repository.git("checkout", "-q", "--detach")
    place.repository.git("branch", "-qD", "env/prod")
    assert "has no branch env/prod" in sync(place, remote, token_file=file).errors()[0].message


def test_github_is_told_once(place: Any, remote: Web, tmp_path: Path) -> None:
    sha = place.repository.commit({"web/a.yaml": place.cm("a")})
    environment = replace(place.environment, repo=f"{remote.url}/git/acme/shop")
    (remote.root / "acme").mkdir()
    (remote.root / "acme" / "shop").symlink_to(place.repository.path / ".git")
    file = tmp_path / "token"
    file.write_text("ghp")
    around = Surroundings(github_api_url=f"{remote.url}/api", github_token_file=file)
    for _ in range(2):
        assert asyncio.run(once(environment, load(place.kubeconfig), around)).ok
    written = [(path, body["state"]) for method, path, body in remote.calls if method == "POST"]
    assert written == [(f"/statuses/{sha}", "success"), ("/deployments/7/statuses", "success")]
    assert remote.statuses[-1]["context"] == "ghapp / agent / prod"
