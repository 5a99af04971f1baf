"""The real kubectl against the cluster: what a person would type."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
import yaml

from ghapp import process
from ghapp.sandbox.cluster.server import Cluster
from tests.sandbox.cluster.client import Client, config_map, deployment, job

KUBECTL = shutil.which("kubectl", path=str(Path(sys.executable).parent)) or shutil.which("kubectl")
pytestmark = pytest.mark.skipif(KUBECTL is None, reason="kubectl is not installed")
Kubectl = Callable[..., process.Completed]


@pytest.fixture
def kubectl(api: Client, shared_cluster: Cluster, tmp_path: Path) -> Kubectl:
    """Runs kubectl in the test's namespace."""
    config = shared_cluster.kubeconfig(tmp_path / "kubeconfig", namespace=api.namespace)

    def run(*args: str, stdin: object = None, check: bool = True) -> process.Completed:
        given = yaml.safe_dump_all(stdin if isinstance(stdin, list) else [stdin]).encode() if stdin else None
        env = {"KUBECONFIG": str(config), "HOME": str(tmp_path)}
        return process.run([str(KUBECTL), *args], env=env, stdin=given, check=check, timeout=60)

    return run


def test_apply_on_the_server_diff_and_delete(kubectl: Kubectl) -> None:
    objects = [deployment(), config_map(a="1")]
    apply = ("apply", "--server-side", "-f", "-")
    assert "deployment.apps/web serverside-applied" in kubectl(*apply, stdin=objects).text
    assert kubectl("diff", "--server-side", "-f", "-", stdin=objects).text == ""
    changed = [deployment(replicas=2), config_map(a="2")]
    diff = kubectl("diff", "--server-side", "-f", "-", stdin=changed, check=False)
    assert diff.status == 1
    assert '+  a: "2"' in diff.text and "+  replicas: 2" in diff.text
    kubectl(*apply, stdin=changed)
    kubectl("rollout", "status", "deploy/web", "--timeout=10s")
    kubectl("wait", "--for=condition=Available", "deploy/web", "--timeout=10s")
    assert "web " in kubectl("get", "deployments").text
    kubectl("delete", "-f", "-", stdin=changed)
    assert kubectl("get", "deploy", "-o", "name").text == ""


def test_apply_by_the_client_and_then_by_the_server(kubectl: Kubectl) -> None:
    apply = ("apply", "-f", "-")
    assert "configured" not in kubectl(*apply, stdin=[config_map(a="1", b="2"), deployment()]).text
    assert "configmap/cm unchanged" in kubectl(*apply, stdin=[config_map(a="1", b="2"), deployment()]).text
    kubectl(*apply, stdin=config_map(a="1"))
    assert json.loads(kubectl("get", "cm", "cm", "-o", "json").stdout)["data"] == {"a": "1"}
    kubectl("apply", "--server-side", "-f", "-", stdin=config_map(c="3"))
    assert json.loads(kubectl("get", "cm", "cm", "-o", "json").stdout)["data"] == {"c": "3"}


def test_what_kubectl_creates_itself_arrives(kubectl: Kubectl, api: Client) -> None:
    kubectl("create", "configmap", "c", "--from-literal=a=1")
    kubectl("create", "secret", "generic", "s", "--from-literal=a=1")
    kubectl("create", "deployment", "d", "--image=nginx:1", "--replicas=2", "--port=80")
    kubectl("create", "serviceaccount", "robot")
    kubectl("create", "role", "r", "--verb=get,list", "--resource=pods,deployments.apps")
    kubectl("create", "rolebinding", "b", "--role=r", f"--serviceaccount={api.namespace}:robot")
    kubectl("create", "quota", "q", "--hard=cpu=1500m,pods=3")
    kubectl("create", "ingress", "i", "--rule=example.com/*=d:80,tls=cert")
    kubectl("expose", "deployment", "d", "--port=80", "--target-port=8080")
    kubectl("autoscale", "deployment", "d", "--max=3", "--cpu=50%")
    assert api.get("configmaps", "c")["data"] == {"a": "1"}
    assert api.get("secrets", "s")["data"] == {"a": "MQ=="}
    made = api.get("deployments", "d")["spec"]
    assert (made["replicas"], made["template"]["spec"]["containers"][0]["ports"][0]["containerPort"]) == (2, 80)
    rules = api.get("roles", "r")["rules"]
    assert rules[1] == {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get", "list"]}
    assert api.get("rolebindings", "b")["subjects"][0]["name"] == "robot"
    assert api.get("resourcequotas", "q")["spec"] == {"hard": {"cpu": "1500m", "pods": "3"}}
    path = api.get("ingresses", "i")["spec"]["rules"][0]["http"]["paths"][0]
    assert (path["path"], path["backend"]["service"]["port"]) == ("/", {"number": 80})
    assert api.get("services", "d")["spec"]["ports"] == [{"port": 80, "protocol": "TCP", "targetPort": 8080}]
    assert api.get("horizontalpodautoscalers", "d")["spec"]["maxReplicas"] == 3
    token = kubectl("create", "token", "robot").text
    assert token.count(".") == 2


def test_changing_things_by_hand(kubectl: Kubectl, api: Client) -> None:
    kubectl("apply", "--server-side", "-f", "-", stdin=[deployment(), config_map(a="1")])
    kubectl("label", "cm", "cm", "x=y")
    kubectl("annotate", "cm", "cm", "note=here")
    kubectl("scale", "deploy/web", "--replicas=3")
    kubectl("set", "image", "deploy/web", "web=nginx:2")
    env = {"spec": {"template": {"spec": {"containers": [{"name": "web", "env": [{"name": "A", "value": "1"}]}]}}}}
    kubectl("patch", "deploy", "web", "-p", json.dumps(env))
    kubectl("patch", "cm", "cm", "--type=json", "-p", '[{"op":"add","path":"/data/b","value":"2"}]')
    kubectl("rollout", "restart", "deploy/web")
    kubectl("rollout", "status", "deploy/web", "--timeout=15s")
    kubectl("rollout", "undo", "deploy/web")
    kubectl("replace", "-f", "-", stdin=config_map(a="9"))
    container = api.get("deployments", "web")["spec"]["template"]["spec"]["containers"][0]
    assert (container["image"], container["env"]) == ("nginx:2", [{"name": "A", "value": "1"}])
    assert api.get("deployments", "web")["spec"]["replicas"] == 3
    managers = {e["manager"] for e in api.get("deployments", "web")["metadata"]["managedFields"]}
    assert {"kubectl", "kubectl-set", "kubectl-patch", "kube-controller-manager"} <= managers


def test_looking_at_things(kubectl: Kubectl) -> None:
    kubectl("apply", "--server-side", "-f", "-", stdin=[deployment(), job("j", "echo from the job")])
    kubectl("wait", "--for=condition=complete", "job/j", "--timeout=15s")
    assert kubectl("logs", "job/j").text == "from the job\n"
    kubectl("rollout", "status", "deploy/web", "--timeout=10s")
    assert "1/1" in kubectl("get", "all").text
    assert "nginx:1" in kubectl("describe", "deployment", "web").text
    assert "Running" in kubectl("get", "pods", "-l", "app=web", "-o", "wide").text
    assert "strategy" in kubectl("explain", "deployment.spec").text
    assert "deployments" in kubectl("api-resources", "--namespaced=true").text
    assert "v1.36" in kubectl("version").text
    assert kubectl("get", "pods", "-o", "jsonpath={.items[*].status.phase}").text.split().count("Running") == 1


def test_asking_for_permission(kubectl: Kubectl) -> None:
    assert kubectl("auth", "can-i", "create", "deployments").text == "yes\n"
    kubectl("create", "rolebinding", "b", "--clusterrole=view", "--user=ann")
    assert kubectl("auth", "can-i", "list", "pods", "--as=ann").text == "yes\n"
    refused = kubectl("auth", "can-i", "delete", "pods", "--as=ann", check=False)
    assert (refused.status, refused.text) == (1, "no\n")
    answer = kubectl("delete", "configmap", "kube-root-ca.crt", "--as=ann", check=False)
    assert b'configmaps "kube-root-ca.crt" is forbidden: User "ann" cannot delete' in answer.stderr
    assert "sandbox-admin" in kubectl("auth", "whoami").text


def test_mistakes_are_told(kubectl: Kubectl) -> None:
    wrong = {**config_map(), "dta": {"a": "1"}}
    said = kubectl("apply", "-f", "-", stdin=wrong, check=False)
    assert said.status == 1 and b'unknown field "dta"' in said.stderr
    conflict = kubectl("get", "deploy", "none", check=False)
    assert conflict.stderr == b'Error from server (NotFound): deployments.apps "none" not found\n'
    kubectl("apply", "--server-side", "--field-manager=one", "-f", "-", stdin=config_map(a="1"))
    other = kubectl("apply", "--server-side", "--field-manager=two", "-f", "-", stdin=config_map(a="2"), check=False)
    assert b'conflict with "one": .data.a' in other.stderr


def test_namespaces_come_and_go(kubectl: Kubectl, api: Client) -> None:
    kubectl("create", "namespace", f"{api.namespace}-x")
    kubectl("-n", f"{api.namespace}-x", "create", "configmap", "c")
    kubectl("delete", "namespace", f"{api.namespace}-x", "--timeout=15s")
    assert f"{api.namespace}-x" not in kubectl("get", "ns").text


def test_over_tls_kubectl_is_who_its_token_says(tmp_path: Path) -> None:
    with Cluster(tls=True) as cluster:
        admin = cluster.kubeconfig(tmp_path / "admin")
        ann = cluster.kubeconfig(tmp_path / "ann", token=cluster.token("ann"))
        env = {"KUBECONFIG": str(admin), "HOME": str(tmp_path)}
        process.run([str(KUBECTL), "create", "rolebinding", "b", "--clusterrole=view", "--user=ann"], env=env)
        env["KUBECONFIG"] = str(ann)
        assert b"kube-root-ca.crt" in process.run([str(KUBECTL), "get", "cm"], env=env).stdout
        refused = process.run([str(KUBECTL), "get", "secrets"], env=env, check=False)
        assert b'User "ann" cannot list resource "secrets"' in refused.stderr
        (tmp_path / "ca.pem").write_text(cluster.authority)
        nobody = requests.get(f"{cluster.url}/api/v1/namespaces", verify=str(tmp_path / "ca.pem"), timeout=10)
        assert nobody.status_code == 401
