"""How many deliveries a second the server takes, each durable before its 202, and how long a sender waits.

The server runs as `ghapp server` on a Redis with `appendfsync always`; the load comes from this process, on the same
machine. For comparison, the same load goes to the usual way of doing it: a Flask view on granian's WSGI server
that verifies the signature, parses the payload and puts it on an RQ queue.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import aiohttp
import uvloop

SECRET = "benchmark"
COUNT = int(os.environ.get("BENCH_DELIVERIES", "8000"))
SENDERS = 32

PLAIN = """
import hashlib, hmac, os
from flask import Flask, request, abort
from redis import Redis
from rq import Queue

app = Flask(__name__)
queue = Queue(connection=Redis.from_url(os.environ["GHAPP_REDIS_URL"]))

@app.post("/webhooks/github")
def receive():
    body = request.get_data()
    want = "sha256=" + hmac.new(b"benchmark", body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(want, request.headers.get("X-Hub-Signature-256", "")):
        abort(401)
    queue.enqueue("os.getcwd", request.get_json()["after"])
    return "", 202

@app.get("/healthz")
def healthz():
    return "ok"
"""


def payload() -> bytes:
    """A push of eight commits, about 10 KB, as GitHub sends it."""
    api = "https://api.github.com/repos/acme/guestbook/"
    kinds = "forks keys collaborators teams hooks events assignees branches tags blobs statuses languages stargazers"
    person = {"name": "Alice", "email": "alice@example.com", "username": "alice"}
    commits = [
        {
            "id": f"{n:040x}",
            "tree_id": f"{n:040x}",
            "message": "Change something\n\n" + "Because it was needed. " * 15,
            "timestamp": "2026-03-01T12:00:00Z",
            "url": f"{api}commits/{n:040x}",
            "author": person,
            "committer": person,
            "added": [f"src/module_{n}_{file}.py" for file in range(6)],
            "removed": [],
            "modified": ["README.md", "src/main.py"],
        }
        for n in range(1, 9)
    ]
    repository = {"id": 1234567, "name": "guestbook", "full_name": "acme/guestbook", "default_branch": "main"}
    repository |= {f"{kind}_url": api + kind for kind in kinds.split()}
    body = {"ref": "refs/heads/main", "before": "a" * 40, "after": "b" * 40, "repository": repository}
    body |= {"installation": {"id": 99}, "sender": {"login": "alice"}, "commits": commits, "head_commit": commits[-1]}
    return json.dumps(body).encode()


@contextmanager
def process(command: list[str], env: dict[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    with tempfile.TemporaryFile() as log:
        started = subprocess.Popen(command, env={**os.environ, **(env or {})}, stdout=log, stderr=log)
        try:
            yield started
        finally:
            started.terminate()
            started.wait(20)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str) -> None:
    give_up = time.monotonic() + 20
    while time.monotonic() < give_up:
        try:
            urllib.request.urlopen(url, timeout=2)
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"{url} did not answer")


async def load(url: str, body: bytes, count: int) -> tuple[float, list[float]]:
    """Send ``count`` deliveries; returns how long it took and each one's time, in seconds."""
    signature = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    headers = {"X-Hub-Signature-256": signature, "X-GitHub-Event": "push", "Content-Type": "application/json"}
    waits: list[float] = []
    numbers = iter(range(count))

    async def sender(session: aiohttp.ClientSession) -> None:
        for _ in numbers:
            began = time.perf_counter()
            async with session.post(url, data=body, headers={**headers, "X-GitHub-Delivery": str(uuid4())}) as answer:
                await answer.read()
                if answer.status != 202:
                    raise SystemExit(f"{url} answered {answer.status}")
            waits.append(time.perf_counter() - began)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=SENDERS)) as session:
        began = time.perf_counter()
        await asyncio.gather(*(sender(session) for _ in range(SENDERS)))
        return time.perf_counter() - began, sorted(waits)


def measure(name: str, url: str, body: bytes, count: int) -> float:
    uvloop.run(load(url, body, 200))
    seconds, waits = uvloop.run(load(url, body, count))
    rate = count / seconds
    p50, p99 = (waits[int(len(waits) * share)] * 1000 for share in (0.5, 0.99))
    print(f"{name:<28} {rate:>7.0f} deliveries/s   p50 {p50:5.1f} ms   p99 {p99:5.1f} ms")
    return rate


def main() -> None:
    body = payload()
    print(f"payload {len(body)} bytes, {SENDERS} senders at once, {os.cpu_count()} cores shared by everything")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        redis_socket = folder / "redis.sock"
        redis = ["redis-server", "--port", "0", "--unixsocket", str(redis_socket), "--dir", name, "--save", ""]
        env = {"GHAPP_REDIS_URL": f"unix://{redis_socket}", "GHAPP_WEBHOOK_SECRETS": SECRET, "GHAPP_DATA_DIR": name}
        (folder / "plain.py").write_text(PLAIN)
        with process([*redis, "--appendonly", "yes", "--appendfsync", "always"]):
            port = free_port()
            ours = [sys.executable, "-m", "ghapp", "server", "--port", str(port), "--workers", "2"]
            with process(ours, env):
                wait_for(f"http://127.0.0.1:{port}/healthz")
                fast = measure("ghapp server", f"http://127.0.0.1:{port}/webhooks/github", body, COUNT)
            port = free_port()
            plain = [sys.executable, "-m", "granian", "--interface", "wsgi", "--workers", "2", "--port", str(port)]
            with process([*plain, "--working-dir", name, "plain:app"], env):
                wait_for(f"http://127.0.0.1:{port}/healthz")
                slow = measure("Flask view + RQ, granian", f"http://127.0.0.1:{port}/webhooks/github", body, COUNT // 4)
    print(f"ratio {fast / slow:.1f}")


if __name__ == "__main__":
    main()
