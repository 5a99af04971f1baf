"""The road of a commit while things break: Redis emptied, workers killed, everything away in turn, deliveries lost.

Each test has a whole sandbox of its own and ends with the same question: did the release reach production exactly once?
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis import Redis

from ghapp import names
from ghapp.sandbox.base_image import push_base_image
from ghapp.sandbox.demo import BASE_IMAGE, EXAMPLE
from ghapp.sandbox.person import Person
from ghapp.sandbox.tree import ENVIRONMENTS, REPOSITORY, Sandbox
from ghapp.status import Row, read_status

pytestmark = pytest.mark.slow

PATIENCE = 90.0  # seconds that any one wait may take
PRODUCTION = ENVIRONMENTS[-1]
# One step that takes a moment, so that there is a middle to break things in; what scanners find is not the point here.
CONFIG = """\
version: 1
app: {app}
pipeline:
  on: {{push: {{branches: [main]}}}}
  before:
    - {{name: tests, run: sleep 1}}
  image: {{repository: {registry}/{app}, file: Containerfile, args: {{BASE: {registry}/{base}}}}}
deploy:
  environments:
    - {{name: dev,     render: {{kustomize: deploy/dev}}}}
    - {{name: staging, render: {{kustomize: deploy/staging}}, after: [dev]}}
    - {{name: prod,    render: {{kustomize: deploy/prod}},    after: [staging], approvals: 1}}
"""


class Road:
    """A sandbox, its people, and one commit on its way; asks only what a user could ask."""

    def __init__(self, folder: Path) -> None:
        self.sandbox = Sandbox(folder / "sandbox", sweep_interval=10)
        self.places = self.sandbox.start()
        self.redis = Redis.from_url(self.places.redis)
        self.ada, self.grace = (
            Person(
                login,
                self.places.tokens[login],
                api=self.places.api,
                forge=self.places.forge,
                repository=f"{self.places.organisation}/{REPOSITORY}",
            )
            for login in ("ada", "grace")
        )
        push_base_image(self.places.registry, BASE_IMAGE)
        self.sandbox.forge.create_repository(self.places.organisation, REPOSITORY)
        self.work = folder / "work"
        self.ada.start_work(self.work, EXAMPLE)
        registry = self.places.registry
        config = CONFIG.format(app=REPOSITORY, registry=registry, base=BASE_IMAGE)
        (self.work / names.CONFIG_FILE).write_text(config)
        for file in self.work.glob("deploy/base/*.yaml"):
            file.write_text(file.read_text().replace("registry.example.com", registry))

    def close(self) -> None:
        self.redis.close()
        self.sandbox.stop()

    # --- what people do -----------------------------------------------------------------------------
    def push(self) -> str:
        return self.ada.push(self.work, "A change")

    def approve(self) -> None:
        """Wait until nothing but the approval of production is missing, then give it."""
        self.wait("production waits for an approval", self.waits_for_approval)
        (pull,) = self.pulls(PRODUCTION)
        self.grace.approve(int(pull["number"]), "fine")

    # --- looking ------------------------------------------------------------------------------------
    def wait(self, what: str, ready: Callable[[], Any]) -> None:
        until = time.monotonic() + PATIENCE
        while not ready():
            if time.monotonic() > until:
                logs = {c.name: c.tail(10) for c in self.sandbox.children.values() if c.name in ("worker", "server")}
                raise AssertionError(f"after {PATIENCE:g} s it is still not so that {what}\n{logs}")
            time.sleep(0.1)

    def checks(self, sha: str) -> dict[str, dict[str, Any]]:
        return {run["name"]: run for run in self.ada.checks(sha)}

    def has_begun(self, sha: str) -> bool:
        """Whether a worker is at the pipeline's first step."""
        run = self.checks(sha).get(names.stage_check(REPOSITORY, "before"))
        return run is not None and run["status"] == "in_progress"

    def pulls(self, environment: str) -> list[dict[str, Any]]:
        return self.ada.pulls(names.environment_branch(environment))

    def waits_for_approval(self) -> bool:
        for pull in self.pulls(PRODUCTION):
            checks = self.checks(pull["head"]["sha"])
            gates = [c["conclusion"] for n, c in checks.items() if n.startswith(names.gate_check(""))]
            ready = checks.get(names.CHECK_READY)
            return bool(ready) and ready["output"]["title"].startswith("1 of ") and gates.count("success") >= 1
        return False

    def row(self, sha: str, environment: str) -> Row | None:
        """What a signed environment branch says of a commit."""
        verify = (self.sandbox.folder / "secrets" / "verify.pem").read_bytes()
        rows = read_status(f"{self.places.forge}/{self.ada.repository}.git", [verify])
        return next(
            (r for r in rows if (r.deployed.environment, r.deployed.commit, r.problem) == (environment, sha, "")), None
        )

    def healthy(self, sha: str, environment: str = PRODUCTION) -> bool:
        row = self.row(sha, environment)
        found = self.ada.get("deployments", environment=environment, sha=row.commit.sha) if row else []
        statuses = self.ada.get(f"deployments/{found[-1]['id']}/statuses") if found else []
        return bool(statuses) and statuses[0]["state"] == "success"

    def not_ready_because(self) -> str:
        """The sentences of what ``/readyz`` finds wanting."""
        told = httpx.get(f"{self.places.server}/readyz", timeout=10).json()
        return " ".join(c["message"] for c in told["checks"].values() if not c["ok"])

    # --- the question -------------------------------------------------------------------------------
    def arrived_once(self, sha: str) -> None:
        """One release, one pull request and one merge for each environment, and no check left behind."""
        releases = set()
        for environment in ENVIRONMENTS:
            row = self.row(sha, environment)
            assert row, f"{sha[:7]} is not in {environment}"
            releases.add(row.deployed.release)
            (pull,) = self.pulls(environment)
            assert pull["merge_commit_sha"] == row.commit.sha
            assert [v for v in self._trailers(environment) if v == row.deployed.release] == [row.deployed.release]
            assert self._unfinished(pull["head"]["sha"]) == []
            assert {d["sha"] for d in self.ada.get("deployments", environment=environment)} == {row.commit.sha}
        assert len(releases) == 1
        assert self._unfinished(sha) == []
        assert {run["conclusion"] for run in self.checks(sha).values()} == {"success"}

    def _trailers(self, environment: str) -> list[str]:
        """Every release that an environment's log says was merged."""
        branch = names.environment_branch(environment)
        self.ada.git(self.work, "fetch", "--quiet", "origin", f"+{branch}:refs/remotes/origin/{branch}")
        form = f"--format=%(trailers:key={names.TRAILER_RELEASE},valueonly)"
        return self.ada.git(self.work, "log", "--first-parent", form, f"refs/remotes/origin/{branch}").split()

    def _unfinished(self, sha: str) -> list[str]:
        """The check runs on a commit that somebody would wait for in vain; every one counts, not only the newest."""
        found = self.ada.get(f"commits/{sha}/check-runs", per_page=100, filter="all")["check_runs"]
        return [run["name"] for run in found if run["status"] != "completed"]


@pytest.fixture
def road(tmp_path: Path) -> Iterator[Road]:
    made = Road(tmp_path)
    yield made
    made.close()


# --- Redis is emptied -------------------------------------------------------------------------------
def test_an_emptied_redis_loses_nothing(road: Road) -> None:
    sha = road.push()
    road.wait("the pipeline has begun", lambda: road.has_begun(sha))
    road.redis.flushall()
    road.wait("production waits for an approval", road.waits_for_approval)
    road.redis.flushall()
    road.approve()
    road.redis.flushall()  # the approval's delivery with it, as likely as not
    road.wait("the release is healthy in production", lambda: road.healthy(sha))
    road.arrived_once(sha)


# --- workers are killed -----------------------------------------------------------------------------
@pytest.mark.skipif(sys.platform != "linux", reason="a worker's children are found in /proc")
def test_workers_killed_again_and_again_lose_and_double_nothing(road: Road) -> None:
    seed = int(os.environ.get("SURVIVAL_SEED") or random.randrange(1_000_000))
    print(f"SURVIVAL_SEED={seed}")  # pytest shows it when the test fails
    chance = random.Random(seed)
    sha = road.push()
    # A run that loses its worker more often than three times is given up, as it says; beyond the pipeline, no limit.
    _kill(road, chance, rounds=3, done=lambda: road.pulls("dev"))
    road.wait("there is a release", lambda: road.pulls("dev"))
    _kill(road, chance, rounds=8, done=road.waits_for_approval)
    road.approve()
    _kill(road, chance, rounds=4, done=lambda: road.healthy(sha))
    road.wait("the release is healthy in production", lambda: road.healthy(sha))
    road.arrived_once(sha)


def _kill(road: Road, chance: random.Random, *, rounds: int, done: Callable[[], Any]) -> None:
    """Kill all workers at once, or what starts them, at random moments until ``done``."""
    for _ in range(rounds):
        time.sleep(chance.uniform(0.1, 2.5))  # the moment is what is tried here, not waited for
        if done():
            return
        supervisor = road.sandbox.children["worker"].popen.pid
        if chance.random() < 0.3:
            os.kill(supervisor, signal.SIGKILL)
            road.sandbox.restart("worker")
            continue
        for child in Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split():
            os.kill(int(child), signal.SIGKILL)


# --- parts are away ---------------------------------------------------------------------------------
def test_forge_and_redis_away_in_the_middle_and_at_the_start(road: Road) -> None:
    sha = road.push()
    road.wait("the pipeline has begun", lambda: road.has_begun(sha))
    road.sandbox.forge.pause()
    road.wait("the server says that GitHub is away", lambda: f"{road.places.api} cannot be reached" in _says(road))
    road.sandbox.children["redis"].kill()
    road.wait("the server says that Redis is away", lambda: "Redis at redis://127.0.0.1" in _says(road))
    for name in ("server", "worker"):
        road.sandbox.restart(name)
    road.wait("the server starts without either", lambda: "Redis at redis://127.0.0.1" in _says(road))
    assert road.sandbox.children["worker"].alive

    road.sandbox.restart("redis")
    road.sandbox.forge.resume()
    road.wait("the server is ready", lambda: not _says(road))
    road.approve()
    road.wait("the release is healthy in production", lambda: road.healthy(sha))
    road.arrived_once(sha)


def _says(road: Road) -> str:
    """What ``/readyz`` finds wanting; that it does not answer, while the server starts."""
    try:
        return road.not_ready_because()
    except httpx.TransportError:
        return "the server does not answer"


def test_registry_and_cluster_away_and_back(road: Road) -> None:
    cluster = road.sandbox.children["cluster"].popen
    road.sandbox.children["registry"].kill()
    cluster.send_signal(signal.SIGSTOP)
    try:
        sha = road.push()
        road.wait("the pipeline has begun", lambda: road.has_begun(sha))
        image = names.stage_check(REPOSITORY, "image")
        away = f"the registry {road.places.registry} cannot be reached"
        road.wait(
            "the build says that the registry is away",
            lambda: away in str(road.checks(sha).get(image, {}).get("output")),
        )
        assert road.checks(sha)[image]["status"] == "in_progress"
        road.sandbox.restart("registry")
        road.wait("dev's promotion is merged", lambda: road.row(sha, "dev"))
    finally:
        cluster.send_signal(signal.SIGCONT)
    road.approve()
    road.wait("the release is healthy in production", lambda: road.healthy(sha))
    road.arrived_once(sha)


# --- deliveries go wrong ----------------------------------------------------------------------------
def test_deliveries_lost_doubled_and_reordered(road: Road) -> None:
    faults = road.sandbox.forge.faults
    faults.lose_rate = faults.double_rate = faults.reorder_rate = 0.3
    sha = road.push()
    road.approve()
    road.wait("the release is healthy in production", lambda: road.healthy(sha))
    fates = {delivery.status_code for delivery in road.sandbox.forge.deliveries}
    assert len(fates) > 1, "no delivery was lost; nothing was tried"
    road.arrived_once(sha)
