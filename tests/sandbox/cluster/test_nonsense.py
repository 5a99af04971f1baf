"""Nonsense in every place of an object: refused with a reason, never an error of the cluster's own."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from ghapp.sandbox.cluster.server import Cluster
from tests.sandbox.cluster.client import Client, config_map, deployment, eventually, fresh, job
from tests.sandbox.cluster.custom import definition, established, widget

NONSENSE: tuple[Any, ...] = (None, "x", True, [], {}, [None], {"a": None})
SERVICE = {"metadata": {"name": "s"}, "spec": {"type": "NodePort", "selector": {"a": "b"}, "ports": [{"port": 80}]}}
BACKEND = {"service": {"name": "s", "port": {"number": 80}}}
PATHS = {"paths": [{"path": "/", "pathType": "Prefix", "backend": BACKEND}]}
INGRESS = {"metadata": {"name": "i"}, "spec": {"rules": [{"host": "a.b", "http": PATHS}], "defaultBackend": BACKEND}}
BINDING = {
    "metadata": {"name": "b"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"},
    "subjects": [{"kind": "User", "name": "u"}],
}
ROLE = {"metadata": {"name": "r"}, "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]}
CLAIM = {
    "metadata": {"name": "c"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}
DEFINITION = {
    "metadata": {"name": "xs.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "xs", "kind": "X"},
        "versions": [
            {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
        ],
    },
}


def rich_deployment() -> dict[str, Any]:
    body = deployment(replicas=1, strategy={"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}})
    pod = body["spec"]["template"]["spec"]
    pod["volumes"] = [{"name": "v", "configMap": {"name": "c"}}]
    pod["containers"][0] |= {
        "env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
        "ports": [{"containerPort": 80}],
        "resources": {"limits": {"cpu": "1"}},
        "livenessProbe": {"httpGet": {"port": 80}},
        "volumeMounts": [{"name": "v", "mountPath": "/v"}],
    }
    return body


OBJECTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "configmaps": ("v1", "ConfigMap", config_map(a="1")),
    "secrets": ("v1", "Secret", {"metadata": {"name": "s"}, "data": {"a": "YQ=="}, "stringData": {"b": "b"}}),
    "services": ("v1", "Service", SERVICE),
    "persistentvolumeclaims": ("v1", "PersistentVolumeClaim", CLAIM),
    "deployments": ("apps/v1", "Deployment", rich_deployment()),
    "jobs": ("batch/v1", "Job", job("j", "true", suspend=True)),
    "ingresses": ("networking.k8s.io/v1", "Ingress", INGRESS),
    "roles": ("rbac.authorization.k8s.io/v1", "Role", ROLE),
    "rolebindings": ("rbac.authorization.k8s.io/v1", "RoleBinding", BINDING),
    "customresourcedefinitions": ("apiextensions.k8s.io/v1", "CustomResourceDefinition", DEFINITION),
}


def spoiled(body: Any, root: Any = None, way: tuple[Any, ...] = ()) -> Iterator[dict[str, Any]]:
    """``body`` with nonsense in every place in turn."""
    root = body if root is None else root
    places = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for key, value in places:
        for nonsense in NONSENSE:
            copied = copy.deepcopy(root)
            at = copied
            for step in way:
                at = at[step]
            at[key] = nonsense
            yield copied
        yield from spoiled(value, root, (*way, key))


@pytest.fixture(scope="module")
def target() -> Iterator[Client]:
    with Cluster(controllers=False) as cluster:
        yield fresh(cluster)


@pytest.mark.parametrize("plural", OBJECTS)
def test_nonsense_is_refused_or_taken_but_never_an_error(target: Client, plural: str) -> None:
    version, kind, body = OBJECTS[plural]
    body = {"apiVersion": version, "kind": kind, **body}
    target.create(plural, body)
    name = body["metadata"]["name"]
    for bad in spoiled(body):
        created = target.call("POST", target.path(plural), bad, dryRun="All")
        replaced = target.call("PUT", target.path(plural, name), bad, dryRun="All")
        assert created.status_code < 500 and replaced.status_code < 500, (bad, created.text, replaced.text)
        applied = target.try_apply(plural, bad, name=name, force="true", dryRun="All")
        said = applied.json().get("message", "")
        typed = said.startswith(("failed to create typed patch object", "failed to convert new object"))
        assert applied.status_code < 500 or typed, (bad, applied.text)


def test_nonsense_in_custom_objects(target: Client) -> None:
    crd = definition(target.namespace)
    target.create("customresourcedefinitions", crd)
    eventually(established(target, crd))
    group = f"apis/{target.namespace}.example.com/v1"
    rich = widget(target, color="red", port=80, parts=[{"name": "a"}], free={"a": {"b": 1}}, map={"a": "b"}, fixed="x")
    target.create("widgets", rich, group=group)
    for bad in spoiled(rich):
        created = target.call("POST", target.path("widgets", group=group), bad, dryRun="All")
        replaced = target.call("PUT", target.path("widgets", "w", group=group), bad, dryRun="All")
        assert created.status_code < 500 and replaced.status_code < 500, (bad, created.text, replaced.text)
        applied = target.try_apply("widgets", bad, name="w", group=group, force="true", dryRun="All")
        typed = applied.json().get("message", "").startswith("failed to create typed patch object")
        assert applied.status_code < 500 or typed, (bad, applied.text)


@pytest.mark.parametrize("patch", NONSENSE)
@pytest.mark.parametrize("kind", ["merge-patch+json", "json-patch+json", "strategic-merge-patch+json"])
def test_patches_that_are_nonsense(target: Client, kind: str, patch: Any) -> None:
    name = target.create("configmaps", {"metadata": {"generateName": "p-"}, "data": {"a": "1"}})["metadata"]["name"]
    for body in (patch, {"data": patch}, {"metadata": patch}, [{"op": "add", "path": "/data", "value": patch}]):
        answer = target.call("PATCH", target.path("configmaps", name), body, f"application/{kind}", dryRun="All")
        assert answer.status_code < 500, (body, answer.text)
