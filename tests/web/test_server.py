"""``ghapp server`` as a process: it starts whatever is away, takes real deliveries, and stops when told."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from redis import Redis
from redis.exceptions import RedisError

from jobs.deliveries import STREAM, Delivery

from .conftest import environ, push, signed

if TYPE_CHECKING:
    from tests.conftest import Place


class Server:
    """One server process, and where it listens."""

    def __init__(self, env: dict[str, str], folder: Path) -> None:
        self._log = folder / "server.log"
        command = [sys.executable, "-m", "ghapp", "server", "--port", "0", "--workers", "1"]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                command, env={**os.environ, **env}, stdout=log, stderr=log, start_new_session=True
            )
        wait_until(lambda: "listening on" in self.log() or self.process.poll() is not None)
        found = re.search(r"listening on (http://[0-9.:]+)", self.log())
        assert found, self.log()
        self.url = found[1]
        wait_until(self._answers)

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/healthz", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    def deliver(self, number: int = 1) -> int:
        headers = signed(push(), delivery=f"d-{number}")
        return httpx.post(f"{self.url}/webhooks/github", content=push(), headers=headers, timeout=20).status_code

    def end(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)


def wait_until(condition: Callable[[], object], seconds: float = 30) -> None:
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up, "it did not happen in time"
        time.sleep(0.02)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[dict[str, str]], Server]]:
    servers: list[Server] = []

    def begin(env: dict[str, str]) -> Server:
        servers.append(Server({"GHAPP_LOG_FORMAT": "json", **env}, tmp_path))
        return servers[-1]

    yield begin
    for server in servers:
        server.end()


def test_a_server_takes_deliveries_and_stops_when_told(
    start: Callable[[dict[str, str]], Server], redis_url: str, redis: Redis, tmp_path: Path
) -> None:
    server = start(environ(redis_url, tmp_path))
    assert [server.deliver(1), server.deliver(1), server.deliver(2)] == [202, 202, 202]
    assert redis.xlen(STREAM) == 2
    assert httpx.get(f"{server.url}/readyz").status_code == 200
    assert httpx.get(f"{server.url}/nowhere").status_code == 404
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(20) == 0


def test_what_github_sends_arrives(place: Place, start: Callable[[dict[str, str]], Server], redis: Redis) -> None:
    server = start(place.environ)
    place.app.webhook_url = f"{server.url}/webhooks/github"
    sha = place.push(README="one")
    place.forge.wait_for_deliveries()
    wait_until(lambda: redis.xlen(STREAM))
    found = [Delivery.from_json(fields[b"r"]) for _, fields in redis.xrange(STREAM)]
    pushed = next(delivery for delivery in found if delivery.event == "push")
    assert [str(subject) for subject in pushed.subjects] == [f"commit/{place.repository.id}/{sha}"]
    assert {delivery.status_code for delivery in place.forge.deliveries if delivery.event == "push"} == {202}


def test_redis_may_come_late_go_and_come_back(
    start: Callable[[dict[str, str]], Server], tmp_path: Path, redis_server: Path
) -> None:
    link = tmp_path / "redis.sock"  # Redis is there whenever this link is
    server = start(environ(f"unix://{link}", tmp_path))
    client = Redis(unix_socket_path=str(redis_server))
    client.flushall()
    for number, there in enumerate((False, True, False, True)):
        if there:
            link.symlink_to(redis_server)
        else:
            link.unlink(missing_ok=True)
            _drop_connections(client)
        assert server.deliver(number) == (202 if there else 503)
        assert httpx.get(f"{server.url}/readyz").status_code == (200 if there else 503)
    assert client.xlen(STREAM) == 2


def _drop_connections(client: Redis) -> None:
    me = client.client_id()
    for other in client.client_list():
        if int(other["id"]) != me:
            try:
                client.client_kill_filter(_id=other["id"])
            except RedisError:
                continue  # it has gone by itself


def test_wrong_settings_are_said_at_start(tmp_path: Path) -> None:
    env = {**os.environ, "GHAPP_PRIVATE_KEY": "-----BEGIN PRIVATE KEY-----\nno\n-----END PRIVATE KEY-----"}
    for command in ("server", "worker"):
        done = subprocess.run(
            [sys.executable, "-m", "ghapp", command], env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 1
        assert "GHAPP_PRIVATE_KEY: is not a PEM key; use the RSA private key" in done.stderr
        assert "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_said(redis_url: str, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        command = [sys.executable, "-m", "ghapp", "server", "--port", str(taken.getsockname()[1])]
        env = {**os.environ, **environ(redis_url, tmp_path)}
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert "is taken by another process" in done.stderr
    assert "Traceback" not in done.stderr
