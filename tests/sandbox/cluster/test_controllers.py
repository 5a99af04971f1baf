"""Objects that come true: workloads get Pods, claims get volumes, garbage goes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from ghapp.sandbox.cluster.controllers.loop import Pace
from ghapp.sandbox.cluster.server import Cluster
from ghapp.sandbox.registry.server import Registry
from tests.sandbox.cluster.client import QUICK, Client, config_map, deployment, eventually, fresh


def condition(obj: dict[str, Any], kind: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = (obj.get("status") or {}).get("conditions") or []
    return next((c for c in found if c["type"] == kind), {})


def rolled_out(api: Client, name: str = "web") -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        obj = api.get("deployments", name)
        status, wanted = obj.get("status", {}), obj["spec"]["replicas"]
        done = status.get("observedGeneration") == obj["metadata"]["generation"]
        counts = [status.get(n, 0) for n in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")]
        return obj if done and counts == [wanted] * 4 else None

    return eventually(look)


def pods(api: Client, **labels: str) -> list[dict[str, Any]]:
    selector = ",".join(f"{k}={v}" for k, v in labels.items())
    found: list[dict[str, Any]] = api.get("pods", labelSelector=selector)["items"]
    return found


def images(api: Client, app: str) -> list[str]:
    return [p["spec"]["containers"][0]["image"] for p in pods(api, app=app)]


def first(api: Client, plural: str, wanted: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    """The first object of a kind that is as wanted, once there is one."""
    return eventually(lambda: next((o for o in api.get(plural)["items"] if wanted(o)), None)) or {}


def with_pod(body: dict[str, Any], **annotations: str) -> dict[str, Any]:
    body["spec"]["template"]["metadata"]["annotations"] = annotations
    return body


def test_a_deployment_becomes_available(api: Client) -> None:
    api.create("deployments", deployment(replicas=2))
    obj = rolled_out(api)
    assert condition(obj, "Available")["reason"] == "MinimumReplicasAvailable"
    assert condition(obj, "Progressing")["reason"] == "NewReplicaSetAvailable"
    assert obj["metadata"]["generation"] == 1
    assert obj["metadata"]["annotations"] == {"deployment.kubernetes.io/revision": "1"}
    running = pods(api, app="web")
    assert len(running) == 2
    assert all(p["status"]["phase"] == "Running" and condition(p, "Ready")["status"] == "True" for p in running)
    sets = api.get("replicasets")["items"]
    assert [s["metadata"]["ownerReferences"][0]["name"] for s in sets] == ["web"]


def test_a_new_template_replaces_the_old_pods_and_a_rollback_brings_the_old_ones_back(api: Client) -> None:
    body = deployment()
    api.apply("deployments", body)
    before = pods_of(api)
    body["spec"]["template"]["spec"]["containers"][0]["image"] = "nginx:2"
    api.apply("deployments", body)
    eventually(lambda: images(api, "web") == ["nginx:2"])
    body["spec"]["template"]["spec"]["containers"][0]["image"] = "nginx:1"
    api.apply("deployments", body)
    eventually(lambda: pods_of(api) == before, 10)
    eventually(lambda: rolled_out(api)["metadata"]["annotations"] == {"deployment.kubernetes.io/revision": "3"})


def pods_of(api: Client) -> set[str]:
    """The ReplicaSets whose Pods run."""
    rolled_out(api)
    return {p["metadata"]["ownerReferences"][0]["name"] for p in pods(api, app="web")}


@pytest.mark.parametrize(
    ("way", "reason"), [("crashloop", "CrashLoopBackOff"), ("imagepull", "ImagePullBackOff"), ("never-ready", "")]
)
def test_a_deployment_told_to_fail_exceeds_its_deadline(api: Client, way: str, reason: str) -> None:
    body = with_pod(deployment(progressDeadlineSeconds=1), **{"sandbox.ghapp.dev/fail": way})
    api.create("deployments", body)
    obj = first(api, "deployments", lambda d: condition(d, "Progressing").get("status") == "False")
    assert condition(obj, "Progressing")["reason"] == "ProgressDeadlineExceeded"
    assert condition(obj, "Available")["status"] == "False"
    (pod,) = pods(api, app="web")
    waiting = pod["status"]["containerStatuses"][0]["state"].get("waiting", {})
    assert waiting.get("reason", "") == reason


def test_an_image_may_say_that_it_fails(api: Client) -> None:
    body = deployment()
    body["spec"]["template"]["spec"]["containers"][0]["image"] = "example.com/crashloop:1"
    api.create("deployments", body)
    eventually(lambda: [p["status"].get("phase") for p in pods(api, app="web") if p["status"]] == ["Running"])
    assert condition(pods(api, app="web")[0], "Ready")["status"] == "False"


def test_a_paused_deployment_rolls_nothing_out(api: Client) -> None:
    api.create("deployments", deployment(paused=True))
    obj = first(api, "deployments", lambda d: condition(d, "Progressing"))
    assert condition(obj, "Progressing")["reason"] == "DeploymentPaused"
    assert api.get("replicasets")["items"] == []
    api.patch("deployments", "web", {"spec": {"paused": False}})
    rolled_out(api)


def test_recreate_stops_the_old_before_it_starts_the_new(api: Client) -> None:
    body = deployment(strategy={"type": "Recreate"})
    api.apply("deployments", body)
    rolled_out(api)
    body["spec"]["template"]["spec"]["containers"][0]["image"] = "nginx:2"
    api.apply("deployments", body)
    eventually(lambda: images(api, "web") == ["nginx:2"])
    rolled_out(api)


def test_a_stateful_set_has_numbered_pods_with_claims(api: Client) -> None:
    body = {**deployment("db", replicas=2, serviceName="db"), "kind": "StatefulSet"}
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    body["spec"]["volumeClaimTemplates"] = [{"metadata": {"name": "data"}, "spec": claim}]
    api.create("statefulsets", body)
    obj = first(api, "statefulsets", lambda s: s["status"].get("readyReplicas") == 2)
    assert obj["status"]["currentRevision"] == obj["status"]["updateRevision"]
    assert [p["metadata"]["name"] for p in pods(api, app="db")] == ["db-0", "db-1"]
    claims = api.get("persistentvolumeclaims")["items"]
    assert [c["metadata"]["name"] for c in claims] == ["data-db-0", "data-db-1"]
    api.patch("statefulsets", "db", {"spec": {"updateStrategy": {"rollingUpdate": {"partition": 1}}}})
    container = {"containers": [{"name": "web", "image": "nginx:2"}]}
    api.patch("statefulsets", "db", {"spec": {"template": {"spec": container}}})
    eventually(lambda: images(api, "db") == ["nginx:1", "nginx:2"])
    eventually(lambda: api.get("statefulsets", "db")["status"].get("updatedReplicas") == 1)


def test_a_daemon_set_has_one_pod_per_node(api: Client) -> None:
    api.create("daemonsets", {**deployment("agent"), "kind": "DaemonSet"})
    eventually(lambda: api.get("daemonsets", "agent")["status"].get("numberAvailable") == 1)
    assert len(pods(api, app="agent")) == 1


def test_a_claim_is_bound_and_kept_while_a_pod_uses_it(api: Client) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    api.create("persistentvolumeclaims", {"metadata": {"name": "c"}, "spec": spec})
    claim = first(api, "persistentvolumeclaims", lambda c: c["status"]["phase"] == "Bound")
    assert claim["status"]["capacity"] == {"storage": "1Gi"}
    volume = claim["spec"]["volumeName"]
    using = {
        "containers": [{"name": "a", "image": "b"}],
        "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}],
    }
    api.create("pods", {"metadata": {"name": "p"}, "spec": using})
    api.delete("persistentvolumeclaims", "c")
    assert api.get("persistentvolumeclaims", "c")["metadata"]["deletionTimestamp"]
    api.delete("pods", "p")
    eventually(lambda: api.find("persistentvolumeclaims", "c") is None)
    eventually(lambda: api.find("persistentvolumes", volume) is None)


def test_a_claim_may_be_told_to_stay_pending(api: Client) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    for name, notes in (("stuck", {"sandbox.ghapp.dev/never-bound": "true"}), ("good", {})):
        api.create("persistentvolumeclaims", {"metadata": {"name": name, "annotations": notes}, "spec": spec})
    eventually(lambda: api.get("persistentvolumeclaims", "good")["status"]["phase"] == "Bound")
    assert api.get("persistentvolumeclaims", "stuck")["status"]["phase"] == "Pending"


def test_a_load_balancer_gets_an_address_unless_told_not_to(api: Client) -> None:
    for name, notes in (("none", {"sandbox.ghapp.dev/no-address": "true"}), ("lb", {})):
        spec = {"type": "LoadBalancer", "ports": [{"port": 80}]}
        api.create("services", {"metadata": {"name": name, "annotations": notes}, "spec": spec})
    eventually(lambda: api.get("services", "lb")["status"]["loadBalancer"].get("ingress"))
    assert api.get("services", "none")["status"] == {"loadBalancer": {}}


def test_endpoints_follow_the_ready_pods(api: Client) -> None:
    api.create("services", {"metadata": {"name": "s"}, "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}})
    api.create("deployments", deployment(replicas=2))

    def addresses() -> int:
        found = api.get("endpointslices", labelSelector="kubernetes.io/service-name=s")["items"]
        return sum(len(e["addresses"]) for s in found for e in s.get("endpoints") or ())

    eventually(lambda: addresses() == 2)
    api.patch("deployments", "web", {"spec": {"replicas": 0}})
    eventually(lambda: addresses() == 0)


def owned(name: str, owner: dict[str, Any], **more: Any) -> dict[str, Any]:
    meta = owner["metadata"]
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": meta["name"], "uid": meta["uid"], **more}
    return {"metadata": {"name": name, "ownerReferences": [reference]}}


def test_what_a_deleted_object_owned_goes_too(api: Client) -> None:
    api.create("deployments", deployment())
    rolled_out(api)
    api.delete("deployments", "web", {"propagationPolicy": "Background"})
    eventually(lambda: not api.get("replicasets")["items"] and not pods(api, app="web"))


def test_orphans_stay_without_an_owner(api: Client) -> None:
    owner = api.create("configmaps", config_map("owner"))
    api.create("configmaps", owned("child", owner))
    api.delete("configmaps", "owner", {"propagationPolicy": "Orphan"})
    eventually(lambda: api.find("configmaps", "owner") is None)
    assert "ownerReferences" not in api.get("configmaps", "child")["metadata"]


def test_in_the_foreground_the_owner_goes_last(api: Client) -> None:
    owner = api.create("configmaps", config_map("owner"))
    child = owned("child", owner, blockOwnerDeletion=True)
    child["metadata"]["finalizers"] = ["example.com/hold"]
    api.create("configmaps", child)
    doomed = api.delete("configmaps", "owner", {"propagationPolicy": "Foreground"})
    assert doomed["metadata"]["finalizers"] == ["foregroundDeletion"]
    eventually(lambda: "deletionTimestamp" in api.get("configmaps", "child")["metadata"])
    assert api.find("configmaps", "owner")
    api.patch("configmaps", "child", {"metadata": {"finalizers": None}})
    eventually(lambda: api.find("configmaps", "owner") is None)


def test_an_object_goes_when_the_last_of_its_owners_does(api: Client) -> None:
    one, two = (api.create("configmaps", config_map(n)) for n in ("one", "two"))
    child = owned("child", one)
    child["metadata"]["ownerReferences"] += owned("child", two)["metadata"]["ownerReferences"]
    api.create("configmaps", child)
    api.delete("configmaps", "one")
    eventually(lambda: len(api.get("configmaps", "child")["metadata"]["ownerReferences"]) == 1)
    api.delete("configmaps", "two")
    eventually(lambda: api.find("configmaps", "child") is None)


def test_an_object_of_an_owner_that_never_was_is_collected(api: Client) -> None:
    nobody = {"metadata": {"name": "nobody", "uid": "00000000-0000-0000-0000-000000000000"}}
    api.create("configmaps", owned("child", nobody))
    eventually(lambda: api.find("configmaps", "child") is None)


def test_without_controllers_nothing_comes_true_but_namespaces_still_end() -> None:
    with Cluster(controllers=False) as cluster:
        api = fresh(cluster)
        api.create("deployments", deployment())
        api.create("configmaps", config_map())
        api.delete("namespaces", api.namespace)
        eventually(lambda: api.find("namespaces", api.namespace) is None)
        assert api.get("replicasets")["items"] == []


def test_an_image_is_pulled_as_soon_as_the_registry_has_it(tmp_path: Path) -> None:
    def push(registry: Registry, tag: str) -> str:
        headers = {"Content-Type": "application/vnd.oci.image.manifest.v1+json"}
        url = f"{registry.url}/v2/app/manifests/{tag}"
        pushed = requests.put(url, data=b'{"layers":[]}', headers=headers, timeout=10)
        return pushed.headers["Docker-Content-Digest"]

    with Registry(tmp_path) as registry, Cluster(pace=QUICK, registry=registry.address) as cluster:
        api = fresh(cluster)
        app = f"{registry.address}/app"
        images = {"good": f"{app}@{push(registry, 'v1')}", "tagged": f"{app}:v1", "bad": f"{app}:v2"}
        for name, image in images.items():
            body = deployment(name)
            body["spec"]["template"]["spec"]["containers"][0]["image"] = image
            api.create("deployments", body)
        rolled_out(api, "good")
        rolled_out(api, "tagged")
        (pod,) = pods(api, app="bad")
        seen = eventually(lambda: api.get("pods", pod["metadata"]["name"])["status"].get("containerStatuses"))
        assert seen[0]["state"]["waiting"]["reason"] == "ImagePullBackOff"
        push(registry, "v2")
        rolled_out(api, "bad")


def test_the_pace_can_be_changed_while_running() -> None:
    with Cluster(pace=Pace(ready=3600)) as cluster:
        api = fresh(cluster)
        api.create("deployments", deployment())
        eventually(lambda: [p for p in pods(api, app="web") if p.get("status", {}).get("phase") == "Pending"])
        cluster.set_pace(ready=0.01)
        api.create("deployments", deployment("other"))
        rolled_out(api, "other")
