"""A place to run steps in, without GitHub: a checkout, a store, secrets, the real sandbox."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from redis import Redis
from rq.serializers import JSONSerializer

from ghapp.config.model import Pipeline, Step
from ghapp.evidence import notes
from ghapp.evidence.keys import signer
from ghapp.evidence.release import Release, releases
from ghapp.evidence.statement import Statement
from ghapp.sandbox.forge.forge import Forge
from ghapp.sandbox.person import Person
from ghapp.settings import Settings, load
from ghapp.store import store
from ghapp.store.directory import DirectoryStore
from jobs import subjects
from jobs.executors import Stop
from jobs.executors.local import Local
from jobs.mirrors import mirror
from jobs.pipeline.log import StepLog
from jobs.pipeline.order import Order
from jobs.pipeline.result import StepResult
from jobs.pipeline.secrets import Secrets
from jobs.pipeline.step import Site, Sofar, carry_out
from jobs.pipeline.triggers import Occasion, Pull
from jobs.queue import PIPELINE, RECONCILE, rq_queue
from jobs.subjects import Ask
from jobs.worker import Carrier, Here, here

ROOT = Path(__file__).parents[3]
PULL = Pull(7, "a title", "mallory", "feature", "main")


@dataclass
class Ground:
    """Where a test's steps run. ``minted`` are the permissions of the tokens that steps were given."""

    root: Path
    occasion: Occasion = field(default_factory=lambda: Occasion("push", branch="main", author="ada"))
    trusted: bool = True
    stop: Stop = field(default_factory=Stop)
    images: dict[str, str] = field(default_factory=dict)
    minted: list[Mapping[str, str]] = field(default_factory=list)
    pipeline: Pipeline = field(default_factory=Pipeline)
    settings: Settings = field(default_factory=lambda: load({}))

    def __post_init__(self) -> None:
        self.workspace.mkdir(exist_ok=True)
        self.store = DirectoryStore(self.root / "store")
        self.sofar = Sofar(images=self.images)
        self.results: list[StepResult] = []

    @property
    def workspace(self) -> Path:
        return self.root / "checkout"

    def files(self, **contents: str) -> None:
        for name, text in contents.items():
            path = self.workspace / name.replace("__", "/").replace("_DOT_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def secret(self, name: str, value: str) -> None:
        folder = self.root / "secrets" / "acme" / "web"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(value)

    def _mint(self, permissions: Mapping[str, str]) -> str:
        self.minted.append(permissions)
        return "ghs_minted-token-value"

    def site(self) -> Site:
        order = Order(1, "acme/web", "a" * 40, "web", 1, ".ghapp.yml", "a" * 40, self.occasion, trusted=self.trusted)
        files = frozenset(
            str(p.relative_to(self.workspace)) for p in self.workspace.rglob("*") if p.is_file() and not p.is_symlink()
        )
        return Site(
            order=order,
            pipeline=self.pipeline,
            workspace=self.workspace,
            scratch=self.root / "scratch",
            executor=Local(),
            store=self.store,
            secrets=Secrets(self.root / "secrets", "acme/web"),
            settings=self.settings,
            stop=self.stop,
            mint=self._mint,
            files=files,
            data_dir=self.root / "data",
        )

    def run(self, script: str = "", **fields: Any) -> StepResult:
        """Carry out one step, after those before it."""
        step = Step.model_validate({**({"run": script} if script else {}), **fields})

        def changed(log: StepLog) -> None:
            del log

        result = carry_out(step, f"before-{len(self.results)}", self.site(), self.sofar, changed)
        self.results.append(result)
        self.sofar = self.sofar.after(result)
        return result

    def log(self, result: StepResult) -> str:
        return (self.store.read(result.log) or b"").decode()


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    return Ground(tmp_path)


# --- the whole road: a forge, a queue, jobs --------------------------------------------------------
class Lane:
    """One repository in a forge, a real queue on a real Redis, and a worker in this process.

    ``push`` and the like are what people do; ``look`` reconciles a commit and carries out all that follows from it.
    """

    def __init__(self, forge: Forge, redis: Redis, folder: Path, name: str, **settings: str) -> None:
        self.forge, self.redis, self.folder, self.full_name = forge, redis, folder, f"acme/{name}"
        self.repository = forge.create_repository("acme", name)
        app = forge.ghapp  # type: ignore[attr-defined]
        key = Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self.secrets = folder / "secrets"
        self.environ = {
            "GHAPP_GITHUB_API_URL": forge.api_url,
            "GHAPP_APP_ID": str(app.id),
            "GHAPP_APP_SLUG": "ghapp",
            "GHAPP_PRIVATE_KEY": app.private_key,
            "GHAPP_SIGNING_KEY": key.decode(),
            "GHAPP_DATA_DIR": str(folder / "data"),
            "GHAPP_SECRETS_DIR": str(self.secrets),
            "GHAPP_PUBLIC_URL": "https://ghapp.example",
            "GHAPP_GITHUB_WRITES_PER_MINUTE": "100000",
            **settings,
        }
        self.settings = load(self.environ)
        self.here = Here.at(self.settings, redis, name)
        self.queue, self.github = self.here.queue, self.here.github
        self.work = folder / "work"
        self.people = {login: self._person(login, self.full_name) for login in ("ada", "eve", "mallory")}
        empty = folder / "empty"
        empty.mkdir()
        self.people["ada"].start_work(self.work, empty)

    @property
    def id(self) -> int:
        return int(self.repository.id)

    def _person(self, login: str, full_name: str) -> Person:
        forge = self.forge
        return Person(login, forge.user_token(login), api=forge.api_url, forge=forge.url, repository=full_name)

    # --- what people do -----------------------------------------------------------------------------
    def write(self, files: Mapping[str, str | None], work: Path | None = None) -> None:
        for path, text in files.items():
            file = (work or self.work) / path
            if text is None:
                file.unlink()
            else:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)

    def push(
        self, files: Mapping[str, str | None], *, branch: str = "main", message: str = "change", look: bool = True
    ) -> str:
        """Commit on a branch (made from here if it is new), push, and have the commit looked at."""
        git = self.people["ada"].git
        if git(self.work, "branch", "--show-current") != branch:
            known = git(self.work, "branch", "--list", branch)
            git(self.work, "checkout", "--quiet", *([] if known else ["-b"]), branch)
        self.write(files)
        git(self.work, "add", "--all")
        git(self.work, "commit", "--quiet", "--allow-empty", "--message", message)
        git(self.work, "push", "--quiet", "--force", "origin", branch)
        sha = git(self.work, "rev-parse", "HEAD")
        if look:
            self.look(sha)
        return sha

    def open_pull(self, branch: str, *, title: str = "a change", head: str = "", by: str = "ada") -> int:
        body = {"title": title, "head": head or branch, "base": "main"}
        return int(self._person(by, self.full_name).post("pulls", body)["number"])

    def fork(self, files: Mapping[str, str], *, by: str = "mallory", branch: str = "evil") -> tuple[str, int]:
        """A pull request from a fork: its head and number."""
        self._person(by, self.full_name).post("forks", {})
        name = self.full_name.partition("/")[2]
        person = self._person(by, f"{by}/{name}")
        work = self.folder / f"fork-{by}"
        person.git(self.folder, "clone", "--quiet", f"{self.forge.url}/{by}/{name}.git", str(work))
        person.git(work, "checkout", "--quiet", "-b", branch)
        self.write(files, work)
        person.git(work, "add", "--all")
        person.git(work, "commit", "--quiet", "--message", "from outside")
        person.git(work, "push", "--quiet", "origin", branch)
        return person.git(work, "rev-parse", "HEAD"), self.open_pull(branch, head=f"{by}:{branch}", by=by)

    # --- what ghapp does ----------------------------------------------------------------------------
    def look(self, sha: str, *asks: Ask) -> None:
        """Reconcile a commit and everything that is wanted then, until nothing is."""
        for ask in asks or (None,):
            self.queue.enqueue(subjects.commit(self.id, sha), ask=ask)
        self.work_off()

    def work_off(self, *queues: str) -> None:
        token = here.set(self.here)
        try:
            names = queues or (RECONCILE, PIPELINE)
            worker = Carrier(
                [rq_queue(self.redis, n) for n in names],
                name=uuid.uuid4().hex,
                connection=self.redis,
                serializer=JSONSerializer,
            )
            worker.work(burst=True, logging_level="CRITICAL")
        finally:
            here.reset(token)

    def worker(self, place: str, redis_url: str) -> subprocess.Popen[bytes]:
        """A worker process; the caller ends it."""
        code = (
            "import sys; from ghapp.settings import load; from jobs.worker import work; "
            f"work(load(), ('reconcile', 'pipeline'), {place!r}, {next(_numbers)})"
        )
        env = {**os.environ, **self.environ, "GHAPP_REDIS_URL": redis_url, "PYTHONPATH": str(ROOT)}
        log = (self.folder / f"worker-{place}.log").open("ab")
        return subprocess.Popen([sys.executable, "-c", code], env=env, stdout=log, stderr=log, start_new_session=True)

    # --- looking ------------------------------------------------------------------------------------
    def calls(self) -> list[str]:
        """What the app has asked of GitHub about this repository since the last :meth:`forget_calls`."""
        found = (f"{r.method} {r.route.split(' ', 1)[-1]}" for r in self.forge.requests.by(app="ghapp"))
        return [call for call in found if "access_tokens" not in call]

    def forget_calls(self) -> None:
        self.forge.requests.reset()

    def checks(self, sha: str) -> dict[str, dict[str, Any]]:
        return {run["name"]: run for run in self.people["ada"].checks(sha)}

    def ends(self, sha: str) -> dict[str, str]:
        """Check run → conclusion, or its status while it has none."""
        return {name: run["conclusion"] or run["status"] for name, run in self.checks(sha).items()}

    def statements(self, sha: str) -> list[Statement]:
        git = mirror(self.settings.mirrors, self.github.for_repository(self.id))
        git.fetch(notes.FETCH)
        return notes.read_note(git, sha, signer(self.settings).trusted)

    def releases(self, sha: str) -> list[Release]:
        return releases({sha: self.statements(sha)})

    def log(self, run: str, step: str) -> str:
        return (store(self.settings.store).read(f"runs/{run}/{step}.log") or b"").decode()


@pytest.fixture(scope="session")
def forge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forge]:
    with Forge(tmp_path_factory.mktemp("forge")) as running:
        manifest = yaml.safe_load((ROOT / "app.yml").read_text())
        for login in ("ada", "eve", "mallory"):
            running.create_user(login)
        running.create_org("acme")
        running.create_team("acme", "writers", members=["ada"], permission="write")
        running.create_team("acme", "readers", members=["eve"], permission="read")
        app = running.create_app("ghapp", manifest["default_permissions"], manifest["default_events"])
        running.install(app, "acme")
        running.ghapp = app  # type: ignore[attr-defined]
        yield running


_numbers = itertools.count(1)


@pytest.fixture
def make_lane(forge: Forge, redis: Redis, tmp_path: Path) -> Callable[..., Lane]:
    """Makes a repository of its own with these settings."""

    def make(**settings: str) -> Lane:
        number = next(_numbers)
        folder = tmp_path / f"lane-{number}"
        folder.mkdir()
        return Lane(forge, redis, folder, f"web-{number}", **settings)

    return make


@pytest.fixture
def lane(make_lane: Callable[..., Lane]) -> Lane:
    return make_lane()
