"""What the cluster says of itself: versions, kinds, documents, tables."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.cluster.client import Client, config_map, deployment, eventually, good

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"

POD = {"restartPolicy": "Never", "containers": [{"name": "a", "image": "b"}]}
CRON_JOB = {
    "metadata": {"name": "c"},
    "spec": {"schedule": "@daily", "jobTemplate": {"spec": {"template": {"spec": POD}}}},
}


def test_groups_and_versions(api: Client) -> None:
    assert good(api.call("GET", f"{api.url}/version"))["gitVersion"].startswith("v1.36")
    assert good(api.call("GET", f"{api.url}/api"))["versions"] == ["v1"]
    groups = good(api.call("GET", f"{api.url}/apis"))["groups"]
    apps = next(g for g in groups if g["name"] == "apps")
    assert apps["preferredVersion"] == {"groupVersion": "apps/v1", "version": "v1"}
    assert good(api.call("GET", f"{api.url}/apis/apps"))["kind"] == "APIGroup"
    assert api.call("GET", f"{api.url}/readyz").text == "ok"


def test_resources_of_a_version(api: Client) -> None:
    found = {r["name"]: r for r in good(api.call("GET", f"{api.url}/apis/apps/v1"))["resources"]}
    assert found["deployments"]["shortNames"] == ["deploy"]
    assert "patch" in found["deployments"]["verbs"]
    assert (found["deployments/scale"]["group"], found["deployments/scale"]["kind"]) == ("autoscaling", "Scale")


def test_everything_in_one_answer(api: Client) -> None:
    api.headers["Accept"] = AGGREGATED
    answer = api.call("GET", f"{api.url}/apis")
    assert "as=APIGroupDiscoveryList" in answer.headers["Content-Type"]
    apps = next(g for g in good(answer)["items"] if g["metadata"]["name"] == "apps")
    found = next(r for r in apps["versions"][0]["resources"] if r["resource"] == "deployments")
    assert found["responseKind"] == {"group": "apps", "version": "v1", "kind": "Deployment"}
    assert found["scope"] == "Namespaced"
    core = good(api.call("GET", f"{api.url}/api"))["items"]
    assert [g["metadata"].get("name", "") for g in core] == [""]


def test_documents_name_parameters_and_fields(api: Client) -> None:
    paths = good(api.call("GET", f"{api.url}/openapi/v3"))["paths"]
    document = good(api.call("GET", api.url + paths["apis/apps/v1"]["serverRelativeURL"]))
    patch = document["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"]
    assert patch["x-kubernetes-group-version-kind"] == {"group": "apps", "version": "v1", "kind": "Deployment"}
    assert {"dryRun", "fieldManager", "fieldValidation", "force"} <= {p["name"] for p in patch["parameters"]}
    schemas = document["components"]["schemas"]
    assert schemas["V1DeploymentSpec"]["properties"]["replicas"] == {"type": "integer", "format": "int32"}
    assert api.call("GET", f"{api.url}/openapi/v3/apis/none/v1").status_code == 404


@pytest.mark.parametrize(
    ("plural", "body", "cells"),
    [
        ("configmaps", config_map("cm", a="1", b="2"), {"Name": "cm", "Data": 2}),
        ("secrets", {"metadata": {"name": "s"}, "data": {"a": ""}}, {"Type": "Opaque", "Data": 1}),
        ("services", {"metadata": {"name": "s"}, "spec": {"clusterIP": "None", "ports": [{"port": 80}]}},
         {"Type": "ClusterIP", "Cluster-IP": "None", "External-IP": "<none>", "Port(s)": "80/TCP"}),
        ("cronjobs", CRON_JOB, {"Schedule": "@daily", "Suspend": False}),
        ("deployments", deployment(replicas=2), {"Ready": "2/2", "Up-to-date": 2, "Available": 2}),
    ],
)  # fmt: skip
def test_tables(api: Client, plural: str, body: dict[str, Any], cells: dict[str, Any]) -> None:
    api.create(plural, body)
    api.headers["Accept"] = TABLE

    def row() -> dict[str, Any]:
        table = api.get(plural, fieldSelector=f"metadata.name={body['metadata']['name']}")
        names = [c["name"] for c in table["columnDefinitions"]]
        assert table["kind"] == "Table" and names[0] == "Name" and names[-1] == "Age"
        return dict(zip(names, table["rows"][0]["cells"], strict=True))

    eventually(lambda: cells.items() <= row().items())
    one = api.get(plural, body["metadata"]["name"])
    assert one["rows"][0]["object"]["kind"] == "PartialObjectMetadata"


def test_metadata_alone(api: Client) -> None:
    api.create("configmaps", config_map(a="1"))
    api.headers["Accept"] = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
    found = api.get("configmaps")
    assert found["kind"] == "PartialObjectMetadataList"
    assert all(set(i) == {"kind", "apiVersion", "metadata"} for i in found["items"])


def test_events_of_both_groups_are_the_same(api: Client) -> None:
    about = {"kind": "ConfigMap", "namespace": api.namespace, "name": "cm"}
    core = {"metadata": {"name": "e1"}, "involvedObject": about, "reason": "Core", "message": "said", "type": "Normal"}
    api.create("events", core)
    group = "apis/events.k8s.io/v1"
    seen = api.get("events", "e1", group=group)
    assert (seen["apiVersion"], seen["note"], seen["regarding"]["name"]) == ("events.k8s.io/v1", "said", "cm")
    other = {"apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"name": "e2"}, "regarding": about,
             "reason": "New", "note": "also", "type": "Normal", "eventTime": "2026-01-01T00:00:00.000000Z"}  # fmt: skip
    api.create("events", other, group=group)
    assert api.get("events", "e2")["message"] == "also"
    assert {i["reason"] for i in api.get("events")["items"]} == {"Core", "New"}
    assert {i["note"] for i in api.get("events", group=group)["items"]} == {"said", "also"}


def test_controllers_say_what_goes_wrong(api: Client) -> None:
    body = deployment()
    body["spec"]["template"]["metadata"]["annotations"] = {"sandbox.ghapp.dev/fail": "crashloop"}
    api.create("deployments", body)

    def said() -> dict[str, str]:
        found = api.get("events")["items"]
        return {e["reason"]: e["type"] for e in found if e["involvedObject"]["name"].startswith("web")}

    eventually(lambda: said() == {"ScalingReplicaSet": "Normal", "BackOff": "Warning"})
