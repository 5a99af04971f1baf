"""Custom kinds: defined, established, served, pruned, validated, and gone with their definition."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.sandbox.cluster.client import Client, eventually, good, refused
from tests.sandbox.cluster.custom import definition, established, widget


@pytest.fixture
def group(api: Client) -> str:
    """The path of a group of one kind, Widget, that only this test has."""
    crd = definition(api.namespace)
    api.create("customresourcedefinitions", crd)
    eventually(established(api, crd))
    return f"apis/{api.namespace}.example.com/v1"


def test_a_definition_is_served_once_it_is_established(api: Client) -> None:
    crd = definition(api.namespace)
    group = f"apis/{api.namespace}.example.com/v1"
    refused(api.call("GET", api.path("widgets", group=group)), 404, "NotFound")
    api.apply("customresourcedefinitions", crd)
    eventually(established(api, crd))
    live = api.get("customresourcedefinitions", crd["metadata"]["name"])
    assert live["status"]["acceptedNames"]["listKind"] == "WidgetList"
    assert live["status"]["storedVersions"] == ["v1"]
    resources = good(api.call("GET", f"{api.url}/{group}"))["resources"]
    assert [r["name"] for r in resources] == ["widgets", "widgets/status", "widgets/scale"]
    assert api.get("widgets", group=group)["kind"] == "WidgetList"
    again = api.apply("customresourcedefinitions", crd)
    assert again["metadata"]["resourceVersion"] == live["metadata"]["resourceVersion"]


def test_an_authority_that_is_none_leaves_a_definition_waiting(api: Client) -> None:
    crd = definition(api.namespace)
    bundle = base64.b64encode(b"no certificate").decode()
    client = {"url": "https://example.com/convert", "caBundle": bundle}
    crd["spec"]["conversion"] = {
        "strategy": "Webhook",
        "webhook": {"clientConfig": client, "conversionReviewVersions": ["v1"]},
    }
    api.create("customresourcedefinitions", crd)
    name = crd["metadata"]["name"]
    eventually(lambda: api.get("customresourcedefinitions", name).get("status", {}).get("conditions"))
    assert not established(api, crd)()
    api.patch("customresourcedefinitions", name, {"spec": {"conversion": {"strategy": "None", "webhook": None}}})
    eventually(established(api, crd))


def test_names_that_are_taken_are_not_accepted(api: Client, group: str) -> None:
    crd = definition(api.namespace)
    crd["metadata"]["name"] = crd["metadata"]["name"].replace("widgets", "gadgets")
    crd["spec"]["names"]["plural"] = "gadgets"
    api.create("customresourcedefinitions", crd)

    def accepted() -> str:
        live = api.get("customresourcedefinitions", crd["metadata"]["name"])
        found = live.get("status", {}).get("conditions") or []
        return next((c["status"] for c in found if c["type"] == "NamesAccepted"), "")

    assert eventually(accepted) == "False"
    assert not established(api, crd)()


def test_objects_are_pruned_and_get_defaults(api: Client, group: str) -> None:
    body = {**widget(api, nonsense=1, free={"any": {"thing": [1]}}, map={"a": "b"}), "more": 1}
    answer = api.call("POST", api.path("widgets", group=group), body)
    assert good(answer)["spec"] == {"size": 1, "color": "blue", "free": {"any": {"thing": [1]}}, "map": {"a": "b"}}
    assert "unknown field" in answer.headers["Warning"]
    assert good(answer)["metadata"]["generation"] == 1
    strict = api.call("POST", api.path("widgets", group=group), body, fieldValidation="Strict")
    assert 'unknown field "spec.nonsense", unknown field "more"' in refused(strict, 400)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"size": 0}, "spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1"),
        ({"size": "1"}, 'spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"'),
        ({"size": 1, "color": "green"}, 'spec.color: Unsupported value: "green": supported values: "red", "blue"'),
        ({"size": 1, "name": "UP"}, "spec.name in body should match '^[a-z]+$'"),
        ({"size": 1, "name": "toolong"}, "spec.name in body should be at most 5 chars long"),
        ({}, "spec.size: Required value"),
        (None, "spec: Required value"),
    ],
)
def test_objects_that_do_not_fit_their_schema(api: Client, group: str, spec: Any, said: str) -> None:
    body = {**widget(api), "spec": spec}
    if spec is None:
        del body["spec"]
    answer = api.call("POST", api.path("widgets", group=group), body)
    assert said in refused(answer, 422, "Invalid")


def test_a_rule_about_the_past_makes_a_field_immutable(api: Client, group: str) -> None:
    api.create("widgets", widget(api, fixed="a"), group=group)
    body = widget(api, fixed="b")
    answer = api.call("PUT", api.path("widgets", "w", group=group), body)
    assert "fixed is fixed" in refused(answer, 422, "Invalid")
    renamed = {**body, "metadata": {"name": "renamed"}}
    api.create("widgets", renamed, group=group, dryRun="All")


def test_apply_owns_merges_and_drops_by_the_schema(api: Client, group: str) -> None:
    parts = [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}]
    api.apply("widgets", widget(api, parts=parts), group=group)
    api.apply("widgets", {**widget(api), "spec": {"size": 1, "parts": [{"name": "c"}]}}, "two", group=group)
    seen = api.apply("widgets", widget(api, parts=parts[:1]), group=group)
    assert [p["name"] for p in seen["spec"]["parts"]] == ["a", "c"]
    said = refused(api.try_apply("widgets", widget(api, nonsense=1), group=group), 500)
    assert said.endswith(".spec.nonsense: field not declared in schema")
    again = api.apply("widgets", widget(api, parts=parts[:1]), group=group)
    assert again["metadata"]["resourceVersion"] == seen["metadata"]["resourceVersion"]


def test_status_scale_and_table(api: Client, group: str) -> None:
    api.create("widgets", {**widget(api), "status": {"phase": "X"}}, group=group)
    assert "status" not in api.get("widgets", "w", group=group)
    written = api.replace("widgets", {**widget(api, size=5), "status": {"phase": "Ready"}}, "status", group)
    assert (written["spec"]["size"], written["status"], written["metadata"]["generation"]) == (1, {"phase": "Ready"}, 1)
    path = api.path("widgets", "w", "scale", group)
    scaled = api.call("PATCH", path, {"spec": {"replicas": 3}}, "application/merge-patch+json")
    assert good(scaled)["spec"] == {"replicas": 3}
    api.headers["Accept"] = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
    table = api.get("widgets", group=group)
    assert [c["name"] for c in table["columnDefinitions"]] == ["Name", "Size", "Age"]
    assert table["rows"][0]["cells"][:2] == ["w", 3]


def test_versions_of_a_kind_show_the_same_object(api: Client) -> None:
    crd = definition(api.namespace)
    crd["spec"]["versions"].append({**crd["spec"]["versions"][0], "name": "v2", "storage": False})
    api.create("customresourcedefinitions", crd)
    eventually(established(api, crd))
    groups = [f"apis/{api.namespace}.example.com/{v}" for v in ("v1", "v2")]
    second = {**widget(api), "apiVersion": groups[1].removeprefix("apis/")}
    created = api.create("widgets", second, group=groups[1])
    assert created["apiVersion"].endswith("/v2")
    assert api.get("widgets", "w", group=groups[0])["apiVersion"].endswith("/v1")
    items = api.get("widgets", group=groups[1])["items"]
    assert [i["apiVersion"] for i in items] == [created["apiVersion"]], "items of custom kinds say what they are"
    same = api.apply("widgets", second, "two", group=groups[1])
    assert api.apply("widgets", second, "two", group=groups[1]) == same


def test_a_definition_takes_its_objects_with_it(api: Client, group: str) -> None:
    held = widget(api)
    held["metadata"]["finalizers"] = ["example.com/hold"]
    api.create("widgets", held, group=group)
    name = f"widgets.{api.namespace}.example.com"
    api.delete("customresourcedefinitions", name)
    eventually(lambda: "deletionTimestamp" in api.get("widgets", "w", group=group)["metadata"])
    patch = {"metadata": {"finalizers": None}}
    good(api.call("PATCH", api.path("widgets", "w", group=group), patch, "application/merge-patch+json"))
    eventually(lambda: api.find("customresourcedefinitions", name) is None)
    refused(api.call("GET", api.path("widgets", group=group)), 404, "NotFound")


def test_strategic_patches_are_not_for_custom_kinds(api: Client, group: str) -> None:
    api.create("widgets", widget(api), group=group)
    path = api.path("widgets", "w", group=group)
    refused(api.call("PATCH", path, {}, "application/strategic-merge-patch+json"), 415, "UnsupportedMediaType")
