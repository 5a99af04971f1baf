"""Whose fields are whose: what the branch drops goes, what kubectl adds goes, what a controller owns stays."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from ghapp.agent.objects import Drift

pytestmark = pytest.mark.conformance
APPS = "apps/v1"


def deployment(**spec: Any) -> dict[str, Any]:
    container: dict[str, Any] = {
        "name": "app",
        "image": "registry.example/app:1",
        "env": [{"name": "KEEP", "value": "1"}, {"name": "DROP", "value": "2"}],
        "ports": [{"containerPort": 80}],
    }
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}}
    full = {"replicas": 3, "selector": {"matchLabels": {"app": "web"}}, "template": template, **spec}
    return {"apiVersion": APPS, "kind": "Deployment", "metadata": {"name": "web"}, "spec": full}


def test_defaults_and_ways_of_writing_are_no_drift(place: Any) -> None:
    one = deployment(strategy=None, revisionHistoryLimit=10)
    container = one["spec"]["template"]["spec"]["containers"][0]
    container["resources"] = {"requests": {"cpu": "1000m", "memory": "1024Mi"}, "limits": {"cpu": 2, "memory": "1Gi"}}
    container["livenessProbe"] = {"httpGet": {"path": "/", "port": 80}}
    container["securityContext"] = {}
    one["spec"]["template"]["spec"]["volumes"] = [{"name": "tmp", "emptyDir": {}}]
    one["spec"]["template"]["spec"]["hostNetwork"] = False
    one["metadata"]["annotations"] = {}
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "annotations": None},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}, {"port": 81, "name": "b", "targetPort": "x"}]},
    }
    service["spec"]["ports"][0]["name"] = "a"
    assert place.sync({"shop/a.yaml": [one, service]}).ok
    versions = [place.get("services", "web")["metadata"]["resourceVersion"]]
    generation = place.get("deployments", "web", APPS)["metadata"]["generation"]
    assert place.sync().ok
    assert place.gateway.writes == []
    # Also without any memory of having applied them.
    place.api.call("DELETE", place.path("secrets"), labelSelector="ghapp.dev/inventory")
    outcome = place.sync()
    assert outcome.ok
    assert outcome.drift == []
    assert place.gateway.writes == []
    assert [place.get("services", "web")["metadata"]["resourceVersion"]] == versions
    assert place.get("deployments", "web", APPS)["metadata"]["generation"] == generation


def test_annotations_that_are_empty_do_not_move_an_object_that_others_annotated(place: Any) -> None:
    one = place.cm("one")
    one["metadata"]["annotations"] = {}
    assert place.sync({"shop/a.yaml": one}).ok
    place.api.merge(place.path("configmaps", "one"), {"metadata": {"annotations": {"theirs": "1"}}}, "controller")
    version = place.version("configmaps", "one")
    assert place.sync({"shop/b.yaml": one}).ok
    assert place.version("configmaps", "one") == version


def test_what_the_branch_drops_is_removed(place: Any) -> None:
    before = deployment()
    before["spec"]["template"]["spec"]["containers"].append({"name": "side", "image": "registry.example/side:1"})
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"keep": "k", "drop": "d"}}
    files = [before, place.cm("one", {"keep": "1", "drop": "2"}, labels={"mine": "x"}), secret]
    assert place.sync({"shop/a.yaml": files}).ok
    after = deployment()
    del after["spec"]["template"]["spec"]["containers"][0]["env"][1]
    kept = {**secret, "stringData": {"keep": "k"}}
    assert place.sync({"shop/a.yaml": [after, place.cm("one", {"keep": "1"}), kept]}).ok
    live = place.get("deployments", "web", APPS)["spec"]["template"]["spec"]["containers"]
    assert [c["name"] for c in live] == ["app"]
    assert [e["name"] for e in live[0]["env"]] == ["KEEP"]
    assert place.get("configmaps", "one")["data"] == {"keep": "1"}
    assert "mine" not in place.get("configmaps", "one")["metadata"]["labels"]
    assert list(place.get("secrets", "s")["data"]) == ["keep"]


def test_a_field_that_kubectl_wrote_client_side_is_removed_when_the_branch_drops_it(place: Any) -> None:
    import yaml

    place.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(place.cm("one", {"keep": "1", "drop": "2"})))
    assert (
        "kubectl.kubernetes.io/last-applied-configuration" in place.get("configmaps", "one")["metadata"]["annotations"]
    )
    outcome = place.sync({"shop/a.yaml": place.cm("one", {"keep": "1"})})
    assert outcome.ok, outcome.errors()
    live = place.get("configmaps", "one")
    assert live["data"] == {"keep": "1"}
    assert "annotations" not in live["metadata"]
    assert [m["manager"] for m in live["metadata"]["managedFields"]] == ["ghapp"]
    assert place.sync().ok
    assert place.gateway.writes == []


@pytest.mark.parametrize("manager", ["kubectl-edit", "kubectl-patch", "before-first-apply"])
def test_what_a_person_added_or_changed_by_kubectl_is_reverted_and_named(place: Any, manager: str) -> None:
    assert place.sync({"shop/a.yaml": [place.cm("one", {"a": "1"}, labels={"tier": "web"}), deployment()]}).ok
    edit = {"data": {"a": "9", "added": "x"}, "metadata": {"labels": {"tier": None, "extra": "y"}}}
    place.api.merge(place.path("configmaps", "one"), edit, manager)
    outcome = place.sync()
    assert outcome.ok, outcome.errors()
    live = place.get("configmaps", "one")
    assert live["data"] == {"a": "1"}
    assert live["metadata"]["labels"] == {"tier": "web", "ghapp.dev/app": "shop"}
    (drift,) = outcome.drift
    assert drift.object == f"ConfigMap {place.namespace}/one"
    assert set(drift.fields) == {".data.a", ".data.added", ".metadata.labels.tier", ".metadata.labels.extra"}
    assert drift.managers == (manager,)
    assert place.sync().drift == []
    assert place.gateway.writes == []


def test_drift_is_only_reported_where_healing_is_off(place: Any) -> None:
    assert place.sync({"shop/a.yaml": [place.cm("one"), place.cm("two")]}).ok
    place.api.merge(place.path("configmaps", "one"), {"data": {"a": "9"}}, "kubectl-edit")
    place.api.delete(place.path("configmaps", "two"))
    outcome = place.sync(heal=False)
    assert outcome.ok
    one, two = (f"ConfigMap {place.namespace}/{n}" for n in ("one", "two"))
    assert outcome.drift == [Drift(one, (".data.a",), ("kubectl-edit",)), Drift(two, ("(deleted)",), ())]
    assert place.gateway.writes == []
    assert place.get("configmaps", "one")["data"] == {"a": "9"}
    assert place.sync().ok
    assert place.get("configmaps", "one")["data"] == {"a": "1"}
    assert place.get("configmaps", "two")


def test_label_and_annotation_drift_is_healed(place: Any) -> None:
    assert place.sync({"shop/a.yaml": place.cm("one", labels={"l": "1"}, annotations={"n": "1"})}).ok
    change = {"metadata": {"labels": {"l": "2", "ghapp.dev/app": "stolen"}, "annotations": {"n": None}}}
    place.api.merge(place.path("configmaps", "one"), change, "someone-else")
    assert place.sync().ok
    meta = place.get("configmaps", "one")["metadata"]
    assert (meta["labels"], meta["annotations"]) == ({"l": "1", "ghapp.dev/app": "shop"}, {"n": "1"})


def test_what_a_controller_adds_beside_ours_stays(place: Any) -> None:
    assert place.sync({"shop/a.yaml": place.cm("one")}).ok
    added = {"data": {"injected": "x"}, "metadata": {"annotations": {"controller": "was here"}}}
    place.api.merge(place.path("configmaps", "one"), added, "some-controller")
    assert place.sync().drift == []
    assert place.gateway.writes == []
    assert place.sync({"shop/a.yaml": place.cm("one", {"a": "2"})}).ok
    assert place.get("configmaps", "one")["data"] == {"a": "2", "injected": "x"}


def test_a_field_taken_from_another_manager_is_forced_and_reported(place: Any) -> None:
    place.api.create(place.path("configmaps"), place.cm("one", {"a": "theirs"}))
    outcome = place.sync({"shop/a.yaml": place.cm("one", {"a": "ours"})})
    assert outcome.ok
    assert place.get("configmaps", "one")["data"] == {"a": "ours"}
    (conflict,) = outcome.conflicts
    assert ".data.a" in conflict.message


def test_a_restart_by_kubectl_rollout_stays(place: Any) -> None:
    assert place.sync({"shop/a.yaml": deployment()}).ok
    place.kubectl("rollout", "restart", "deployment/web")
    assert place.sync().ok
    annotations = place.get("deployments", "web", APPS)["spec"]["template"]["metadata"]["annotations"]
    assert "kubectl.kubernetes.io/restartedAt" in annotations


# --- ignored fields ---------------------------------------------------------------------------------


def scale(place: Any, replicas: int, manager: str = "kube-controller-manager") -> None:
    path = place.path("deployments", "web", APPS) + "/scale"
    place.api.merge(path, {"spec": {"replicas": replicas}}, manager)


def replicas(place: Any) -> int:
    return int(place.get("deployments", "web", APPS)["spec"]["replicas"])


def owns_replicas(place: Any) -> bool:
    managed = place.get("deployments", "web", APPS)["metadata"]["managedFields"]
    own = next(m for m in managed if m["manager"] == "ghapp" and m["operation"] == "Apply")
    return "f:replicas" in own["fieldsV1"]["f:spec"]


def test_replicas_of_an_autoscaled_deployment_are_left_to_the_autoscaler(place: Any) -> None:
    scaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web"},
        "spec": {
            "scaleTargetRef": {"apiVersion": APPS, "kind": "Deployment", "name": "web"},
            "minReplicas": 2,
            "maxReplicas": 9,
        },
    }
    files = {"shop/a.yaml": [deployment(), scaler]}
    assert place.sync(files).ok
    scale(place, 7)
    assert place.sync().ok
    assert replicas(place) == 7
    changed = deployment(revisionHistoryLimit=4)
    assert place.sync({"shop/a.yaml": [changed, scaler]}).ok
    assert replicas(place) == 7
    assert not owns_replicas(place)
    # Released even where the branch stops naming them.
    without = copy.deepcopy(changed)
    del without["spec"]["replicas"]
    assert place.sync({"shop/a.yaml": [without, scaler]}).ok
    assert replicas(place) == 7


def test_an_ignored_field_is_compared_without_and_released_as_it_lives(place: Any) -> None:
    assert place.sync({"shop/a.yaml": deployment()}).ok
    assert owns_replicas(place)
    ignoring = deployment()
    ignoring["metadata"]["annotations"] = {"ghapp.dev/ignore": "/spec/replicas"}
    # Nobody else owns the field: letting it go must not reset it to its default.
    assert place.sync({"shop/a.yaml": ignoring}).ok
    assert replicas(place) == 3
    assert not owns_replicas(place)
    scale(place, 5)
    outcome = place.sync()
    assert outcome.ok
    assert outcome.drift == []
    assert place.gateway.writes == []
    assert replicas(place) == 5
    # No longer ignored: ours again.
    assert place.sync({"shop/a.yaml": deployment()}).ok
    assert replicas(place) == 3
    assert owns_replicas(place)


def test_an_ignored_field_inside_a_list_goes_back_as_it_lives(place: Any) -> None:
    one = deployment()
    one["metadata"]["annotations"] = {"ghapp.dev/ignore": "/spec/template/spec/containers/0/image, /data/none"}
    assert place.sync({"shop/a.yaml": one}).ok
    change = [{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "registry.example/app:9"}]
    path = place.path("deployments", "web", APPS)
    place.api.call("PATCH", path, change, "application/json-patch+json", fieldManager="image-updater")
    assert place.sync().drift == []
    other = deployment(revisionHistoryLimit=3)
    other["metadata"]["annotations"] = one["metadata"]["annotations"]
    assert place.sync({"shop/a.yaml": other}).ok
    spec = place.get("deployments", "web", APPS)["spec"]
    assert spec["template"]["spec"]["containers"][0]["image"] == "registry.example/app:9"
    assert spec["revisionHistoryLimit"] == 3


def test_ignored_fields_that_kubectl_changed_stay_too(place: Any) -> None:
    one = place.cm("one", {"a": "1", "b": "1"}, annotations={"ghapp.dev/ignore": "/data/b"})
    assert place.sync({"shop/a.yaml": one}).ok
    place.api.merge(place.path("configmaps", "one"), {"data": {"a": "9", "b": "9"}}, "kubectl-edit")
    outcome = place.sync()
    assert [d.fields for d in outcome.drift] == [(".data.a",)]
    assert place.get("configmaps", "one")["data"] == {"a": "1", "b": "9"}
    assert place.sync().ok
    assert place.gateway.writes == []
