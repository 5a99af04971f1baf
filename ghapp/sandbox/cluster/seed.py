"""What is in every cluster from its first moment: namespaces, the usual roles, a node, a storage class."""

from __future__ import annotations

from ghapp.sandbox.cluster.discovery import VERSION
from ghapp.sandbox.cluster.identity import MASTERS
from ghapp.sandbox.cluster.objects import Objects
from ghapp.sandbox.cluster.rbac import GROUP
from ghapp.sandbox.cluster.types import Object
from ghapp.sandbox.cluster.write import Write

_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
_MANAGER = "kube-apiserver"
_READ = ["get", "list", "watch"]
_WRITE = ["create", "delete", "deletecollection", "patch", "update"]
_EVERYDAY: dict[str, list[str]] = {
    "": [
        "configmaps", "endpoints", "persistentvolumeclaims", "persistentvolumeclaims/status", "pods", "pods/log",
        "pods/status", "replicationcontrollers", "replicationcontrollers/scale", "serviceaccounts", "services",
        "services/status",
    ],
    "apps": [
        "controllerrevisions", "daemonsets", "daemonsets/status", "deployments", "deployments/scale",
        "deployments/status", "replicasets", "replicasets/scale", "replicasets/status", "statefulsets",
        "statefulsets/scale", "statefulsets/status",
    ],
    "autoscaling": ["horizontalpodautoscalers", "horizontalpodautoscalers/status"],
    "batch": ["cronjobs", "cronjobs/status", "jobs", "jobs/status"],
    "networking.k8s.io": ["ingresses", "ingresses/status", "networkpolicies"],
    "policy": ["poddisruptionbudgets", "poddisruptionbudgets/status"],
    "discovery.k8s.io": ["endpointslices"],
}  # fmt: skip


def plant(objects: Objects) -> None:
    """Create what every cluster has."""
    for name in _NAMESPACES:
        _create(objects, "Namespace", "", name, {})
    for name, rules in _cluster_roles().items():
        _create(objects, "ClusterRole", "", name, {"rules": rules})
    for name, group in (("cluster-admin", MASTERS),):
        subject = {"kind": "Group", "apiGroup": GROUP, "name": group}
        role = {"apiGroup": GROUP, "kind": "ClusterRole", "name": name}
        _create(objects, "ClusterRoleBinding", "", name, {"roleRef": role, "subjects": [subject]})
    _create(objects, "Node", "", "sandbox", {})
    node = objects.kinds.named("Node")
    objects.set_status(node, objects.get(node, "", "sandbox"), _node_status(objects.clock()), "kubelet")
    _create(objects, "StorageClass", "", "standard", {"provisioner": "sandbox.ghapp.dev/hostpath"})
    port = {"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}
    service = {"spec": {"clusterIP": "10.96.0.1", "clusterIPs": ["10.96.0.1"], "ports": [port]}}
    _create(objects, "Service", "default", "kubernetes", service)


def _cluster_roles() -> dict[str, list[Object]]:
    everything = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
    paths = {"nonResourceURLs": ["*"], "verbs": ["*"]}

    def rules(verbs: list[str]) -> list[Object]:
        return [{"apiGroups": [g], "resources": list(r), "verbs": list(verbs)} for g, r in _EVERYDAY.items()]

    secrets = {"apiGroups": [""], "resources": ["secrets"], "verbs": [*_READ, *_WRITE]}
    binding = {"apiGroups": [GROUP], "resources": ["rolebindings", "roles"], "verbs": [*_READ, *_WRITE]}
    seen = {"apiGroups": [""], "resources": ["events", "namespaces"], "verbs": _READ}
    return {
        "cluster-admin": [everything, paths],
        "admin": [*rules([*_READ, *_WRITE]), secrets, binding, seen],
        "edit": [*rules([*_READ, *_WRITE]), secrets, seen],
        "view": [*rules(_READ), seen],
    }


def _node_status(now: str) -> Object:
    amounts = {"cpu": "8", "memory": "32Gi", "pods": "10000", "ephemeral-storage": "100Gi"}
    ready = {
        "type": "Ready",
        "status": "True",
        "reason": "KubeletReady",
        "message": "the sandbox is ready",
        "lastHeartbeatTime": now,
        "lastTransitionTime": now,
    }
    return {
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}, {"type": "Hostname", "address": "sandbox"}],
        "capacity": amounts,
        "allocatable": amounts,
        "conditions": [ready],
        "nodeInfo": {"kubeletVersion": VERSION["gitVersion"], "osImage": "this machine", "architecture": "any"},
    }


def _create(objects: Objects, kind: str, namespace: str, name: str, body: Object) -> None:
    given = {"metadata": {"name": name}, **body}
    objects.create(objects.kinds.named(kind), namespace, given, Write(_MANAGER))
