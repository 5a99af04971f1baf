"""The Kubernetes executor on a cluster whose Jobs run: the same tasks, the same endings, nothing left behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ghapp.sandbox.cluster.server import Cluster
from ghapp.settings import Settings, load
from jobs.executors import kubernetes_job
from jobs.executors.interface import Ended, ExecutorError, Limits, Stop, Task
from jobs.executors.kubernetes import Kubernetes


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster() as running:
        yield running


@dataclass
class Field:
    """A shared folder, and tasks on it in the cluster."""

    settings: Settings
    executor: Kubernetes
    root: Path

    def task(self, script: str, **more: Any) -> Task:
        scratch = self.root / f"scratch-{time.monotonic_ns()}"
        scratch.mkdir()
        return Task(("sh", "-c", script), self.root / "checkout", scratch, **more)

    def run(self, script: str, *, stop: Stop | None = None, **more: Any) -> tuple[Ended, str]:
        printed: list[bytes] = []
        ended = self.executor.run(self.task(script, **more), printed.append, stop or Stop())
        return ended, b"".join(printed).decode()

    def left(self) -> list[str]:
        core, batch, space = self.executor._core, self.executor._batch, self.settings.kubernetes_namespace
        for _ in range(100):
            found = [
                o.metadata.name
                for kind in (batch.list_namespaced_job, core.list_namespaced_pod, core.list_namespaced_secret)
                for o in kind(space).items
            ]
            if not found:
                break
            time.sleep(0.05)
        return found


@pytest.fixture
def field(cluster: Cluster, tmp_path: Path) -> Field:
    kubeconfig = cluster.kubeconfig(tmp_path / "kubeconfig")
    settings = load(
        {
            "GHAPP_DATA_DIR": str(tmp_path),
            "GHAPP_KUBECONFIG": str(kubeconfig),
            "GHAPP_EXECUTOR": "kubernetes",
            "GHAPP_KUBERNETES_NAMESPACE": "default",
        }
    )
    root = tmp_path / "work" / "run"
    (root / "checkout").mkdir(parents=True)
    return Field(settings, Kubernetes(settings), root)


def test_status_output_files_and_environment(field: Field) -> None:
    (field.root / "checkout" / "in").mkdir()
    ended, printed = field.run(
        "pwd; echo $GIVEN; echo made > file; echo tmp > /tmp/x; exit 3", directory="in", env={"GIVEN": "a b"}
    )
    assert (ended.status, ended.stopped) == (3, "")
    assert printed == "/workspace/in\na b\n"
    assert (field.root / "checkout" / "in" / "file").read_text() == "made\n"
    assert field.left() == []


def test_output_comes_whole_and_in_order(field: Field) -> None:
    ended, printed = field.run("i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done; sleep 2.5; echo end")
    assert ended.status == 0
    assert printed.splitlines() == [*(f"line {i}" for i in range(2000)), "end"]


def test_it_is_killed_at_its_time_limit(field: Field) -> None:
    ended, _ = field.run("echo begun; sleep 60", limits=Limits(timeout=1))
    assert ended.timed_out
    assert ended.stopped == "killed after its time limit of 1 s"
    assert field.left() == []


def test_it_is_killed_when_somebody_wishes_so(field: Field) -> None:
    stop = Stop()
    threading.Timer(1, stop.set, ["superseded"]).start()
    began = time.monotonic()
    ended, _ = field.run("sleep 60", stop=stop)
    assert ended.stopped == "superseded"
    assert time.monotonic() - began < 10
    assert field.left() == []


def test_an_image_that_cannot_be_pulled_is_an_error(field: Field) -> None:
    with pytest.raises(ExecutorError, match="cannot start: ImagePullBackOff"):
        field.run("true", image="registry.example/imagepull:1")
    assert field.left() == []


def test_a_cluster_that_is_away_is_an_error(tmp_path: Path, cluster: Cluster) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    text = cluster.kubeconfig(kubeconfig).read_text().replace(cluster.url, "http://127.0.0.1:9")
    kubeconfig.write_text(text)
    settings = load({"GHAPP_DATA_DIR": str(tmp_path), "GHAPP_KUBECONFIG": str(kubeconfig)})
    root = tmp_path / "work"
    for folder in ("w", "s"):
        (root / folder).mkdir(parents=True)
    with pytest.raises(ExecutorError, match="cannot be reached"):
        Kubernetes(settings).run(Task(("true",), root / "w", root / "s"), lambda _: None, Stop())


def test_a_job_is_restricted_and_keeps_its_limits(field: Field) -> None:
    limits = Limits(timeout=90, cpu=1.5, memory=2**30, disk=2**31)
    task = field.task(
        "true",
        limits=limits,
        env={"SECRET": "x"},
        network=False,
        node_selector={"pool": "ci"},
        tolerations=({"key": "ci"},),
        architectures=("arm64",),
    )
    body = kubernetes_job.job("name", task, field.settings)
    pod = body["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert (body["spec"]["backoffLimit"], body["spec"]["activeDeadlineSeconds"]) == (0, 90)
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    assert not pod["automountServiceAccountToken"]
    assert container["resources"]["limits"] == {"cpu": "1500m", "memory": str(2**30), "ephemeral-storage": str(2**31)}
    assert pod["nodeSelector"] == {"pool": "ci", "kubernetes.io/arch": "arm64"}
    assert pod["tolerations"] == [{"key": "ci"}]
    assert body["spec"]["template"]["metadata"]["labels"]["ghapp.dev/network"] == "none"
    assert "SECRET" not in str(body)
