"""What installs the agent: it renders, a cluster takes it, its rights are enough for its work and no more."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from ghapp.agent.config_file import ConfigFileError, read
from ghapp.agent.environment import Environment
from ghapp.agent.kube.config import load
from ghapp.agent.once import once
from ghapp.agent.surroundings import Surroundings
from ghapp.render.kustomize import kubectl

BASE = Path(__file__).parents[2] / "deploy" / "agent"


@pytest.fixture(scope="module")
def rendered() -> list[dict[str, Any]]:
    out = subprocess.run([kubectl(), "kustomize", str(BASE)], check=True, capture_output=True).stdout
    return list(yaml.safe_load_all(out))


def one(rendered: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    (found,) = [r for r in rendered if r["kind"] == kind]
    return found


def test_the_pod_is_as_restricted_as_it_can_be(rendered: list[dict[str, Any]]) -> None:
    pod = one(rendered, "Deployment")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"readinessProbe", "livenessProbe", "resources"} <= container.keys()
    assert pod["automountServiceAccountToken"] is False
    labels = one(rendered, "Namespace")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert one(rendered, "NetworkPolicy")["spec"]["policyTypes"] == ["Ingress", "Egress"]


def test_no_rule_is_for_everything(rendered: list[dict[str, Any]]) -> None:
    assert not [r for r in rendered if r["kind"] == "ClusterRoleBinding"]
    for rule in one(rendered, "ClusterRole")["rules"]:
        assert "*" not in rule["verbs"] + rule["resources"] + rule["apiGroups"]


def test_its_configuration_is_one_that_the_agent_reads(rendered: list[dict[str, Any]], tmp_path: Path) -> None:
    file = tmp_path / "agent.yaml"
    file.write_text(one(rendered, "ConfigMap")["data"]["agent.yaml"])
    (entry,) = read(file).environments
    assert entry.environment().branch == "env/prod"
    file.write_text("environments: [{repo: x, branch: y, namespace: z, heel: false}]")
    with pytest.raises(ConfigFileError, match=r"environments\.0\.heel"):
        read(file)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Path]:
    """A sandbox cluster of its own, for what is not to be left on anyone's."""
    from ghapp.sandbox.cluster.server import Cluster

    with Cluster() as found:
        yield found.kubeconfig(tmp_path / "kubeconfig")


def test_a_cluster_takes_it_and_its_rights_are_enough(cluster: Path, repository: Any) -> None:
    def run(*arguments: str) -> None:
        command = [kubectl(), "--kubeconfig", str(cluster), *arguments]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    run("apply", "--server-side", "-k", str(BASE))
    for space in ("shop", "other"):
        run("create", "namespace", space)
    run("-n", "shop", "apply", "--server-side", "-k", str(BASE / "environment"))
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "web"}}
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "1"}}
    repository.commit({"shop/a.yaml": [config, account]})
    environment = Environment(str(repository.path), "env/prod", "shop", verify="none", timeout=10)
    access = load(cluster).acting_as("system:serviceaccount:ghapp-agent:ghapp-agent")
    outcome = asyncio.run(once(environment, access, Surroundings()))
    assert outcome.ok, outcome.errors()
    elsewhere = asyncio.run(once(replace(environment, namespace="other"), access, Surroundings()))
    assert not elsewhere.ok
    assert "may not do this" in elsewhere.errors()[0].message
