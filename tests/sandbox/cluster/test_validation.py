"""The mistakes that people make, refused in the words that they will search for."""

# ruff: noqa: E501  # one case a line

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.cluster.client import Client, config_map, deployment, job, refused

RBAC = "rbac.authorization.k8s.io"
ROLE = {"apiGroup": RBAC, "kind": "Role", "name": "r"}
ACCOUNT = {"kind": "ServiceAccount", "name": "a", "namespace": "default"}


def changed(body: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """``body`` with one value changed, or taken out where ``value`` is ``...``."""
    *way, last = [int(p) if p.isdigit() else p for p in path.split(".")]
    at: Any = body
    for step in way:
        at = at[step]
    if value is ...:
        del at[last]
    else:
        at[last] = value
    return body


def service(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "svc"}, "spec": {"ports": [{"port": 80}], **spec}}


def ingress(**path: Any) -> dict[str, Any]:
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    rule = {"host": "example.com", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend, **path}]}}
    return {"metadata": {"name": "ing"}, "spec": {"rules": [rule]}}


def claim(**spec: Any) -> dict[str, Any]:
    body = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, **spec}
    return {"metadata": {"name": "pvc"}, "spec": body}


def stateful_set() -> dict[str, Any]:
    return {**deployment("db"), "kind": "StatefulSet"}


CONTAINER = "spec.template.spec.containers.0"
IN_TEMPLATE = "spec.template.spec.containers[0]"


@pytest.mark.parametrize(
    ("plural", "body", "causes"),
    [
        ("configmaps", config_map("Bad_Name"), ['metadata.name: Invalid value: "Bad_Name": a lowercase RFC 1123 subdomain must consist']),
        ("configmaps", {"metadata": {}}, ["metadata.name: Required value: name or generateName is required"]),
        ("configmaps", config_map(**{"a b": "1"}), ['data[a b]: Invalid value: "a b": a valid config key must consist']),
        ("configmaps", config_map(a="x" * 1100000), ["Too long: may not be more than 1048576 bytes"]),
        ("configmaps", {"metadata": {"name": "c", "labels": {"a": "b c"}}}, ['metadata.labels: Invalid value: "b c": a valid label must be']),
        ("configmaps", {"metadata": {"name": "c", "labels": {"a/b/c": "d"}}}, ['metadata.labels: Invalid value: "a/b/c": prefix part']),
        ("configmaps", {"metadata": {"name": "c", "annotations": {"a": "x" * 300000}}}, ["metadata.annotations: Too long"]),
        ("configmaps", {"metadata": {"name": "c", "finalizers": ["nonsense"]}}, ['metadata.finalizers: Invalid value: "nonsense": name is neither']),
        ("secrets", {"metadata": {"name": "s"}, "type": "kubernetes.io/tls"}, ["data[tls.crt]: Required value", "data[tls.key]: Required value"]),
        ("deployments", changed(deployment(), "spec.selector", ...), ["spec.selector: Required value"]),
        ("deployments", changed(deployment(), "spec.selector", {}), ["spec.selector: Invalid value: {}: empty selector is invalid for deployment"]),
        ("deployments", changed(deployment(), "spec.template.metadata.labels", {"app": "x"}), ['spec.template.metadata.labels: Invalid value: {"app":"x"}: `selector` does not match template `labels`']),
        ("deployments", deployment(replicas=-1), ["spec.replicas: Invalid value: -1: must be greater than or equal to 0"]),
        ("deployments", changed(deployment(), "spec.template.spec.containers", []), ["spec.template.spec.containers: Required value"]),
        ("deployments", changed(deployment(), f"{CONTAINER}.image", ...), [f"{IN_TEMPLATE}.image: Required value"]),
        ("deployments", changed(deployment(), f"{CONTAINER}.name", "Bad"), [f'{IN_TEMPLATE}.name: Invalid value: "Bad": a lowercase RFC 1123 label']),
        ("deployments", changed(deployment(), f"{CONTAINER}.imagePullPolicy", "Never!"), [f'{IN_TEMPLATE}.imagePullPolicy: Unsupported value: "Never!": supported values: "Always", "IfNotPresent", "Never"']),
        ("deployments", changed(deployment(), f"{CONTAINER}.ports", [{"containerPort": 70000}]), [f"{IN_TEMPLATE}.ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive"]),
        ("deployments", changed(deployment(), f"{CONTAINER}.volumeMounts", [{"name": "v", "mountPath": "/v"}]), [f'{IN_TEMPLATE}.volumeMounts[0].name: Not found: "v"']),
        ("deployments", changed(deployment(), f"{CONTAINER}.env", [{"value": "x"}]), [f"{IN_TEMPLATE}.env[0].name: Required value"]),
        ("deployments", changed(deployment(), f"{CONTAINER}.livenessProbe", {"periodSeconds": 3}), [f"{IN_TEMPLATE}.livenessProbe: Required value: must specify a handler type"]),
        ("deployments", changed(deployment(), f"{CONTAINER}.resources", {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}), [f'{IN_TEMPLATE}.resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1']),
        ("deployments", changed(deployment(), "spec.template.spec.restartPolicy", "Never"), ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"']),
        ("deployments", changed(deployment(), "spec.template.spec.volumes", [{"name": "a"}, {"name": "a"}]), ['spec.template.spec.volumes[1].name: Duplicate value: "a"']),
        ("deployments", deployment(strategy={"type": "Recreate", "rollingUpdate": {"maxSurge": 1}}), ["spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"]),
        ("deployments", deployment(strategy={"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}}), ["spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0"]),
        ("jobs", changed(job("j", "true"), "spec.template.spec.restartPolicy", ...), ['spec.template.spec.restartPolicy: Unsupported value: "Always": supported values: "OnFailure", "Never"']),
        ("cronjobs", {"metadata": {"name": "c"}, "spec": {"schedule": "soon", "jobTemplate": {"spec": job("j", "true")["spec"]}}}, ['spec.schedule: Invalid value: "soon": expected exactly 5 fields, found 1: [soon]']),
        ("services", service(ports=[]), ["spec.ports: Required value"]),
        ("services", service(ports=[{"port": 80}, {"port": 81}]), ["spec.ports[0].name: Required value", "spec.ports[1].name: Required value"]),
        ("services", service(ports=[{"port": 0}]), ["spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive"]),
        ("services", service(type="Nonsense"), ['spec.type: Unsupported value: "Nonsense"']),
        ("services", {**service(), "metadata": {"name": "1svc"}}, ['metadata.name: Invalid value: "1svc": a DNS-1035 label must consist']),
        ("ingresses", {"metadata": {"name": "i"}, "spec": {}}, ["spec: Invalid value: []: either `defaultBackend` or `rules` must be specified"]),
        ("ingresses", ingress(pathType=None), ["spec.rules[0].http.paths[0].pathType: Required value: pathType must be specified"]),
        ("ingresses", ingress(path="x"), ['spec.rules[0].http.paths[0].path: Invalid value: "x": must be an absolute path']),
        ("ingresses", ingress(backend={}), ["spec.rules[0].http.paths[0].backend: Required value: port name or number is required"]),
        ("roles", {"metadata": {"name": "r"}, "rules": [{"apiGroups": [""], "resources": ["pods"]}]}, ["rules[0].verbs: Required value: verbs must contain at least one value"]),
        ("rolebindings", {"metadata": {"name": "b"}, "roleRef": {**ROLE, "kind": "Rule"}, "subjects": [ACCOUNT]}, ['roleRef.kind: Unsupported value: "Rule": supported values: "ClusterRole", "Role"']),
        ("persistentvolumeclaims", claim(accessModes=[]), ["spec.accessModes: Required value: at least 1 access mode is required"]),
        ("persistentvolumeclaims", claim(resources={}), ["spec.resources[storage]: Required value"]),
        ("horizontalpodautoscalers", {"metadata": {"name": "h"}, "spec": {"minReplicas": 3, "maxReplicas": 1, "scaleTargetRef": {"name": "x"}}}, ["spec.scaleTargetRef.kind: Required value", "spec.maxReplicas: Invalid value: 1: must be greater than or equal to `minReplicas`"]),
        ("customresourcedefinitions", {"metadata": {"name": "wrong"}, "spec": {"group": "e.com", "scope": "Namespaced", "names": {"plural": "xs", "kind": "X"}, "versions": [{"name": "v1", "served": True, "storage": True}]}}, ['metadata.name: Invalid value: "wrong": must be spec.names.plural+"."+spec.group', "spec.versions[0].schema.openAPIV3Schema: Required value: schemas are required"]),
    ],
)  # fmt: skip
def test_invalid_objects(api: Client, plural: str, body: dict[str, Any], causes: list[str]) -> None:
    answer = api.call("POST", api.path(plural), body)
    said = refused(answer, 422, "Invalid")
    assert " is invalid: " in said
    for cause in causes:
        assert cause in said
    details = answer.json()["details"]
    assert len(details["causes"]) >= len(causes)
    assert all(c["reason"].startswith("FieldValue") and c["message"] for c in details["causes"])


@pytest.mark.parametrize(
    ("plural", "body", "path", "value", "said"),
    [
        ("deployments", deployment(), "spec.selector.matchLabels.more", "x", "field is immutable"),
        ("statefulsets", stateful_set(), "spec.serviceName", "x", "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template',"),
        ("jobs", job("j", "sleep 60"), f"{CONTAINER}.image", "x", "spec.template: Invalid value:"),
        ("services", service(clusterIP="10.96.7.7"), "spec.clusterIP", "10.96.7.8", 'spec.clusterIPs[0]: Invalid value: ["10.96.7.8"]: may not change once set'),
        ("persistentvolumeclaims", claim(), "spec.accessModes", ["ReadWriteMany"], "spec: Forbidden: spec is immutable after creation except"),
        ("configmaps", {**config_map(a="1"), "immutable": True}, "data.a", "2", "data: Forbidden: field is immutable when `immutable` is set"),
        ("secrets", {"metadata": {"name": "s"}, "type": "a"}, "type", "b", 'type: Invalid value: "b": field is immutable'),
        ("rolebindings", {"metadata": {"name": "b"}, "roleRef": ROLE, "subjects": [ACCOUNT]}, "roleRef.name", "x", "cannot change roleRef"),
    ],
)  # fmt: skip
def test_what_may_not_change_and_how_that_is_said(
    api: Client, plural: str, body: dict[str, Any], path: str, value: Any, said: str
) -> None:
    live = api.create(plural, body)
    new = changed(live, path, value)
    if plural == "deployments":
        new = changed(new, "spec.template.metadata.labels.more", "x")
    new["metadata"].pop("resourceVersion")
    path_to = api.path(plural, live["metadata"]["name"])
    assert said in refused(api.call("PUT", path_to, new), 422, "Invalid")
    renamed = {**new, "metadata": {"name": "renamed"}}
    api.create(plural, renamed, dryRun="All")


@pytest.mark.parametrize(
    ("plural", "body", "path", "said"),
    [
        ("storageclasses", {"metadata": {}, "provisioner": "a"}, "provisioner", "provisioner: Forbidden: updates to provisioner are forbidden."),
        ("priorityclasses", {"metadata": {}, "value": 1}, "value", "value: Forbidden: may not be changed in an update."),
        ("ingressclasses", {"metadata": {}, "spec": {"controller": "a/b"}}, "spec.controller", "spec.controller: Invalid value:"),
    ],
)  # fmt: skip
def test_what_may_not_change_across_the_cluster(
    api: Client, plural: str, body: dict[str, Any], path: str, said: str
) -> None:
    live = api.create(plural, {**body, "metadata": {"name": api.namespace}})
    value = 2 if plural == "priorityclasses" else "x/y"
    answer = api.call("PUT", api.path(plural, api.namespace), changed(live, path, value))
    api.delete(plural, api.namespace)
    assert said in refused(answer, 422, "Invalid")


def test_an_invalid_replacement_leaves_the_live_object(api: Client) -> None:
    live = api.create("deployments", deployment())
    refused(api.try_apply("deployments", deployment(replicas=-1), force="true"), 422, "Invalid")
    assert api.get("deployments", "web")["spec"] == live["spec"]


@pytest.mark.parametrize(
    ("plural", "body", "path", "wanted"),
    [
        ("services", service(), "spec.ports.0", {"port": 80, "protocol": "TCP", "targetPort": 80}),
        ("services", service(), "spec.sessionAffinity", "None"),
        ("services", service(type="NodePort"), "spec.externalTrafficPolicy", "Cluster"),
        ("services", service(clusterIP="None"), "spec.clusterIPs", ["None"]),
        ("deployments", deployment(), "spec.strategy", {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}),
        ("deployments", deployment(strategy={"type": "Recreate"}), "spec.strategy", {"type": "Recreate"}),
        ("deployments", deployment(), f"{CONTAINER}.imagePullPolicy", "IfNotPresent"),
        ("deployments", changed(deployment(), f"{CONTAINER}.image", "nginx"), f"{CONTAINER}.imagePullPolicy", "Always"),
        ("deployments", changed(deployment(), f"{CONTAINER}.image", "r:5000/nginx@sha256:1"), f"{CONTAINER}.imagePullPolicy", "IfNotPresent"),
        ("deployments", changed(deployment(), f"{CONTAINER}.livenessProbe", {"httpGet": {"port": "http"}}), f"{CONTAINER}.livenessProbe", {"httpGet": {"path": "/", "port": "http", "scheme": "HTTP"}, "failureThreshold": 3, "periodSeconds": 10, "successThreshold": 1, "timeoutSeconds": 1}),
        ("deployments", changed(deployment(), "spec.template.spec.volumes", [{"name": "v"}, {"name": "c", "configMap": {"name": "x"}}]), "spec.template.spec.volumes", [{"name": "v", "emptyDir": {}}, {"name": "c", "configMap": {"name": "x", "defaultMode": 420}}]),
        ("deployments", changed(deployment(), "spec.template.spec.serviceAccountName", "a"), "spec.template.spec.serviceAccount", "a"),
        ("statefulsets", stateful_set(), "spec.updateStrategy", {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}),
        ("daemonsets", {**deployment("d"), "kind": "DaemonSet"}, "spec.updateStrategy", {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}),
        ("jobs", job("j", "true", backoffLimit=None), "spec.backoffLimit", 6),
        ("networkpolicies", {"metadata": {"name": "n"}, "spec": {"podSelector": {}, "egress": [{}]}}, "spec.policyTypes", ["Ingress", "Egress"]),
        ("persistentvolumeclaims", claim(), "spec.volumeMode", "Filesystem"),
        ("horizontalpodautoscalers", {"metadata": {"name": "h"}, "spec": {"maxReplicas": 2, "scaleTargetRef": {"kind": "D", "name": "x"}}}, "spec.minReplicas", 1),
        ("rolebindings", {"metadata": {"name": "b"}, "roleRef": {"kind": "Role", "name": "r"}, "subjects": [{"kind": "User", "name": "u"}]}, "subjects.0.apiGroup", RBAC),
    ],
)  # fmt: skip
def test_defaults(api: Client, plural: str, body: dict[str, Any], path: str, wanted: Any) -> None:
    found: Any = api.create(plural, body)
    for step in path.split("."):
        found = found[int(step) if step.isdigit() else step]
    assert found == wanted


def test_a_service_keeps_the_address_that_it_was_given(api: Client) -> None:
    body = {"apiVersion": "v1", "kind": "Service", **service(type="NodePort")}
    first = api.apply("services", body)["spec"]
    second = api.apply("services", body)["spec"]
    replaced = api.replace("services", service(type="NodePort"))["spec"]
    assert first["clusterIP"].startswith("10.96.") and first["ports"][0]["nodePort"] >= 30000
    assert first == second == replaced
