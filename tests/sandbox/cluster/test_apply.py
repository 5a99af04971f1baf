"""Server-side apply over HTTP: what an agent sees."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.cluster.client import Client, config_map, deployment, refused


def version(obj: dict[str, Any]) -> str:
    return str(obj["metadata"]["resourceVersion"])


def owners(obj: dict[str, Any]) -> list[tuple[str, str]]:
    return [(e["manager"], e["operation"]) for e in obj["metadata"]["managedFields"]]


def test_applying_creates_then_changes_nothing(api: Client) -> None:
    first = api.try_apply("configmaps", config_map(a="1"))
    assert first.status_code == 201
    again = api.try_apply("configmaps", config_map(a="1"))
    assert (again.status_code, again.json()) == (200, first.json())


def test_a_deployment_applied_again_keeps_its_version_despite_defaults_and_odd_spellings(api: Client) -> None:
    body = deployment(replicas=1)
    container = body["spec"]["template"]["spec"]["containers"][0]
    container["resources"] = {"limits": {"cpu": "1000m", "memory": "0.5Gi"}, "requests": {"cpu": 0.5}}
    container["ports"] = [{"containerPort": 80}]
    container["env"] = [{"name": "EMPTY", "value": ""}]
    container["livenessProbe"] = {"httpGet": {"port": 80}, "initialDelaySeconds": 0}
    container["securityContext"] = {}
    body["metadata"]["labels"] = {}
    body["spec"]["template"]["metadata"]["creationTimestamp"] = None
    first = api.apply("deployments", body)
    seen = first["spec"]["template"]["spec"]["containers"][0]
    assert seen["resources"] == {"limits": {"cpu": "1", "memory": "512Mi"}, "requests": {"cpu": "500m"}}
    assert seen["ports"] == [{"containerPort": 80, "protocol": "TCP"}]
    assert seen["env"] == [{"name": "EMPTY"}]
    second = api.apply("deployments", body, dryRun="All")
    third = api.apply("deployments", body)
    assert second["metadata"]["generation"] == third["metadata"]["generation"] == 1
    assert third["metadata"]["managedFields"][0] == first["metadata"]["managedFields"][0]


def test_a_dropped_field_gets_its_default_back(api: Client) -> None:
    api.apply("deployments", deployment(replicas=3))
    assert api.apply("deployments", deployment())["spec"]["replicas"] == 1


def test_a_field_that_another_manager_owns_too_stays_when_dropped(api: Client) -> None:
    api.apply("deployments", deployment(replicas=3))
    autoscaler = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"replicas": 3}}
    api.apply("deployments", autoscaler, "autoscaler")
    assert api.apply("deployments", deployment())["spec"]["replicas"] == 3


def test_a_conflict_names_manager_and_field_and_force_wins(api: Client) -> None:
    api.apply("configmaps", config_map(a="1"))
    answer = api.try_apply("configmaps", config_map(a="2"), "two")
    said = refused(answer, 409, "Conflict")
    assert said == 'Apply failed with 1 conflict: conflict with "one": .data.a'
    assert answer.json()["details"]["causes"] == [
        {"reason": "FieldManagerConflict", "message": 'conflict with "one"', "field": ".data.a"}
    ]
    assert api.apply("configmaps", config_map(a="2"), "two", force="true")["data"] == {"a": "2"}


def test_an_edit_is_recorded_and_taken_back_by_force(api: Client) -> None:
    api.apply("configmaps", config_map(a="1"))
    edited = api.patch("configmaps", "cm", {"data": {"a": "9", "b": "2"}}, fieldManager="kubectl-edit")
    assert owners(edited) == [("kubectl-edit", "Update")], "the applier has nothing left"
    assert 'conflict with "kubectl-edit" using v1 at' in refused(api.try_apply("configmaps", config_map(a="1")), 409)
    assert api.apply("configmaps", config_map(a="1"), force="true")["data"] == {"a": "1", "b": "2"}


def test_the_manager_of_a_plain_write_is_the_program_that_wrote(api: Client) -> None:
    api.headers["User-Agent"] = "kubectl-thing/v1.2 (linux)"
    assert owners(api.create("configmaps", config_map(a="1"))) == [("kubectl-thing", "Update")]


def test_a_status_write_is_an_entry_of_its_own(api: Client) -> None:
    api.create("services", {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}}, fieldManager="one")
    condition = {
        "type": "A",
        "status": "True",
        "reason": "B",
        "message": "",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    patch = {"status": {"conditions": [condition]}}
    seen = api.patch("services", "s", patch, below="status", fieldManager="one")
    entries = {e.get("subresource"): e["fieldsV1"] for e in seen["metadata"]["managedFields"]}
    assert set(entries) == {None, "status"}
    assert 'k:{"type":"A"}' in entries["status"]["f:status"]["f:conditions"]


def test_ownership_can_be_handed_over_by_editing_managed_fields(api: Client) -> None:
    created = api.create("configmaps", config_map(a="1", b="2"), fieldManager="kubectl-client-side-apply")
    entries = created["metadata"]["managedFields"]
    entries[0] |= {"manager": "one", "operation": "Apply"}
    steps = [
        {"op": "replace", "path": "/metadata/managedFields", "value": entries},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": version(created)},
    ]
    migrated = api.patch("configmaps", "cm", steps, "json")
    assert owners(migrated) == [("one", "Apply")]
    assert api.apply("configmaps", config_map(a="1"))["data"] == {"a": "1"}


def test_stale_migration_is_refused(api: Client) -> None:
    stale = version(api.create("configmaps", config_map(a="1")))
    api.patch("configmaps", "cm", {"data": {"a": "2"}})
    steps = [{"op": "replace", "path": "/metadata/resourceVersion", "value": stale}]
    answer = api.call("PATCH", api.path("configmaps", "cm"), steps, "application/json-patch+json")
    assert "the object has been modified" in refused(answer, 409, "Conflict")


def test_managed_fields_can_be_reset(api: Client) -> None:
    api.apply("configmaps", config_map(a="1"))
    seen = api.patch("configmaps", "cm", {"metadata": {"managedFields": [{}]}})
    assert "managedFields" not in seen["metadata"]


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ({"nonsense": 1}, 500, "failed to create typed patch object (NS/cm; v1, Kind=ConfigMap): .nonsense: field not"),
        ({"data": {"a": 1}}, 500, ".data.a: expected string, got &value.valueUnstructured{Value:1}"),
        ({"apiVersion": "v2"}, 400, "Incorrect version specified in apply patch. Specified patch version: v2"),
        ({"metadata": {"name": "cm", "managedFields": [{}]}}, 400, "metadata.managedFields must be nil"),
        ({"metadata": {"name": "cm", "namespace": "other"}}, 400, "does not match the namespace sent on the request"),
        ({"metadata": {"name": "cm", "resourceVersion": "1"}}, 409, "the object has been modified"),
        ({"metadata": {"name": "cm", "uid": "1"}}, 409, "Precondition failed: UID in precondition: 1"),
    ],
)  # fmt: skip
def test_configurations_that_are_refused(api: Client, change: dict[str, Any], code: int, said: str) -> None:
    api.apply("configmaps", config_map(a="1"))
    answer = api.try_apply("configmaps", {**config_map(a="1"), **change}, name="cm")
    assert said.replace("NS", api.namespace) in refused(answer, code)


def test_bad_base64_is_a_500_that_will_not_go_away(api: Client) -> None:
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"a": "not base64!"}}
    said = refused(api.try_apply("secrets", body), 500)
    assert said.startswith(f"failed to convert new object ({api.namespace}/s; v1, Kind=Secret) to proper version (v1)")
    assert "illegal base64 data at input byte 3" in said


def test_an_apply_needs_a_manager(api: Client) -> None:
    answer = api.call("PATCH", api.path("configmaps", "cm"), config_map(), "application/apply-patch+yaml")
    assert refused(answer, 422) == (
        'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch'
    )


def yaml_body(value: str) -> bytes:
    return b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"data":{"a":"' + value.encode() + b'"}}'


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("plain", "plain"),
        ("caf\u00e9 \U0001f600", "caf\u00e9 \U0001f600"),
        ("tab\\tline\\n", "tab\tline\n"),
        ("a\\u00e9", "a\u00e9"),
        ("a\u0085b", "a b"),
    ],
)
def test_bodies_are_read_as_yaml(api: Client, value: str, kept: str) -> None:
    answer = api.try_apply("configmaps", yaml_body(value))
    assert answer.json()["data"] == {"a": kept}


@pytest.mark.parametrize("value", ["\\ud83d\\ude00", "a\x7fb"])
def test_what_yaml_does_not_allow_is_refused(api: Client, value: str) -> None:
    assert refused(api.try_apply("configmaps", yaml_body(value)), 400, "BadRequest").startswith("error decoding YAML")


def test_yaml_that_does_not_look_like_json_is_read_too(api: Client) -> None:
    body = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n  date: '2026-01-01'\n"
    assert api.try_apply("configmaps", body).json()["data"] == {"date": "2026-01-01"}


def test_an_empty_annotations_map_moves_the_version_once(api: Client) -> None:
    body = config_map(a="1")
    body["metadata"]["annotations"] = {}
    api.apply("configmaps", body)
    api.patch("configmaps", "cm", {"metadata": {"annotations": {"x": "y"}}})
    before = version(api.get("configmaps", "cm"))
    once = version(api.apply("configmaps", body))
    assert once != before
    assert version(api.apply("configmaps", body)) == once


def test_a_dry_run_shows_and_keeps_nothing(api: Client) -> None:
    assert api.apply("configmaps", config_map(a="1"), dryRun="All")["data"] == {"a": "1"}
    assert api.find("configmaps", "cm") is None


def test_string_data_is_folded_and_dropped_keys_go(api: Client) -> None:
    def secret(**data: str) -> dict[str, Any]:
        return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": data}

    assert api.apply("secrets", secret(a="YQ==", b="Yg=="))["type"] == "Opaque"
    assert api.apply("secrets", secret(a="YQ=="))["data"] == {"a": "YQ=="}
    plain = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "p"}, "stringData": {"a": "a"}}
    seen = api.create("secrets", plain)
    assert seen["data"] == {"a": "YQ=="}
    assert "stringData" not in seen


def test_a_sidecar_that_another_manager_added_stays(api: Client) -> None:
    api.apply("deployments", deployment())
    sidecar = {"spec": {"template": {"spec": {"containers": [{"name": "proxy", "image": "p:1"}]}}}}
    api.patch("deployments", "web", sidecar, "strategic", fieldManager="injector")
    body = deployment()
    body["spec"]["template"]["spec"]["containers"][0]["image"] = "nginx:2"
    seen = api.apply("deployments", body)["spec"]["template"]["spec"]["containers"]
    assert sorted((c["name"], c["image"]) for c in seen) == [("proxy", "p:1"), ("web", "nginx:2")]


def test_kubectls_own_apply_takes_over_what_its_client_side_apply_left(api: Client) -> None:
    body = config_map(a="1")
    last = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"cm"},"data":{"a":"1"}}'
    created = {
        **body,
        "metadata": {"name": "cm", "annotations": {"kubectl.kubernetes.io/last-applied-configuration": last}},
    }
    api.create("configmaps", created, fieldManager="kubectl-client-side-apply")
    assert api.apply("configmaps", config_map(a="2"), "kubectl")["data"] == {"a": "2"}
    refused(api.try_apply("configmaps", config_map(a="3"), "other"), 409, "Conflict")
