"""A cluster for the agent's tests, and a place of its own in it for each test.

The cluster is the one of ``KUBECONFIG``; else one that is started from ``KUBEBUILDER_ASSETS`` (a folder with ``etcd``
and ``kube-apiserver``); else the sandbox's. Everything a test makes is removed again, cluster-scoped objects too.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from aiohttp import ClientSession, TCPConnector, web

from ghapp.agent.environment import Environment
from ghapp.agent.kube.client import Kube
from ghapp.agent.kube.config import Access, load
from ghapp.agent.kube.errors import ApiError
from ghapp.agent.once import once
from ghapp.agent.report import Outcome
from ghapp.agent.surroundings import Surroundings

# --- the cluster ------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def api_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The kubeconfig of a cluster's administrator."""
    folder = tmp_path_factory.mktemp("cluster")
    if os.environ.get("KUBECONFIG"):
        yield Path(os.environ["KUBECONFIG"])
    elif os.environ.get("KUBEBUILDER_ASSETS"):
        with _Envtest(Path(os.environ["KUBEBUILDER_ASSETS"]), folder) as kubeconfig:
            yield kubeconfig
    else:
        # In a process of its own: a cluster does not share our interpreter.
        kubeconfig = folder / "kubeconfig"
        command = [sys.executable, "-m", "ghapp.sandbox.cluster", "--kubeconfig", str(kubeconfig)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert process.stdout is not None
        try:
            assert process.stdout.readline(), "the sandbox's cluster did not start"
            yield kubeconfig
        finally:
            process.terminate()
            process.wait(30)
            process.stdout.close()


class _Envtest:
    """A real kube-apiserver and its etcd, as controller-runtime's envtest starts them: no controllers, no nodes."""

    def __init__(self, assets: Path, folder: Path) -> None:
        self.assets, self.folder = assets, folder
        self.processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Path:
        etcd, peer, port = (_free_port() for _ in range(3))
        keys, tokens = self.folder / "sa.key", self.folder / "tokens.csv"
        subprocess.run(["openssl", "genrsa", "-out", str(keys), "2048"], check=True, capture_output=True)
        token = secrets.token_hex(16)
        tokens.write_text(f"{token},admin,admin,system:masters\n")
        where = f"http://127.0.0.1:{etcd}"
        self._start("etcd", f"--data-dir={self.folder / 'etcd'}", f"--listen-client-urls={where}",
                    f"--advertise-client-urls={where}", f"--listen-peer-urls=http://127.0.0.1:{peer}",
                    "--unsafe-no-fsync")  # fmt: skip
        self._start("kube-apiserver", f"--etcd-servers={where}", f"--secure-port={port}", "--bind-address=127.0.0.1",
                    f"--cert-dir={self.folder / 'certs'}", "--authorization-mode=RBAC",
                    f"--token-auth-file={tokens}", f"--service-account-key-file={keys}",
                    f"--service-account-signing-key-file={keys}", "--service-account-issuer=https://localhost",
                    "--service-cluster-ip-range=10.0.0.0/24", "--disable-admission-plugins=ServiceAccount",
                    "--allow-privileged=true")  # fmt: skip
        kubeconfig = self.folder / "kubeconfig"
        cluster = {"server": f"https://127.0.0.1:{port}", "insecure-skip-tls-verify": True}
        kubeconfig.write_text(
            yaml.safe_dump(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "current-context": "test",
                    "clusters": [{"name": "test", "cluster": cluster}],
                    "users": [{"name": "test", "user": {"token": token}}],
                    "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
                }
            )
        )
        api = Api(load(kubeconfig))
        eventually(lambda: api.get("/api/v1/namespaces/default") is not None, seconds=120)
        return kubeconfig

    def _start(self, program: str, *arguments: str) -> None:
        with (self.folder / f"{program}.log").open("wb") as log:
            self.processes.append(subprocess.Popen([str(self.assets / program), *arguments], stdout=log, stderr=log))

    def __exit__(self, *_: object) -> None:
        for process in reversed(self.processes):
            process.terminate()
            process.wait(30)


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port


def eventually(true: Callable[[], Any], *, seconds: float = 20) -> Any:
    """Poll until it is true. A refusal counts as not yet."""
    until = time.monotonic() + seconds
    while True:
        try:
            if found := true():
                return found
        except (ApiError, OSError):
            pass
        assert time.monotonic() < until, "it did not become true in time"
        time.sleep(0.05)


class Api:
    """The administrator's view of the cluster, one call at a time."""

    def __init__(self, access: Access) -> None:
        self.access = access

    def call(
        self, method: str, path: str, body: Any = None, content_type: str = "application/json", **query: str
    ) -> Any:
        async def go() -> Any:
            async with Kube(self.access, patience=10) as kube:
                raw = orjson.dumps(body) if body is not None else None
                return (await kube.request(method, path, query=query, body=raw, content_type=content_type)).data

        return asyncio.run(go())

    def get(self, path: str) -> Any:
        """The object, or None."""
        try:
            return self.call("GET", path)
        except ApiError as e:
            if e.code == 404:
                return None
            raise

    def create(self, collection: str, body: Any) -> Any:
        return self.call("POST", collection, body)

    def merge(self, path: str, body: Any, manager: str = "someone") -> Any:
        return self.call("PATCH", path, body, "application/merge-patch+json", fieldManager=manager)

    def delete(self, path: str) -> None:
        try:
            self.call("DELETE", path)
        except ApiError as e:
            if e.code != 404:
                raise


# --- between agent and cluster ----------------------------------------------------------------------


@dataclass
class Gateway:
    """Stands between the agent and the API server: counts requests, and makes trouble when told to.

    ``away``: no answers; ``throttle``: how many requests get 429; ``gone``: how many watches get 410; ``token``: what
    the agent must send (empty: anything); ``refuse``: "METHOD part-of-path" that gets 403.
    """

    access: Access
    log: list[tuple[str, str]] = field(default_factory=list)
    away: bool = False
    throttle: int = 0
    gone: int = 0
    token: str = ""
    refuse: str = ""
    url: str = ""
    on_request: Callable[[str, str], None] | None = None

    def start(self) -> None:
        ready = threading.Event()

        async def serve() -> None:
            self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
            self._session = ClientSession(connector=TCPConnector(limit=0), auto_decompress=False)
            runner = web.ServerRunner(web.Server(self._handle), shutdown_timeout=0.1)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            self.url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"  # type: ignore[union-attr]
            ready.set()
            await self._stop.wait()
            await runner.cleanup()
            await self._session.close()

        self._thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
        self._thread.start()
        assert ready.wait(10)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    @property
    def writes(self) -> list[tuple[str, str]]:
        """Writes to anything but the agent's own books."""
        own = ("ghapp-inventory-", "/leases", "/events")
        return [
            (m, p)
            for m, p in self.log
            if m not in ("GET", "HEAD")
            and not any(o in p for o in own)
            and not (m == "POST" and p.endswith("/secrets"))
        ]

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.log.append((request.method, request.path_qs.partition("?")[0]))
        if self.on_request:
            self.on_request(request.method, request.path_qs)
        if self.away:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if self.throttle > 0:
            self.throttle -= 1
            return _status(429, "TooManyRequests", "slow down", {"Retry-After": "1"})
        watch = "watch=" in request.query_string
        if watch and self.gone > 0:
            self.gone -= 1
            return _status(410, "Expired", "too old resource version")
        if self.token and request.headers.get("Authorization") != f"Bearer {self.token}":
            return _status(401, "Unauthorized", "Unauthorized")
        method, _, part = self.refuse.partition(" ")
        if part and method == request.method and part in request.path_qs:
            return _status(403, "Forbidden", f"{part} is forbidden")
        return await self._forward(request)

    async def _forward(self, request: web.BaseRequest) -> web.StreamResponse:
        headers = {k: v for k, v in request.headers.items() if k not in ("Host", "Content-Length", "Authorization")}
        sent = request.headers.get("Authorization", "")
        headers["Authorization"] = sent if sent and not self.token else self.access.authorization(False)
        if not headers["Authorization"]:
            del headers["Authorization"]
        url = self.access.url + request.path_qs
        async with self._session.request(
            request.method, url, data=await request.read(), headers=headers, ssl=self.access.tls or True
        ) as answer:
            kept = {k: v for k, v in answer.headers.items() if k not in ("Transfer-Encoding", "Content-Length")}
            response = web.StreamResponse(status=answer.status, headers=kept)
            await response.prepare(request)
            async for chunk in answer.content.iter_any():
                await response.write(chunk)
            await response.write_eof()
            return response


def _status(code: int, reason: str, message: str, headers: dict[str, str] | None = None) -> web.Response:
    body = {"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": message}
    return web.json_response(body, status=code, headers=headers)


# --- a repository -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Repository:
    """A git repository with an environment branch."""

    path: Path

    def git(self, *arguments: str) -> str:
        command = ["git", "-C", str(self.path), "-c", "user.name=t", "-c", "user.email=t@example.test", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def commit(self, files: dict[str, Any], *, branch: str = "env/prod") -> str:
        """Make the branch hold exactly these files (text, bytes, or objects to be written as YAML); its SHA."""
        self.git("checkout", "-q", "--orphan", secrets.token_hex(6))
        self.git("rm", "-rfq", "--ignore-unmatch", ".")
        for name, content in files.items():
            file = self.path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content if isinstance(content, bytes) else _text(content).encode())
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "a state")
        self.git("branch", "-qM", branch)
        return self.git("rev-parse", "HEAD")


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return yaml.safe_dump_all(content if isinstance(content, list) else [content], sort_keys=False)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    path = tmp_path / "repository"
    path.mkdir()
    subprocess.run(["git", "init", "-q", "-b", "main", str(path)], check=True)
    return Repository(path)


# --- a place for one test ---------------------------------------------------------------------------


@dataclass
class Place:
    """A namespace of the cluster, a branch, and an agent between them. ``sync`` is one pass."""

    api: Api
    gateway: Gateway
    namespace: str
    repository: Repository
    tag: str
    environment: Environment
    kubeconfig: Path
    cleanup: list[str] = field(default_factory=list)

    def sync(self, files: dict[str, Any] | None = None, *, access: Access | None = None, **options: Any) -> Outcome:
        """Commit these files, if any, and reconcile once."""
        if files is not None:
            self.repository.commit(files)
        self.gateway.log.clear()
        environment = replace(self.environment, **options)
        access = access or replace(load(self.kubeconfig), url=self.gateway.url, tls=None)
        return asyncio.run(once(environment, access, Surroundings()))

    def path(self, plural: str, name: str = "", group: str = "") -> str:
        """``path("configmaps", "one")``, ``path("deployments", "web", "apps/v1")``."""
        root = f"/apis/{group}" if group else "/api/v1"
        return f"{root}/namespaces/{self.namespace}/{plural}" + (f"/{name}" if name else "")

    def get(self, plural: str, name: str, group: str = "") -> Any:
        return self.api.get(self.path(plural, name, group))

    def version(self, plural: str, name: str, group: str = "") -> str:
        return str(self.get(plural, name, group)["metadata"]["resourceVersion"])

    eventually = staticmethod(lambda true, seconds=20.0: eventually(true, seconds=seconds))

    @staticmethod
    def cm(name: str, data: dict[str, str] | None = None, **meta: Any) -> dict[str, Any]:
        """A ConfigMap as a manifest."""
        found: dict[str, Any] = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **meta}}
        return {**found, "data": data if data is not None else {"a": "1"}}

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        """Run kubectl as the administrator, in the place's namespace."""
        command = [kubectl(), "--kubeconfig", str(self.kubeconfig), "-n", self.namespace, *arguments]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def inventory(self) -> set[str]:
        """What the inventory holds, as ``Kind name``."""
        from ghapp.agent.inventory import Store

        async def go() -> set[str]:
            async with Kube(self.api.access) as kube:
                found = await Store(kube, self.namespace, self.environment.name).load()
                return {f"{k.kind} {k.name}" for k in found.records}

        return asyncio.run(go())


@pytest.fixture(scope="session")
def gateway_session(api_server: Path) -> Iterator[Gateway]:
    gateway = Gateway(load(api_server))
    gateway.start()
    yield gateway
    gateway.stop()


@pytest.fixture
def gateway(gateway_session: Gateway) -> Iterator[Gateway]:
    yield gateway_session
    gateway_session.away, gateway_session.throttle, gateway_session.gone = False, 0, 0
    gateway_session.token, gateway_session.refuse, gateway_session.on_request = "", "", None


@pytest.fixture
def place(api_server: Path, gateway: Gateway, repository: Repository) -> Iterator[Place]:
    tag = secrets.token_hex(4)
    namespace = f"ghapp-test-{tag}"
    api = Api(load(api_server))
    api.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    environment = Environment(str(repository.path), "env/prod", namespace, verify="none", wait=False, timeout=20)
    place = Place(api, gateway, namespace, repository, tag, environment, api_server)
    yield place
    for path in place.cleanup:
        api.delete(path)
    remove_namespace(api, namespace)


def remove_namespace(api: Api, namespace: str) -> None:
    """Delete a namespace, also where no controller empties and finalises it."""
    path = f"/api/v1/namespaces/{namespace}"
    api.delete(path)
    there = api.get(path)
    if there is None or _has_controllers(api):
        return
    for group, plural in _EMPTIED:
        root = f"/apis/{group}" if group else "/api/v1"
        for item in (api.get(f"{root}/namespaces/{namespace}/{plural}") or {}).get("items") or ():
            one = f"{root}/namespaces/{namespace}/{plural}/{item['metadata']['name']}"
            if item["metadata"].get("finalizers"):
                api.merge(one, {"metadata": {"finalizers": None}})
            api.delete(one)
    there["spec"]["finalizers"] = []
    there["metadata"].pop("resourceVersion", None)
    api.call("PUT", f"{path}/finalize", there)


_EMPTIED = [
    ("", "configmaps"), ("", "secrets"), ("", "services"), ("", "serviceaccounts"), ("", "persistentvolumeclaims"),
    ("", "pods"), ("", "events"), ("apps/v1", "deployments"), ("apps/v1", "statefulsets"), ("batch/v1", "jobs"),
    ("rbac.authorization.k8s.io/v1", "roles"), ("rbac.authorization.k8s.io/v1", "rolebindings"),
    ("networking.k8s.io/v1", "ingresses"), ("autoscaling/v2", "horizontalpodautoscalers"),
    ("coordination.k8s.io/v1", "leases"),
]  # fmt: skip
_CONTROLLERS: dict[str, bool] = {}


def _has_controllers(api: Api) -> bool:
    """Whether something finalises namespaces here: found out once, on one of our own."""
    if api.access.url not in _CONTROLLERS:
        name = f"ghapp-test-probe-{secrets.token_hex(4)}"
        api.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        api.delete(f"/api/v1/namespaces/{name}")
        until = time.monotonic() + 15
        while (there := api.get(f"/api/v1/namespaces/{name}")) is not None and time.monotonic() < until:
            time.sleep(0.1)
        _CONTROLLERS[api.access.url] = there is None
        if there is not None:
            there["spec"]["finalizers"] = []
            there["metadata"].pop("resourceVersion", None)
            api.call("PUT", f"/api/v1/namespaces/{name}/finalize", there)
    return _CONTROLLERS[api.access.url]


@pytest.fixture
def widgets(place: Place) -> dict[str, Any]:
    """A kind of the test's own: its ``group``, and its ``definition``, which is not in the cluster yet."""
    group = f"g{place.tag}.example.test"
    name = f"widgets.{group}"
    place.cleanup.append(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}")
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": name},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": "Widget", "plural": "widgets", "singular": "widget", "listKind": "WidgetList"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": schema},
                    "subresources": {"status": {}},
                }
            ],
        },
    }
    return {"group": group, "definition": definition, "api_version": f"{group}/v1"}


def kubectl() -> str:
    beside = Path(sys.executable).with_name("kubectl")
    return str(beside) if beside.exists() else shutil.which("kubectl") or "kubectl"
