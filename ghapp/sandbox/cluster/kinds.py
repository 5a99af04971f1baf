"""Every kind that the cluster serves from the start, in one table.

A custom resource becomes a :class:`Resource` of the same shape; nothing that serves objects knows the difference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ghapp.sandbox.cluster import models
from ghapp.sandbox.cluster.types import ANYTHING, Object, Type

_ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table that `kubectl get` prints; ``priority`` 1 is for `-o wide`."""

    name: str
    path: str
    type: str = "string"
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind as it is served: where, under which names, with which type.

    ``subresources`` are those below an object (status, scale, log …). ``stored_as`` tells versions and groups that
    show the same objects apart from those that do not: resources with the same value share their objects, which are
    kept in ``stored_version``, with the top-level fields of ``renamed`` under their other names.
    """

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool
    type: Type = field(repr=False, compare=False)
    singular: str = ""
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    verbs: tuple[str, ...] = _ALL_VERBS
    stored_as: str = ""
    stored_version: str = ""
    renamed: Mapping[str, str] = field(default_factory=dict, compare=False)
    custom: bool = False
    has_generation: bool = False
    columns: tuple[Column, ...] = field(default=(), compare=False)
    schema: Mapping[str, Any] | None = field(default=None, repr=False, compare=False)
    scale: Mapping[str, str] | None = field(default=None, repr=False, compare=False)

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def storage(self) -> str:
        return self.stored_as or f"{self.group}/{self.plural}"

    def seen(self, stored: Object) -> Object:
        """A stored object as this version shows it; itself where that is how it is stored."""
        if stored["apiVersion"] == self.api_version:
            return stored
        names = {theirs: ours for ours, theirs in self.renamed.items()}
        return {**{names.get(k, k): v for k, v in stored.items()}, "apiVersion": self.api_version}

    def kept(self, shown: Object) -> Object:
        """An object of this version as it is stored."""
        named = {self.renamed.get(k, k): v for k, v in shown.items()} if self.renamed else shown
        return {**named, "apiVersion": self.stored_version or self.api_version}


# Core events and those of events.k8s.io are the same objects with fields of other names.
_EVENT_NAMES = {
    "regarding": "involvedObject",
    "note": "message",
    "reportingController": "reportingComponent",
    "deprecatedCount": "count",
    "deprecatedFirstTimestamp": "firstTimestamp",
    "deprecatedLastTimestamp": "lastTimestamp",
    "deprecatedSource": "source",
}

# group, version: then plural, kind, namespaced?, short names, subresources, categories, generation?
_N, _C = True, False
_TABLE: dict[tuple[str, str], list[tuple[str, str, bool, str, str, str, bool]]] = {
    ("", "v1"): [
        ("configmaps", "ConfigMap", _N, "cm", "", "", False),
        ("endpoints", "Endpoints", _N, "ep", "", "", False),
        ("events", "Event", _N, "ev", "", "", False),
        ("limitranges", "LimitRange", _N, "limits", "", "", False),
        ("namespaces", "Namespace", _C, "ns", "status finalize", "", False),
        ("nodes", "Node", _C, "no", "status", "", False),
        ("persistentvolumeclaims", "PersistentVolumeClaim", _N, "pvc", "status", "", False),
        ("persistentvolumes", "PersistentVolume", _C, "pv", "status", "", False),
        ("pods", "Pod", _N, "po", "status log eviction", "all", True),
        ("podtemplates", "PodTemplate", _N, "", "", "", True),
        ("replicationcontrollers", "ReplicationController", _N, "rc", "status scale", "all", True),
        ("resourcequotas", "ResourceQuota", _N, "quota", "status", "", False),
        ("secrets", "Secret", _N, "", "", "", False),
        ("serviceaccounts", "ServiceAccount", _N, "sa", "token", "", False),
        ("services", "Service", _N, "svc", "status", "all", False),
    ],
    ("apps", "v1"): [
        ("controllerrevisions", "ControllerRevision", _N, "", "", "", False),
        ("daemonsets", "DaemonSet", _N, "ds", "status", "all", True),
        ("deployments", "Deployment", _N, "deploy", "status scale", "all", True),
        ("replicasets", "ReplicaSet", _N, "rs", "status scale", "all", True),
        ("statefulsets", "StatefulSet", _N, "sts", "status scale", "all", True),
    ],
    ("batch", "v1"): [
        ("cronjobs", "CronJob", _N, "cj", "status", "all", True),
        ("jobs", "Job", _N, "", "status", "all", True),
    ],
    ("autoscaling", "v2"): [
        ("horizontalpodautoscalers", "HorizontalPodAutoscaler", _N, "hpa", "status", "all", False),
    ],
    ("networking.k8s.io", "v1"): [
        ("ingressclasses", "IngressClass", _C, "", "", "", True),
        ("ingresses", "Ingress", _N, "ing", "status", "", True),
        ("networkpolicies", "NetworkPolicy", _N, "netpol", "", "", True),
    ],
    ("policy", "v1"): [("poddisruptionbudgets", "PodDisruptionBudget", _N, "pdb", "status", "", True)],
    ("rbac.authorization.k8s.io", "v1"): [
        ("clusterrolebindings", "ClusterRoleBinding", _C, "", "", "", False),
        ("clusterroles", "ClusterRole", _C, "", "", "", False),
        ("rolebindings", "RoleBinding", _N, "", "", "", False),
        ("roles", "Role", _N, "", "", "", False),
    ],
    ("storage.k8s.io", "v1"): [
        ("csidrivers", "CSIDriver", _C, "", "", "", False),
        ("csinodes", "CSINode", _C, "", "", "", False),
        ("storageclasses", "StorageClass", _C, "sc", "", "", False),
        ("volumeattachments", "VolumeAttachment", _C, "", "status", "", False),
    ],
    ("scheduling.k8s.io", "v1"): [("priorityclasses", "PriorityClass", _C, "pc", "", "", True)],
    ("coordination.k8s.io", "v1"): [("leases", "Lease", _N, "", "", "", False)],
    ("node.k8s.io", "v1"): [("runtimeclasses", "RuntimeClass", _C, "", "", "", False)],
    ("discovery.k8s.io", "v1"): [("endpointslices", "EndpointSlice", _N, "", "", "", True)],
    ("events.k8s.io", "v1"): [("events", "Event", _N, "ev", "", "", False)],
    ("certificates.k8s.io", "v1"): [
        ("certificatesigningrequests", "CertificateSigningRequest", _C, "csr", "status approval", "", False),
    ],
    ("apiextensions.k8s.io", "v1"): [
        ("customresourcedefinitions", "CustomResourceDefinition", _C, "crd crds", "status", "api-extensions", True),
    ],
    ("apiregistration.k8s.io", "v1"): [("apiservices", "APIService", _C, "", "status", "api-extensions", False)],
    ("admissionregistration.k8s.io", "v1"): [
        ("mutatingwebhookconfigurations", "MutatingWebhookConfiguration", _C, "", "", "api-extensions", True),
        ("validatingadmissionpolicies", "ValidatingAdmissionPolicy", _C, "", "status", "api-extensions", True),
        (
            "validatingadmissionpolicybindings",
            "ValidatingAdmissionPolicyBinding",
            _C,
            "",
            "",
            "api-extensions",
            True,
        ),
        ("validatingwebhookconfigurations", "ValidatingWebhookConfiguration", _C, "", "", "api-extensions", True),
    ],
}  # fmt: skip

# Reviews: asked for by POST, answered, never stored.
_REVIEWS: dict[tuple[str, str], list[tuple[str, str, bool]]] = {
    ("authentication.k8s.io", "v1"): [
        ("selfsubjectreviews", "SelfSubjectReview", _C),
        ("tokenreviews", "TokenReview", _C),
    ],
    ("authorization.k8s.io", "v1"): [
        ("localsubjectaccessreviews", "LocalSubjectAccessReview", _N),
        ("selfsubjectaccessreviews", "SelfSubjectAccessReview", _C),
        ("selfsubjectrulesreviews", "SelfSubjectRulesReview", _C),
        ("subjectaccessreviews", "SubjectAccessReview", _C),
    ],
}

_MODELS = {("", "Event"): "CoreV1Event", ("events.k8s.io", "Event"): "EventsV1Event"}
_SHARED_EVENTS: dict[str, Any] = {"stored_as": "/events", "stored_version": "v1", "renamed": _EVENT_NAMES}


def builtin() -> list[Resource]:
    """All built-in kinds, in the order in which discovery lists them."""
    resources = [
        Resource(
            group,
            version,
            plural,
            kind,
            namespaced,
            type=_model(group, version, kind),
            singular=kind.lower(),
            short_names=tuple(short.split()),
            categories=tuple(categories.split()),
            subresources=tuple(below.split()),
            has_generation=generation,
            **(_SHARED_EVENTS if group == "events.k8s.io" else {}),
        )
        for (group, version), rows in _TABLE.items()
        for plural, kind, namespaced, short, below, categories, generation in rows
    ]
    resources += [
        Resource(group, version, plural, kind, namespaced, type=ANYTHING, singular=kind.lower(), verbs=("create",))
        for (group, version), rows in _REVIEWS.items()
        for plural, kind, namespaced in rows
    ]
    return resources


def _model(group: str, version: str, kind: str) -> Type:
    name = _MODELS.get((group, kind)) or version.capitalize() + kind
    return models.model(name) if models.exists(name) else ANYTHING


class Kinds:
    """What is served now: built-in kinds, and custom ones as their definitions come and go."""

    def __init__(self) -> None:
        self._by_path: dict[tuple[str, str, str], Resource] = {}
        self._by_kind: dict[tuple[str, str], Resource] = {}
        self.generation = 0
        for resource in builtin():
            self.add(resource)

    def add(self, resource: Resource) -> None:
        self._by_path[resource.group, resource.version, resource.plural] = resource
        self._by_kind[resource.api_version, resource.kind] = resource
        self.generation += 1

    def remove(self, resource: Resource) -> None:
        self._by_path.pop((resource.group, resource.version, resource.plural), None)
        self._by_kind.pop((resource.api_version, resource.kind), None)
        self.generation += 1

    def at(self, group: str, version: str, plural: str) -> Resource | None:
        return self._by_path.get((group, version, plural))

    def of(self, api_version: str, kind: str) -> Resource | None:
        return self._by_kind.get((api_version, kind))

    def named(self, kind: str) -> Resource:
        """A built-in kind by its name alone. Raises KeyError."""
        return next(r for r in self._by_path.values() if r.kind == kind and not r.custom)

    def all(self) -> list[Resource]:
        return list(self._by_path.values())
