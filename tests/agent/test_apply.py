"""Applying: order, nothing where nothing changed, definitions before their objects, what cannot be changed."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.conformance


def deployment(name: str = "web", **spec: Any) -> dict[str, Any]:
    container = {"name": "app", "image": "registry.example/app:1", **spec.pop("container", {})}
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container], **spec.pop("pod", {})}}
    full = {"replicas": 2, "selector": {"matchLabels": {"app": name}}, "template": template, **spec}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": full}


def test_objects_are_created_in_the_order_in_which_they_need_each_other(place: Any) -> None:
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "r"}, "rules": []}
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "r"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"},
        "subjects": [{"kind": "ServiceAccount", "name": "sa", "namespace": place.namespace}],
    }
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "sa"}}
    outcome = place.sync({"shop/all.yaml": [deployment(), place.cm("c"), binding, role, account]})
    assert outcome.ok, outcome.errors()
    kinds = [path.split("/")[-2] for method, path in place.gateway.writes if method == "PATCH"]
    assert kinds[:2] == ["serviceaccounts", "roles"]
    assert set(kinds[2:4]) == {"rolebindings", "configmaps"}
    assert kinds[4] == "deployments"
    assert outcome.objects == 5
    assert len(outcome.created) == 5


def test_applying_again_changes_nothing(place: Any) -> None:
    files = {"shop/a.yaml": [place.cm("one"), deployment()], "shop/b.json": '{"apiVersion":"v1","kind":"ConfigMap",'
             '"metadata":{"name":"json"},"data":{"k":"v"}}'}  # fmt: skip
    assert place.sync(files).ok
    before = [place.version("configmaps", "one"), place.version("configmaps", "json")]
    outcome = place.sync()
    assert outcome.ok
    assert outcome.objects == 3
    assert place.gateway.writes == []
    assert [place.version("configmaps", "one"), place.version("configmaps", "json")] == before


def test_the_same_manifests_in_a_new_commit_cost_no_write(place: Any) -> None:
    assert place.sync({"shop/a.yaml": place.cm("one")}).ok
    assert place.sync({"shop/renamed.yml": [place.cm("one")]}).ok
    assert place.gateway.writes == []


def test_one_changed_object_is_one_write(place: Any) -> None:
    files = {f"shop/{n}.yaml": place.cm(n) for n in ("a", "b", "c")}
    assert place.sync(files).ok
    outcome = place.sync({**files, "shop/b.yaml": place.cm("b", {"a": "2"})})
    assert outcome.ok
    assert place.gateway.writes == [("PATCH", place.path("configmaps", "b"))]
    assert place.get("configmaps", "b")["data"] == {"a": "2"}


def test_a_definition_and_its_object_in_one_go(place: Any, widgets: Any) -> None:
    widget = {"apiVersion": widgets["api_version"], "kind": "Widget", "metadata": {"name": "w"}, "spec": {"size": 1}}
    outcome = place.sync({"a-user/w.yaml": widget, "z-definitions/crd.yaml": widgets["definition"]})
    assert outcome.ok, outcome.errors()
    assert place.get("widgets", "w", widgets["api_version"])["spec"] == {"size": 1}
    assert place.sync().ok
    assert place.gateway.writes == []


def test_a_definition_with_an_invalid_authority_still_works(place: Any, widgets: Any) -> None:
    definition = widgets["definition"]
    client = {"caBundle": "Cg==", "service": {"name": "x", "namespace": "default"}}
    definition["spec"]["conversion"] = {
        "strategy": "Webhook",
        "webhook": {"clientConfig": client, "conversionReviewVersions": ["v1"]},
    }
    outcome = place.sync({"shop/crd.yaml": definition})
    assert outcome.ok, outcome.errors()


def test_an_unknown_kind_is_named_and_the_rest_is_applied(place: Any) -> None:
    monitor = {"apiVersion": f"x{place.tag}.example.test/v1", "kind": "Monitor", "metadata": {"name": "m"}}
    outcome = place.sync({"shop/a.yaml": [place.cm("one"), monitor]})
    assert not outcome.ok
    (failure,) = outcome.failures
    assert failure.object == "Monitor m"
    assert "does not know the kind Monitor" in failure.message
    assert place.get("configmaps", "one")
    assert outcome.applied_sha == ""


def test_a_partial_failure_keeps_the_inventory_right(place: Any) -> None:
    bad = deployment("bad")
    bad["spec"]["template"]["metadata"]["labels"] = {"app": "other"}  # the selector does not match
    outcome = place.sync({"shop/a.yaml": [place.cm("one"), place.cm("two"), bad]})
    assert not outcome.ok
    assert [f.object for f in outcome.failures] == [f"Deployment {place.namespace}/bad"]
    assert place.inventory() == {"ConfigMap one", "ConfigMap two"}
    # Nothing is pruned while something fails; as soon as nothing does, what went stale meanwhile goes.
    assert not place.sync({"shop/a.yaml": [place.cm("one"), bad]}).ok
    assert place.get("configmaps", "two")
    assert place.inventory() == {"ConfigMap one", "ConfigMap two"}
    assert place.sync({"shop/a.yaml": [place.cm("one")]}).ok
    assert place.get("configmaps", "two") is None
    assert place.inventory() == {"ConfigMap one"}


def test_one_apps_trouble_is_its_own(place: Any) -> None:
    files = {"bad/a.yaml": "kind: [broken", "good/a.yaml": place.cm("fine"), "worse/a.yaml": {"kind": "ConfigMap"}}
    outcome = place.sync(files)
    assert not outcome.ok
    assert {f.object.split("/")[0].split(" ")[0] for f in outcome.failures} == {"bad", "ConfigMap"}
    assert place.get("configmaps", "fine")
    states = {a.app: a.state for a in outcome.apps}
    assert states == {"bad": "error", "good": "success", "worse": "error"}


def test_cluster_scoped_beside_namespaced(place: Any) -> None:
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": f"ghapp-test-{place.tag}", "namespace": "is-ignored"},
        "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}],
    }
    path = f"/apis/rbac.authorization.k8s.io/v1/clusterroles/ghapp-test-{place.tag}"
    place.cleanup.append(path)
    assert place.sync({"shop/a.yaml": [role, place.cm("one")]}).ok
    assert place.api.get(path)["metadata"]["labels"] == {"ghapp.dev/app": "shop"}
    assert place.sync({"shop/a.yaml": [place.cm("one")]}).ok
    assert place.api.get(path) is None


# --- immutable fields -------------------------------------------------------------------------------


def immutable(place: Any, value: str, **annotations: str) -> dict[str, Any]:
    found = place.cm("fixed", {"a": value}, annotations=annotations) if annotations else place.cm("fixed", {"a": value})
    return {**found, "immutable": True}


def test_an_immutable_field_fails_and_says_how_to_recreate(place: Any) -> None:
    assert place.sync({"shop/a.yaml": immutable(place, "1")}).ok
    outcome = place.sync({"shop/a.yaml": immutable(place, "2")})
    assert not outcome.ok
    assert "ghapp.dev/immutable: recreate" in outcome.failures[0].message
    assert place.get("configmaps", "fixed")["data"] == {"a": "1"}


def test_an_immutable_object_is_recreated_by_annotation(place: Any) -> None:
    recreate = {"ghapp.dev/immutable": "recreate"}
    assert place.sync({"shop/a.yaml": immutable(place, "1", **recreate)}).ok
    uid = place.get("configmaps", "fixed")["metadata"]["uid"]
    outcome = place.sync({"shop/a.yaml": immutable(place, "2", **recreate)})
    assert outcome.ok, outcome.errors()
    live = place.get("configmaps", "fixed")
    assert live["data"] == {"a": "2"}
    assert live["metadata"]["uid"] != uid


def test_a_role_reference_that_changed_is_recreated_by_annotation(place: Any) -> None:
    def binding(role: str) -> dict[str, Any]:
        return {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "b", "annotations": {"ghapp.dev/immutable": "recreate"}},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role},
        }

    group = "rbac.authorization.k8s.io/v1"
    assert place.sync({"shop/a.yaml": binding("one")}).ok
    outcome = place.sync({"shop/a.yaml": binding("two")})
    assert outcome.ok, outcome.errors()
    assert place.get("rolebindings", "b", group)["roleRef"]["name"] == "two"


def test_recreating_waits_for_finalizers(place: Any) -> None:
    recreate = {"ghapp.dev/immutable": "recreate"}
    assert place.sync({"shop/a.yaml": immutable(place, "1", **recreate)}).ok
    path = place.path("configmaps", "fixed")
    place.api.merge(path, {"metadata": {"finalizers": ["example.test/hold"]}})
    slow = place.sync({"shop/a.yaml": immutable(place, "2", **recreate)}, timeout=0.5)
    assert not slow.ok
    assert "example.test/hold" in slow.failures[0].message

    polled = 0

    def release(method: str, asked: str) -> None:
        nonlocal polled
        polled += method == "GET" and asked.startswith(path)
        if polled == 3:
            polled += 1
            place.api.merge(path, {"metadata": {"finalizers": None}})

    place.gateway.on_request = lambda method, asked: _in_thread(lambda: release(method, asked))
    outcome = place.sync()
    assert outcome.ok, outcome.errors()
    assert place.get("configmaps", "fixed")["data"] == {"a": "2"}


def _in_thread(call: Any) -> None:
    import threading

    threading.Thread(target=call).start()


def test_an_invalid_successor_never_costs_the_live_object(place: Any) -> None:
    one = deployment("web")
    one["metadata"]["annotations"] = {"ghapp.dev/immutable": "recreate"}
    assert place.sync({"shop/a.yaml": one}).ok
    uid = place.get("deployments", "web", "apps/v1")["metadata"]["uid"]
    bad = deployment("web")
    bad["metadata"]["annotations"] = {"ghapp.dev/immutable": "recreate"}
    bad["spec"]["selector"]["matchLabels"] = {"app": "else"}  # immutable, and it fits no template label
    outcome = place.sync({"shop/a.yaml": bad})
    assert not outcome.ok
    assert place.get("deployments", "web", "apps/v1")["metadata"]["uid"] == uid
    assert ("DELETE", place.path("deployments", "web", "apps/v1")) not in place.gateway.writes


def test_apply_once_creates_and_never_changes(place: Any) -> None:
    once = {"annotations": {"ghapp.dev/apply": "once"}}
    assert place.sync({"shop/a.yaml": place.cm("seed", {"a": "1"}, **once)}).ok
    assert place.sync({"shop/a.yaml": place.cm("seed", {"a": "2"}, **once)}).ok
    assert place.get("configmaps", "seed")["data"] == {"a": "1"}
    place.api.merge(place.path("configmaps", "seed"), {"data": {"a": "theirs"}})
    assert place.sync().ok
    assert place.get("configmaps", "seed")["data"] == {"a": "theirs"}
    place.api.delete(place.path("configmaps", "seed"))
    assert place.sync().ok
    assert place.get("configmaps", "seed")["data"] == {"a": "2"}


def test_apply_once_leaves_what_someone_else_made(place: Any) -> None:
    place.api.create(place.path("configmaps"), place.cm("seed", {"a": "theirs"}))
    once = {"annotations": {"ghapp.dev/apply": "once"}}
    assert place.sync({"shop/a.yaml": place.cm("seed", {"a": "ours"}, **once)}).ok
    assert place.get("configmaps", "seed")["data"] == {"a": "theirs"}


def test_a_missing_namespace_is_named_with_what_to_do(place: Any) -> None:
    outcome = place.sync({"shop/a.yaml": place.cm("one", namespace=f"no-such-{place.tag}")})
    assert not outcome.ok
    assert f'the namespace "no-such-{place.tag}" does not exist' in outcome.failures[0].message
    outcome = place.sync(namespace=f"nowhere-{place.tag}")
    assert f'the namespace "nowhere-{place.tag}" does not exist' in outcome.errors()[0].message


def test_the_branch_may_bring_its_own_namespace(place: Any) -> None:
    name = f"ghapp-test-own-{place.tag}"
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    place.cleanup.append(f"/api/v1/namespaces/{name}")
    outcome = place.sync({"shop/a.yaml": [place.cm("one"), space]}, namespace=name)
    assert outcome.ok, outcome.errors()
    assert place.api.get(f"/api/v1/namespaces/{name}/configmaps/one")
    assert place.sync(namespace=name).ok
    assert place.gateway.writes == []


def test_characters_that_yaml_would_change_arrive_as_they_are(place: Any) -> None:
    odd = {"k": "emoji 🚀, next line \u0085, separator \u2028, delete \x7f, bell \x07, tab \t, bom \ufeff, end"}
    outcome = place.sync({"shop/a.json": __import__("json").dumps(place.cm("odd", odd))})
    assert outcome.ok, outcome.errors()
    assert place.get("configmaps", "odd")["data"] == odd
    assert place.sync().ok
    assert place.gateway.writes == []


def test_waves_go_in_their_order_and_wait_for_health(place: Any, widgets: Any) -> None:
    version = widgets["api_version"]
    assert place.sync({"crd/crd.yaml": widgets["definition"]}).ok

    def widget(name: str, wave: str) -> dict[str, Any]:
        meta = {"name": name, "annotations": {"ghapp.dev/wave": wave}}
        return {"apiVersion": version, "kind": "Widget", "metadata": meta, "spec": {}}

    first, second = widget("first", "-1"), widget("second", "2")
    files = {"crd/crd.yaml": widgets["definition"], "shop/a.yaml": [second, first]}
    status = {"status": {"conditions": [{"type": "Ready", "status": "False", "message": "warming up"}]}}

    def unwell(method: str, asked: str) -> None:
        if method == "PATCH" and asked.startswith(place.path("widgets", "first", version)):
            place.eventually(lambda: place.get("widgets", "first", version))
            place.api.merge(place.path("widgets", "first", version) + "/status", status)

    place.gateway.on_request = lambda method, asked: _in_thread(lambda: unwell(method, asked))
    place.sync(files, wait=False)
    assert place.get("widgets", "second", version), "without waiting, waves are an order alone"
    place.api.delete(place.path("widgets", "second", version))
    outcome = place.sync(wait=True, timeout=1)
    assert not outcome.ok
    assert any("warming up" in f.message for f in outcome.failures)
    assert place.get("widgets", "second", version) is None
    place.api.merge(
        place.path("widgets", "first", version) + "/status",
        {"status": {"conditions": [{"type": "Ready", "status": "True"}]}},
    )
    assert place.sync(wait=True, timeout=10).ok
    assert place.get("widgets", "second", version)


def test_an_app_waits_for_those_it_depends_on(place: Any, widgets: Any) -> None:
    version = widgets["api_version"]
    assert place.sync({"crd/crd.yaml": widgets["definition"]}).ok
    base = {"apiVersion": version, "kind": "Widget", "metadata": {"name": "base"}, "spec": {}}
    files = {"crd/crd.yaml": widgets["definition"], "a-web/a.yaml": place.cm("web"), "z-base/a.yaml": base}
    assert place.sync({**files, "a-web/a.yaml": place.cm("other")}).ok
    unready = {"status": {"conditions": [{"type": "Ready", "status": "False"}]}}
    place.api.merge(place.path("widgets", "base", version) + "/status", unready)
    outcome = place.sync(files, wait=True, timeout=0.5, depends_on={"a-web": ("z-base",)})
    assert not outcome.ok
    assert any(f.object == "a-web/" and "depends on z-base" in f.message for f in outcome.failures)
    assert place.get("configmaps", "web") is None
    place.api.merge(
        place.path("widgets", "base", version) + "/status",
        {"status": {"conditions": [{"type": "Ready", "status": "True"}]}},
    )
    assert place.sync(wait=True, depends_on={"a-web": ("z-base",)}).ok
    assert place.get("configmaps", "web")
