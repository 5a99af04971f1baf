"""The types of the built-in kinds, borrowed from the models that the official Python client ships.

Model files are read as text, one when a type is first looked at: importing the client would take longer than everything
else that the cluster does at its start. What the models do not say — how lists merge, which fields are quantities,
which structs the server always writes — stands in the tables below, after the API's published schema.
"""

from __future__ import annotations

import ast
import importlib.util
import re
from functools import cache
from pathlib import Path

from ghapp.sandbox.cluster.types import (
    ANYTHING,
    BOOLEAN,
    BYTES,
    INT_OR_STRING,
    INTEGER,
    NUMBER,
    OPAQUE,
    QUANTITY,
    STRING,
    TIME,
    ListOf,
    MapOf,
    Struct,
    Type,
)

# Lists that merge by item: the fields that identify one, or () for sets. All other lists are atomic.
_NAME = ("name",)
_ASSOCIATIVE: dict[str, tuple[str, ...]] = {
    "V1ObjectMeta.finalizers": (),
    "V1ObjectMeta.ownerReferences": ("uid",),
    "V1PodSpec.containers": _NAME,
    "V1PodSpec.initContainers": _NAME,
    "V1PodSpec.ephemeralContainers": _NAME,
    "V1PodSpec.volumes": _NAME,
    "V1PodSpec.imagePullSecrets": _NAME,
    "V1PodSpec.hostAliases": ("ip",),
    "V1PodSpec.topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
    "V1PodSpec.resourceClaims": _NAME,
    "V1PodSpec.schedulingGates": _NAME,
    "V1Container.env": _NAME,
    "V1Container.ports": ("containerPort", "protocol"),
    "V1Container.volumeMounts": ("mountPath",),
    "V1Container.volumeDevices": ("devicePath",),
    "V1EphemeralContainer.env": _NAME,
    "V1EphemeralContainer.ports": ("containerPort", "protocol"),
    "V1EphemeralContainer.volumeMounts": ("mountPath",),
    "V1EphemeralContainer.volumeDevices": ("devicePath",),
    "V1ResourceRequirements.claims": _NAME,
    "V1ServiceSpec.ports": ("port", "protocol"),
    "V1ServiceAccount.secrets": _NAME,
    "V1PodStatus.podIPs": ("ip",),
    "V1NodeSpec.podCIDRs": (),
    "V1NodeStatus.addresses": ("type",),
    "V1Endpoint.addresses": (),
    "V1CSINodeSpec.drivers": _NAME,
    "V1CSIDriverSpec.volumeLifecycleModes": (),
    "V1MutatingWebhookConfiguration.webhooks": _NAME,
    "V1ValidatingWebhookConfiguration.webhooks": _NAME,
    "V1MutatingWebhook.matchConditions": _NAME,
    "V1ValidatingWebhook.matchConditions": _NAME,
    "V1ValidatingAdmissionPolicySpec.matchConditions": _NAME,
    "V1ValidatingAdmissionPolicySpec.variables": _NAME,
    "V1ValidatingAdmissionPolicyBindingSpec.validationActions": (),
    "V1PodFailurePolicyOnExitCodesRequirement.values": (),
}
# Conditions merge by type, except where the published schema left them atomic.
_ATOMIC_CONDITIONS = {"V1JobStatus"}

_ATOMIC_STRUCTS = {
    "V1ConfigMapKeySelector", "CoreV1EndpointPort", "V1EndpointAddress", "V1LocalObjectReference", "V1NodeSelector",
    "V1NodeSelectorTerm", "V1ObjectFieldSelector", "V1ObjectReference", "V1ResourceFieldSelector", "V1ScopeSelector",
    "V1SecretKeySelector", "V1SecretReference", "V1TopologySelectorTerm", "V1TypedLocalObjectReference",
    "DiscoveryV1EndpointPort", "V1ServiceBackendPort", "V1RoleRef", "RbacV1Subject", "V1LabelSelector",
    "V1OwnerReference", "V1MatchResources", "V1NamedRuleWithOperations", "V1ParamKind", "V1ParamRef", "V1Variable",
    "V1CrossVersionObjectReference",
}  # fmt: skip
_ATOMIC_MAPS = {"V1PodSpec.nodeSelector", "V1ReplicationControllerSpec.selector", "V1ServiceSpec.selector"}
_ATOMIC_MAPS |= {"V1Scheduling.nodeSelector"}

_QUANTITY_MAPS = {
    "requests", "limits", "capacity", "allocatable", "allocatedResources", "hard", "used", "overhead", "podFixed",
    "default", "defaultRequest", "max", "min", "maxLimitRequestRatio",
}  # fmt: skip
_QUANTITIES = {
    "V1EmptyDirVolumeSource.sizeLimit", "V1ResourceFieldSelector.divisor", "V2MetricTarget.averageValue",
    "V2MetricTarget.value", "V2MetricValueStatus.averageValue", "V2MetricValueStatus.value",
    "V2HPAScalingRules.tolerance", "V1CSIStorageCapacity.capacity", "V1CSIStorageCapacity.maximumVolumeSize",
}  # fmt: skip
_INT_OR_STRING = {"maxSurge", "maxUnavailable", "minAvailable", "targetPort", "port"}
_OPAQUE = {"V1ManagedFieldsEntry.fieldsV1", "V1ControllerRevision.data"}

# Structs that are not pointers in the server's Go types, and so appear as {} where nobody set them.
_ALWAYS: dict[str, tuple[str, ...]] = {
    "V1Deployment": ("metadata", "spec", "status"),
    "V1ReplicaSet": ("metadata", "spec", "status"),
    "V1StatefulSet": ("metadata", "spec", "status"),
    "V1DaemonSet": ("metadata", "spec", "status"),
    "V1Job": ("metadata", "spec", "status"),
    "V1CronJob": ("metadata", "spec", "status"),
    "V1Pod": ("metadata", "spec", "status"),
    "V1Service": ("metadata", "spec", "status"),
    "V1Ingress": ("metadata", "spec", "status"),
    "V1Namespace": ("metadata", "spec", "status"),
    "V1Node": ("metadata", "spec", "status"),
    "V1PersistentVolume": ("metadata", "spec", "status"),
    "V1PersistentVolumeClaim": ("metadata", "spec", "status"),
    "V1ResourceQuota": ("metadata", "spec", "status"),
    "V1PodDisruptionBudget": ("metadata", "spec", "status"),
    "V2HorizontalPodAutoscaler": ("metadata", "spec", "status"),
    "V1CustomResourceDefinition": ("metadata", "spec"),
    "V1APIService": ("metadata", "spec", "status"),
    "V1CertificateSigningRequest": ("metadata", "spec", "status"),
    "V1LimitRange": ("metadata", "spec"),
    "V1NetworkPolicy": ("metadata", "spec"),
    "V1Lease": ("metadata", "spec"),
    "V1RoleBinding": ("metadata", "roleRef"),
    "V1ClusterRoleBinding": ("metadata", "roleRef"),
    "V1PodTemplate": ("metadata", "template"),
    "V1DeploymentSpec": ("strategy", "template"),
    "V1ReplicaSetSpec": ("template",),
    "V1StatefulSetSpec": ("template", "updateStrategy"),
    "V1DaemonSetSpec": ("template", "updateStrategy"),
    "V1JobSpec": ("template",),
    "V1CronJobSpec": ("jobTemplate",),
    "V1JobTemplateSpec": ("metadata", "spec"),
    "V1PodTemplateSpec": ("metadata", "spec"),
    "V1Container": ("resources",),
    "V1EphemeralContainer": ("resources",),
    "V1PersistentVolumeClaimSpec": ("resources",),
    "V1PersistentVolumeClaimTemplate": ("spec",),
    "V1ServiceStatus": ("loadBalancer",),
    "V1IngressStatus": ("loadBalancer",),
    "V1HTTPIngressPath": ("backend",),
    "V2HorizontalPodAutoscalerSpec": ("scaleTargetRef",),
    "V1CustomResourceDefinitionSpec": ("names",),
}

# Numbers, strings and booleans that the server leaves out when they are zero, by field. Pointers keep their zeros.
_ZEROS = {
    "initialDelaySeconds", "minReadySeconds", "hostNetwork", "hostPID", "hostIPC", "tty", "stdin", "stdinOnce",
    "value", "readOnly", "subPath", "subPathExpr", "externalName", "paused", "publishNotReadyAddresses", "hostPort",
    "hostIP", "nodePort", "hostname", "subdomain", "nodeName", "fsType", "generateName", "deprecated", "workingDir",
    "serviceAccountName", "serviceAccount", "loadBalancerIP", "healthCheckNodePort", "priorityClassName", "medium",
    "observedGeneration", "replicas", "readyReplicas", "availableReplicas", "updatedReplicas", "unavailableReplicas",
    "namespace", "selfLink", "resourceVersion", "uid", "generation", "volumeName", "clusterIP", "active", "succeeded",
    "failed", "message", "reason", "description", "globalDefault", "prefix", "host", "scheme", "tolerationSeconds",
}  # fmt: skip
# The same names where they are pointers, or plain fields without omitempty.
_KEPT_ZEROS = {
    "V1DeploymentSpec.replicas", "V1ReplicaSetSpec.replicas", "V1StatefulSetSpec.replicas",
    "V1Toleration.tolerationSeconds",
    "V1ReplicationControllerSpec.replicas", "V1DeploymentCondition.message", "V1ScaleSpec.replicas",
    "V1ReplicaSetStatus.replicas", "V1StatefulSetStatus.replicas", "V1LeaseSpec.holderIdentity",
    "V1PersistentVolumeClaimSpec.storageClassName", "V1EmptyDirVolumeSource.medium", "V1PriorityClass.value",
    "V1HTTPHeader.value", "V1CustomResourceColumnDefinition.description", "V1Preconditions.uid",
    "V1PodFailurePolicyOnPodConditionsPattern.status", "V1TopologySelectorLabelRequirement.values",
}  # fmt: skip
_KEY_DEFAULTS = {"V1ContainerPort": {"protocol": "TCP"}, "V1ServicePort": {"protocol": "TCP"}}

_TABLE = r"{name}(?:\s*:\s*ClassVar\[[^=]*\])?\s*=\s*(\{{.*?\}})"
_TYPES = re.compile(_TABLE.format(name="openapi_types"), re.DOTALL)
_NAMES = re.compile(_TABLE.format(name="attribute_map"), re.DOTALL)
_GENERIC = re.compile(r"(?:[Ll]ist\[(?P<items>.*)\]|[Dd]ict[\[(]str,\s*(?P<values>.*)[\])])\Z")
_SCALARS: dict[str, Type] = {
    "str": STRING, "int": INTEGER, "float": NUMBER, "bool": BOOLEAN, "datetime": TIME, "bytes": BYTES,
    "bytearray": BYTES,
}  # fmt: skip


class ModelsMissing(RuntimeError):
    """The Python client's models are not where they are expected."""


@cache
def _files() -> dict[str, Path]:
    spec = importlib.util.find_spec("kubernetes")
    places = list(spec.submodule_search_locations or ()) if spec else []
    folder = Path(places[0]) / "client" / "models" if places else Path()
    if not places or not folder.is_dir():
        raise ModelsMissing("the Python package `kubernetes` is not installed, or has no client/models folder")
    return {path.stem.replace("_", ""): path for path in folder.glob("*.py")}


def exists(model: str) -> bool:
    """Whether the client knows a model of this name."""
    return model.lower() in _files()


@cache
def model(name: str) -> Struct:
    """The type that the client calls ``name``: ``V1Deployment``, say."""
    return Struct(
        name,
        lambda: _load(name),
        atomic=name in _ATOMIC_STRUCTS,
        always=_ALWAYS.get(name, ()),
        zeros=frozenset(f for f in _ZEROS if f"{name}.{f}" not in _KEPT_ZEROS),
        key_defaults=_KEY_DEFAULTS.get(name, {}),
    )


def _load(name: str) -> dict[str, Type]:
    text = _files()[name.lower()].read_text(encoding="utf-8")
    types, names = _TYPES.search(text), _NAMES.search(text)
    if not types or not names:
        raise ModelsMissing(f"the Python client's model {name} is written in a way that this version cannot read")
    spelled: dict[str, str] = ast.literal_eval(names[1])
    return {spelled[key]: _type(name, spelled[key], kind) for key, kind in ast.literal_eval(types[1]).items()}


def _type(owner: str, field: str, kind: str) -> Type:
    where = f"{owner}.{field}"
    if where in _OPAQUE:
        return OPAQUE
    if where in _QUANTITIES:
        return QUANTITY
    if generic := _GENERIC.match(kind):
        if generic["values"]:
            quantities = field in _QUANTITY_MAPS and generic["values"] == "str"
            values = QUANTITY if quantities else _type(owner, field + "{}", generic["values"])
            return MapOf(values, atomic=where in _ATOMIC_MAPS)
        items = _type(owner, field + "[]", generic["items"])
        if where in _ASSOCIATIVE:
            return ListOf(items, associative=True, keys=_ASSOCIATIVE[where])
        if field == "conditions" and owner not in _ATOMIC_CONDITIONS and owner.endswith("Status"):
            return ListOf(items, associative=True, keys=("type",))
        return ListOf(items)
    if kind == "object":
        return INT_OR_STRING if field in _INT_OR_STRING else ANYTHING
    return _SCALARS.get(kind) or model(kind)
