"""A small client of the cluster, and objects to try it with."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import requests

from ghapp.sandbox.cluster.controllers.loop import Pace
from ghapp.sandbox.cluster.server import Cluster

Object = dict[str, Any]
T = TypeVar("T")
QUICK = Pace(ready=0.05, bound=0.02, address=0.02, established=0.02)
_PLACES = {
    "deployments": "apis/apps/v1", "replicasets": "apis/apps/v1", "statefulsets": "apis/apps/v1",
    "daemonsets": "apis/apps/v1", "jobs": "apis/batch/v1", "cronjobs": "apis/batch/v1",
    "ingresses": "apis/networking.k8s.io/v1", "networkpolicies": "apis/networking.k8s.io/v1",
    "roles": "apis/rbac.authorization.k8s.io/v1", "rolebindings": "apis/rbac.authorization.k8s.io/v1",
    "clusterroles": "apis/rbac.authorization.k8s.io/v1", "clusterrolebindings": "apis/rbac.authorization.k8s.io/v1",
    "horizontalpodautoscalers": "apis/autoscaling/v2", "poddisruptionbudgets": "apis/policy/v1",
    "customresourcedefinitions": "apis/apiextensions.k8s.io/v1", "storageclasses": "apis/storage.k8s.io/v1",
    "priorityclasses": "apis/scheduling.k8s.io/v1", "leases": "apis/coordination.k8s.io/v1",
    "endpointslices": "apis/discovery.k8s.io/v1", "ingressclasses": "apis/networking.k8s.io/v1",
}  # fmt: skip
_CLUSTER_WIDE = {
    "namespaces", "clusterroles", "clusterrolebindings", "customresourcedefinitions", "storageclasses",
    "priorityclasses", "persistentvolumes", "nodes", "ingressclasses",
}  # fmt: skip


def eventually(look: Callable[[], T], seconds: float = 10.0) -> T:
    """What ``look`` returns, once that is something."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found or time.monotonic() > end:
            assert found, "it never came true"
            return found
        time.sleep(0.01)


@dataclass
class Client:
    """Speaks to a cluster about one namespace, as one user."""

    url: str
    namespace: str = "default"
    headers: dict[str, str] = field(default_factory=dict)
    session: requests.Session = field(default_factory=requests.Session)

    def path(self, plural: str, name: str = "", below: str = "", group: str = "") -> str:
        base = group or _PLACES.get(plural, "api/v1")
        home = "" if plural in _CLUSTER_WIDE else f"/namespaces/{self.namespace}"
        parts = [f"{self.url}/{base}{home}/{plural}", name, below]
        return "/".join(p for p in parts if p)

    def call(
        self, method: str, path: str, body: Any = None, content_type: str = "application/json", **query: Any
    ) -> requests.Response:
        data = body if isinstance(body, bytes | None) else json.dumps(body, ensure_ascii=False).encode()
        headers = {"Content-Type": content_type, **self.headers}
        return self.session.request(method, path, data=data, params=query, headers=headers, timeout=30)

    def get(self, plural: str, name: str = "", group: str = "", **query: Any) -> Object:
        return good(self.call("GET", self.path(plural, name, group=group), **query))

    def find(self, plural: str, name: str, group: str = "") -> Object | None:
        answer = self.call("GET", self.path(plural, name, group=group))
        return None if answer.status_code == 404 else good(answer)

    def create(self, plural: str, body: Object, group: str = "", **query: Any) -> Object:
        return good(self.call("POST", self.path(plural, group=group), body, **query))

    def replace(self, plural: str, body: Object, below: str = "", group: str = "", **query: Any) -> Object:
        return good(self.call("PUT", self.path(plural, body["metadata"]["name"], below, group), body, **query))

    def patch(self, plural: str, name: str, patch: Any, kind: str = "merge", below: str = "", **query: Any) -> Object:
        types = {"merge": "merge-patch", "json": "json-patch", "strategic": "strategic-merge-patch"}
        path = self.path(plural, name, below)
        return good(self.call("PATCH", path, patch, f"application/{types[kind]}+json", **query))

    def try_apply(
        self, plural: str, body: Object | bytes, manager: str = "one", name: str = "", below: str = "", **query: Any
    ) -> requests.Response:
        called = name or (body["metadata"]["name"] if isinstance(body, dict) else "x")
        path = self.path(plural, called, below, query.pop("group", ""))
        return self.call("PATCH", path, body, "application/apply-patch+yaml", fieldManager=manager, **query)

    def apply(self, plural: str, body: Object, manager: str = "one", **query: Any) -> Object:
        return good(self.try_apply(plural, body, manager, **query))

    def delete(self, plural: str, name: str, options: Object | None = None, group: str = "", **query: Any) -> Object:
        return good(self.call("DELETE", self.path(plural, name, group=group), options, **query))

    def as_user(self, name: str, *groups: str) -> Client:
        headers: dict[str, Any] = {"Impersonate-User": name}
        if groups:
            headers["Impersonate-Group"] = groups[0]
        return Client(self.url, self.namespace, headers)


def good(answer: requests.Response) -> Object:
    assert answer.status_code < 300, answer.text
    found: Object = answer.json()
    return found


def refused(answer: requests.Response, code: int, reason: str = "") -> str:
    """The sentence of a refusal with this code and reason."""
    body = answer.json()
    assert (answer.status_code, body["kind"], body.get("status"), body.get("code")) == (
        code,
        "Status",
        "Failure",
        code,
    ), body
    if reason:
        assert body["reason"] == reason
    return str(body["message"])


def fresh(cluster: Cluster) -> Client:
    """A client of a namespace that nobody else uses."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    client = Client(cluster.url, name)
    client.create("namespaces", {"metadata": {"name": name}})
    return client


def config_map(name: str = "cm", **data: str) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def deployment(name: str = "web", **spec: Any) -> Object:
    labels = {"app": name}
    container = {"name": "web", "image": "nginx:1"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    body = {"selector": {"matchLabels": labels}, "template": template, **spec}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": body}


def job(name: str, script: str, **spec: Any) -> Object:
    container = {"name": "main", "image": "busybox", "command": ["sh", "-c", script]}
    pod = {"restartPolicy": "Never", "containers": [container]}
    body = {"backoffLimit": 0, "template": {"spec": pod}, **spec}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": body}
