"""Creating, reading, replacing, patching and deleting, with all that an API server promises about it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.cluster.client import Client, config_map, deployment, eventually, refused


def test_a_new_object_gets_what_only_the_server_gives(api: Client) -> None:
    meta = api.create("configmaps", config_map(a="1"))["metadata"]
    assert meta["uid"] and meta["creationTimestamp"].endswith("Z")
    assert (meta["name"], meta["namespace"]) == ("cm", api.namespace)
    assert "generation" not in meta
    assert api.create("deployments", deployment())["metadata"]["generation"] == 1


def test_versions_grow_with_every_change_and_with_nothing_else(api: Client) -> None:
    first = api.create("configmaps", config_map(a="1"))
    same = api.patch("configmaps", "cm", {"data": {"a": "1"}})
    assert same["metadata"] == first["metadata"]
    changed = api.patch("configmaps", "cm", {"data": {"a": "2"}})
    assert int(changed["metadata"]["resourceVersion"]) > int(first["metadata"]["resourceVersion"])


def test_names_are_generated(api: Client) -> None:
    body = {"metadata": {"generateName": "cm-"}}
    names = {api.create("configmaps", body)["metadata"]["name"] for _ in range(2)}
    assert len(names) == 2 and all(n.startswith("cm-") and len(n) == 8 for n in names)


def test_existing_and_missing_objects_are_named(api: Client) -> None:
    api.create("configmaps", config_map())
    again = api.call("POST", api.path("configmaps"), config_map())
    assert refused(again, 409, "AlreadyExists") == 'configmaps "cm" already exists'
    assert again.json()["details"] == {"name": "cm", "kind": "configmaps"}
    missing = api.call("GET", api.path("deployments", "web"))
    assert refused(missing, 404, "NotFound") == 'deployments.apps "web" not found'
    assert missing.json()["details"] == {"name": "web", "group": "apps", "kind": "deployments"}
    for method in ("PUT", "PATCH"):
        answer = api.call(
            method,
            api.path("configmaps", "no"),
            config_map("no"),
            "application/json" if method == "PUT" else "application/merge-patch+json",
        )
        refused(answer, 404, "NotFound")


def test_a_missing_namespace_is_said(api: Client) -> None:
    elsewhere = Client(api.url, "nowhere")
    said = 'namespaces "nowhere" not found'
    assert refused(elsewhere.call("POST", elsewhere.path("configmaps"), config_map()), 404, "NotFound") == said
    assert refused(elsewhere.try_apply("configmaps", config_map()), 404, "NotFound") == said


def test_replacing_checks_the_version_it_was_based_on(api: Client) -> None:
    created = api.create("configmaps", config_map(a="1"))
    assert api.replace("configmaps", {**created, "data": {"a": "2"}})["data"] == {"a": "2"}
    answer = api.call("PUT", api.path("configmaps", "cm"), {**created, "data": {"a": "3"}})
    assert refused(answer, 409, "Conflict") == (
        'Operation cannot be fulfilled on configmaps "cm": the object has been modified; please apply your changes to '
        "the latest version and try again"
    )
    assert api.replace("configmaps", config_map(a="4"))["data"] == {"a": "4"}, "without a version, the last one wins"


def test_what_only_the_server_sets_survives_a_replacement(api: Client) -> None:
    created = api.create("configmaps", config_map())["metadata"]
    meta = api.replace("configmaps", config_map(a="1"))["metadata"]
    assert (meta["uid"], meta["creationTimestamp"]) == (created["uid"], created["creationTimestamp"])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"metadata": {"name": "other"}}, "the name of the object (other) does not match the name on the URL (cm)"),
        ({"kind": "Secret"}, 'Secret in version "v1" cannot be handled as a ConfigMap'),
        ({"apiVersion": "v2"}, "the API version in the data (v2) does not match the expected API version (v1)"),
        ({"data": {"a": 1}}, "json: cannot unmarshal number into Go struct field data.a of type string"),
        ({"data": []}, "json: cannot unmarshal array into Go struct field"),
    ],
)
def test_bodies_that_are_not_the_object(api: Client, change: dict[str, Any], said: str) -> None:
    api.create("configmaps", config_map())
    answer = api.call("PUT", api.path("configmaps", "cm"), {**config_map(), **change})
    assert said in refused(answer, 400, "BadRequest")


def test_bodies_that_are_nothing(api: Client) -> None:
    path = api.path("configmaps")
    assert "error decoding YAML" in refused(api.call("POST", path, b"{"), 400)
    refused(api.call("POST", path, b"[]"), 400)
    refused(api.call("POST", path, config_map(), "text/plain"), 415, "UnsupportedMediaType")
    api.create("configmaps", config_map())
    refused(api.call("PATCH", api.path("configmaps", "cm"), {}, "application/json"), 415, "UnsupportedMediaType")


def test_bodies_that_are_too_large(api: Client) -> None:
    answer = api.call("POST", api.path("configmaps"), config_map(a="x" * (4 << 20)))
    assert answer.status_code == 413
    assert answer.json()["reason"] == "RequestEntityTooLarge"


@pytest.mark.parametrize("mode", ["Warn", "Strict", "Ignore"])
def test_unknown_fields_are_warned_of_refused_or_ignored(api: Client, mode: str) -> None:
    body = {**config_map(), "nonsense": 1, "metadata": {"name": "cm", "more": 2}}
    answer = api.call("POST", api.path("configmaps"), body, fieldValidation=mode)
    if mode == "Strict":
        said = 'strict decoding error: unknown field "metadata.more", unknown field "nonsense"'
        assert refused(answer, 400, "BadRequest") == said
    else:
        assert answer.status_code == 201 and "nonsense" not in answer.json()
        warnings = answer.headers.get("Warning", "")
        assert ('299 - "unknown field \\"nonsense\\""' in warnings) == (mode == "Warn")


def test_dry_runs_of_every_verb_change_nothing(api: Client) -> None:
    api.create("configmaps", config_map("gone"), dryRun="All")
    assert api.find("configmaps", "gone") is None
    live = api.create("configmaps", config_map(a="1"))
    assert api.replace("configmaps", config_map(a="2"), dryRun="All")["data"] == {"a": "2"}
    assert api.patch("configmaps", "cm", {"data": {"b": "2"}}, dryRun="All")["data"] == {"a": "1", "b": "2"}
    api.delete("configmaps", "cm", dryRun="All")
    api.delete("configmaps", "cm", {"dryRun": ["All"]})
    assert api.get("configmaps", "cm") == live


def test_deleting_answers_with_the_uid(api: Client) -> None:
    uid = api.create("configmaps", config_map())["metadata"]["uid"]
    answer = api.delete("configmaps", "cm")
    assert (answer["kind"], answer["status"], answer["details"]["uid"]) == ("Status", "Success", uid)
    refused(api.call("DELETE", api.path("configmaps", "cm")), 404, "NotFound")


def test_a_delete_keeps_what_its_preconditions_do_not_fit(api: Client) -> None:
    meta = api.create("configmaps", config_map())["metadata"]
    path = api.path("configmaps", "cm")
    said = refused(api.call("DELETE", path, {"preconditions": {"uid": "other"}}), 409, "Conflict")
    assert said.endswith(f"Precondition failed: UID in precondition: other, UID in object meta: {meta['uid']}")
    refused(api.call("DELETE", path, {"preconditions": {"resourceVersion": "1"}}), 409, "Conflict")
    api.delete("configmaps", "cm", {"preconditions": {"uid": meta["uid"], "resourceVersion": meta["resourceVersion"]}})


def test_options_in_the_query_do_not_count_beside_a_body(api: Client) -> None:
    api.create("configmaps", config_map())
    api.delete("configmaps", "cm", {"kind": "DeleteOptions"}, dryRun="All")
    assert api.find("configmaps", "cm") is None


def test_a_finalizer_holds_an_object_until_it_is_removed(api: Client) -> None:
    body = {**config_map(), "metadata": {"name": "cm", "finalizers": ["example.com/hold"]}}
    uid = api.create("configmaps", body)["metadata"]["uid"]
    doomed = api.delete("configmaps", "cm")
    assert doomed["metadata"]["uid"] == uid and doomed["metadata"]["deletionTimestamp"]
    again = api.call("POST", api.path("configmaps"), config_map())
    refused(again, 409, "AlreadyExists")
    added = {"metadata": {"finalizers": ["example.com/hold", "example.com/new"]}}
    answer = api.call("PATCH", api.path("configmaps", "cm"), added, "application/merge-patch+json")
    assert "no new finalizers can be added if the object is being deleted" in refused(answer, 422, "Invalid")
    api.patch("configmaps", "cm", {"metadata": {"finalizers": None}})
    assert api.find("configmaps", "cm") is None


def test_the_generation_counts_changes_of_the_spec_alone(api: Client) -> None:
    api.create("deployments", deployment())
    labelled = api.patch("deployments", "web", {"metadata": {"labels": {"a": "b"}}})
    assert labelled["metadata"]["generation"] == 1
    assert api.patch("deployments", "web", {"spec": {"replicas": 2}})["metadata"]["generation"] == 2
    assert api.patch("deployments", "web", {"spec": {"replicas": 2}})["metadata"]["generation"] == 2


def test_status_and_the_rest_are_written_apart(api: Client) -> None:
    spec = {"maxReplicas": 3, "scaleTargetRef": {"kind": "Deployment", "name": "web"}}
    given = {"metadata": {"name": "h"}, "spec": spec, "status": {"currentReplicas": 7}}
    api.create("horizontalpodautoscalers", given)
    seen = api.get("horizontalpodautoscalers", "h")
    assert "currentReplicas" not in seen.get("status", {})
    seen = {**seen, "spec": {**seen["spec"], "maxReplicas": 9}, "status": {"currentReplicas": 2, "desiredReplicas": 2}}
    written = api.replace("horizontalpodautoscalers", seen, "status")
    assert (written["spec"]["maxReplicas"], written["status"]["currentReplicas"]) == (3, 2)
    again = api.replace("horizontalpodautoscalers", {**written, "status": {"currentReplicas": 5}})
    assert again["status"]["currentReplicas"] == 2


def test_the_scale_of_an_object_is_a_small_object(api: Client) -> None:
    api.create("deployments", deployment(replicas=2))
    path = api.path("deployments", "web", "scale")
    scale = api.call("GET", path).json()
    assert (scale["kind"], scale["spec"], scale["status"]["selector"]) == ("Scale", {"replicas": 2}, "app=web")
    newer = {"metadata": {"name": "web"}, "spec": {"replicas": 3}}
    assert api.call("PUT", path, newer).json()["spec"] == {"replicas": 3}
    refused(api.call("PUT", path, scale), 409, "Conflict")
    patched = api.call("PATCH", path, {"spec": {"replicas": 4}}, "application/merge-patch+json")
    assert patched.json()["spec"] == {"replicas": 4}
    assert api.get("deployments", "web")["spec"]["replicas"] == 4
    managers = {
        (e["manager"], e.get("subresource")) for e in api.get("deployments", "web")["metadata"]["managedFields"]
    }
    assert ("python-requests", "scale") in managers


def test_collections_are_deleted_by_selector(api: Client) -> None:
    for name, label in (("a", "x"), ("b", "x"), ("c", "y")):
        api.create("configmaps", {"metadata": {"name": name, "labels": {"l": label}}})
    gone = api.call("DELETE", api.path("configmaps"), labelSelector="l=x").json()
    assert [i["metadata"]["name"] for i in gone["items"]] == ["a", "b"]
    assert api.find("configmaps", "a") is None and api.find("configmaps", "c")


@pytest.mark.parametrize(
    ("method", "path", "code", "reason"),
    [
        ("GET", "/apis/none.example/v1", 404, "NotFound"),
        ("GET", "/api/v1/nothings", 404, "NotFound"),
        ("GET", "/nothing", 404, "NotFound"),
        ("POST", "/api/v1/configmaps", 405, "MethodNotAllowed"),
        ("POST", "/api/v1/namespaces/default/configmaps/cm", 405, "MethodNotAllowed"),
        ("PUT", "/api/v1/namespaces/default/configmaps", 405, "MethodNotAllowed"),
        ("GET", "/api/v1/namespaces/default/configmaps/cm/status", 404, "NotFound"),
        ("GET", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", 405, "MethodNotAllowed"),
    ],
)
def test_addresses_and_methods_that_are_not_served(api: Client, method: str, path: str, code: int, reason: str) -> None:
    refused(api.call(method, api.url + path, {} if method != "GET" else None), code, reason)


def test_answers_come_as_json_or_not_at_all(api: Client) -> None:
    api.headers["Accept"] = "application/vnd.kubernetes.protobuf"
    refused(api.call("GET", api.path("configmaps")), 406, "NotAcceptable")
    api.headers["Accept"] += ",application/json"
    assert api.get("configmaps")


def test_protected_namespaces_stay(api: Client) -> None:
    said = refused(api.call("DELETE", api.path("namespaces", "kube-system")), 403, "Forbidden")
    assert said == 'namespaces "kube-system" is forbidden: this namespace may not be deleted'


def test_a_namespace_takes_its_contents_with_it(api: Client) -> None:
    held = {"metadata": {"name": "held", "finalizers": ["example.com/hold"]}}
    api.create("configmaps", config_map())
    api.create("configmaps", held)
    api.create("deployments", deployment())
    assert api.delete("namespaces", api.namespace)["status"]["phase"] == "Terminating"
    answer = api.call("POST", api.path("configmaps"), config_map("late"))
    said = refused(answer, 403, "Forbidden")
    assert "because it is being terminated" in said
    assert answer.json()["details"]["causes"][0]["reason"] == "NamespaceTerminating"
    eventually(lambda: api.find("configmaps", "cm") is None)
    assert api.find("namespaces", api.namespace), "something is still held in it"
    api.patch("configmaps", "held", {"metadata": {"finalizers": None}})
    eventually(lambda: api.find("namespaces", api.namespace) is None)
