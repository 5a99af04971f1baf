"""A gate that is a Job, on a cluster whose Jobs really run."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ghapp.sandbox.cluster.server import Cluster
from ghapp.settings import Settings, load
from jobs.promotion.job_gate import look_at_job, manifest
from policies.demands import Job
from policies.gates import facts


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    folder: Path = tmp_path_factory.mktemp("cluster")
    with Cluster(data_dir=folder) as cluster:
        kubeconfig = str(cluster.kubeconfig(folder / "kubeconfig"))
        environ = {"GHAPP_EXECUTOR": "kubernetes", "GHAPP_KUBECONFIG": kubeconfig}
        yield load({**environ, "GHAPP_KUBERNETES_NAMESPACE": "default"})


def promotion(head: str = "a" * 40) -> facts.Promotion:
    release = facts.Release(id="r", commit="b" * 40, created_at=datetime(2026, 11, 20, tzinfo=UTC))
    return facts.Promotion(
        repository="acme/web", app="web", environment=facts.Environment(name="prod"), release=release, head_sha=head
    )


def ended(settings: Settings, about: facts.Promotion, job: Job) -> dict[str, Any]:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if seen := look_at_job(settings, about, "smoke", job):
            return seen
        time.sleep(0.1)
    raise AssertionError("the Job has not ended")


def test_a_job_that_succeeds_and_one_that_fails(settings: Settings) -> None:
    good = Job(image="busybox", command=("sh", "-c", 'test "$GHAPP_RELEASE" = r && test "$X" = y'), env={"X": "y"})
    assert ended(settings, promotion(), good) == {"status": 0}
    assert ended(settings, promotion("c" * 40), Job(image="busybox", command=("sh", "-c", "exit 3"))) == {"status": 1}


def test_a_job_that_takes_too_long(settings: Settings) -> None:
    slow = Job(image="busybox", command=("sleep", "600"), timeout=timedelta(seconds=1))
    assert ended(settings, promotion("d" * 40), slow) == {"error": "its Job took too long"}


def test_starting_twice_starts_once_and_another_head_starts_another(settings: Settings) -> None:
    job = Job(image="busybox", command=("true",))
    names = {manifest(n, promotion(), "smoke", job)["metadata"]["name"] for n in ("x", "x")}
    assert names == {"x"}
    first = ended(settings, promotion("e" * 40), job)
    assert look_at_job(settings, promotion("e" * 40), "smoke", job) == first == {"status": 0}


def test_without_a_cluster_it_says_what_to_do() -> None:
    job = Job(image="busybox")
    assert "set `executor: kubernetes`" in look_at_job(load({}), promotion(), "smoke", job)["error"]


def test_a_cluster_that_is_away_is_told(tmp_path: Path) -> None:
    import yaml

    away = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
    }
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(away))
    settings = load({"GHAPP_EXECUTOR": "kubernetes", "GHAPP_KUBECONFIG": str(tmp_path / "kubeconfig")})
    assert "cannot be reached" in look_at_job(settings, promotion(), "smoke", Job(image="busybox"))["error"]
