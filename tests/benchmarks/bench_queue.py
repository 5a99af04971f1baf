"""How soon a worker begins on a push, and how many reconciles a second a worker gets through.

Server and workers run as in production, on a Redis with `appendfsync always`; the reconcile only notes the time.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import statistics
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from uuid import uuid4

from bench_deliveries import SECRET, free_port, process, wait_for
from redis import Redis

from jobs import subjects
from jobs.queue import WANTED, Queue

PUSHES, SUBJECTS, WORKERS = 100, 1_000, 2

RECONCILES = """
import time
def reconcile(subject, context):
    context.queue.redis.rpush("t:began", time.time())
"""
WORKER = """
import jobs.reconcile as r
r.RECONCILERS.update(dict.fromkeys(r.RECONCILERS, "reconciles:reconcile"))
from ghapp.settings import load
from jobs import workers
workers.run(load(), ["reconcile"], {workers})
"""


def deliver(url: str, number: int) -> None:
    repository = {"id": 7, "full_name": "acme/web", "default_branch": "main"}
    body = json.dumps({"ref": "refs/heads/main", "after": f"{number:040x}", "repository": repository}).encode()
    headers = {
        "X-Hub-Signature-256": "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest(),
        "X-GitHub-Event": "push",
        "X-GitHub-Delivery": str(uuid4()),
        "Content-Type": "application/json",
    }
    urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=10)


def latency(url: str, redis: Redis) -> list[float]:
    """Milliseconds from the push's delivery to the beginning of its reconcile, sorted."""
    waits = []
    for number in range(1, PUSHES + 1):
        sent = time.time()
        deliver(url, number)
        while (began := redis.lpop("t:began")) is None:
            time.sleep(0.001)
        waits.append((float(began) - sent) * 1000)
    return sorted(waits)


def throughput(redis: Redis) -> float:
    queue = Queue(redis)
    for number in range(1, SUBJECTS + 1):
        queue.enqueue(subjects.pull(7, number))
    began = time.monotonic()
    while redis.hlen(WANTED):
        time.sleep(0.005)
    return SUBJECTS / (time.monotonic() - began)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "reconciles.py").write_text(RECONCILES)
        redis_socket = folder / "redis.sock"
        redis_server = ["redis-server", "--port", "0", "--unixsocket", str(redis_socket), "--dir", name, "--save", ""]
        root = str(Path(__file__).parents[2])
        env = {
            "GHAPP_REDIS_URL": f"unix://{redis_socket}",
            "GHAPP_WEBHOOK_SECRETS": SECRET,
            "GHAPP_DATA_DIR": name,
            "GHAPP_GITHUB_API_URL": "http://127.0.0.1:9",
            "PYTHONPATH": os.pathsep.join((root, name)),
        }
        port = free_port()
        with (
            process([*redis_server, "--appendonly", "yes", "--appendfsync", "always"]),
            process([sys.executable, "-m", "ghapp", "server", "--port", str(port), "--workers", "1"], env),
            process([sys.executable, "-c", WORKER.format(workers=WORKERS)], env),
        ):
            wait_for(f"http://127.0.0.1:{port}/healthz")
            redis = Redis(unix_socket_path=str(redis_socket))
            while redis.scard("rq:workers") < WORKERS or not redis.exists("ghapp:epoch"):
                time.sleep(0.05)
            waits = latency(f"http://127.0.0.1:{port}/webhooks/github", redis)
            print(
                f"push to the beginning of its reconcile: p50 {statistics.median(waits):.0f} ms, "
                f"p95 {waits[int(len(waits) * 0.95)]:.0f} ms"
            )
            print(f"reconciles of {WORKERS} workers: {throughput(redis):.0f} a second")


if __name__ == "__main__":
    main()
