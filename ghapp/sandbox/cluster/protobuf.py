"""Bodies in the API's protobuf encoding, which kubectl sends for the objects that it makes itself (`kubectl create`).

Only reading, and only the kinds that kubectl makes: answers are JSON, which every client takes. Field types are those
of the JSON models; the table below adds what they lack, the fields' numbers.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from ghapp.sandbox.cluster import models
from ghapp.sandbox.cluster.errors import bad_request, unsupported_media_type
from ghapp.sandbox.cluster.types import ListOf, MapOf, Object, Scalar, Struct, Type

CONTENT_TYPE = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\x00"

# Fields in the order of their numbers: "-" is a number without a field, "@Name" a message whose fields stand in the
# JSON beside those of the message that holds it.
_OBJECT = "metadata spec status"
_LOCAL = "@V1LocalObjectReference"
_FIELDS: dict[str, str] = {
    "V1ObjectMeta": "name generateName namespace selfLink uid resourceVersion generation creationTimestamp "
    "deletionTimestamp deletionGracePeriodSeconds labels annotations ownerReferences finalizers",
    "V1OwnerReference": "kind - name uid apiVersion controller blockOwnerDeletion",
    "V1LabelSelector": "matchLabels matchExpressions",
    "V1LabelSelectorRequirement": "key operator values",
    "V1LocalObjectReference": "name",
    "V1ObjectReference": "kind namespace name uid apiVersion resourceVersion fieldPath",
    "V1DeleteOptions": "gracePeriodSeconds preconditions orphanDependents propagationPolicy dryRun",
    "V1Preconditions": "uid resourceVersion",
    "V1Namespace": _OBJECT,
    "V1ConfigMap": "metadata data binaryData immutable",
    "V1Secret": "metadata data type stringData immutable",
    "V1ServiceAccount": "metadata secrets imagePullSecrets automountServiceAccountToken",
    "V1Service": _OBJECT,
    "V1ServiceSpec": "ports selector clusterIP type externalIPs - sessionAffinity loadBalancerIP "
    "loadBalancerSourceRanges externalName externalTrafficPolicy healthCheckNodePort publishNotReadyAddresses "
    "sessionAffinityConfig - - ipFamilyPolicy clusterIPs ipFamilies allocateLoadBalancerNodePorts loadBalancerClass "
    "internalTrafficPolicy trafficDistribution",
    "V1ServicePort": "name protocol port targetPort nodePort appProtocol",
    "V1ResourceQuota": _OBJECT,
    "V1ResourceQuotaSpec": "hard scopes scopeSelector",
    "V1Pod": _OBJECT,
    "V1PodTemplateSpec": "metadata spec",
    "V1PodSpec": "volumes containers restartPolicy terminationGracePeriodSeconds activeDeadlineSeconds dnsPolicy "
    "nodeSelector serviceAccountName serviceAccount nodeName hostNetwork hostPID hostIPC securityContext "
    "imagePullSecrets hostname subdomain affinity schedulerName initContainers automountServiceAccountToken "
    "tolerations hostAliases priorityClassName priority",
    "V1Container": "name image command args workingDir ports env resources volumeMounts livenessProbe readinessProbe "
    "lifecycle terminationMessagePath imagePullPolicy securityContext stdin stdinOnce tty envFrom "
    "terminationMessagePolicy volumeDevices startupProbe",
    "V1ContainerPort": "name hostPort containerPort protocol hostIP",
    "V1EnvVar": "name value valueFrom",
    "V1EnvVarSource": "fieldRef resourceFieldRef configMapKeyRef secretKeyRef",
    "V1ObjectFieldSelector": "apiVersion fieldPath",
    "V1ConfigMapKeySelector": f"{_LOCAL} key optional",
    "V1SecretKeySelector": f"{_LOCAL} key optional",
    "V1EnvFromSource": "prefix configMapRef secretRef",
    "V1ConfigMapEnvSource": f"{_LOCAL} optional",
    "V1SecretEnvSource": f"{_LOCAL} optional",
    "V1ResourceRequirements": "limits requests claims",
    "V1VolumeMount": "name readOnly mountPath subPath mountPropagation subPathExpr",
    "V1Volume": "name @V1VolumeSource",
    "V1VolumeSource": "hostPath emptyDir - - - secret - - - persistentVolumeClaim - - - - - - - - configMap",
    "V1HostPathVolumeSource": "path type",
    "V1EmptyDirVolumeSource": "medium sizeLimit",
    "V1SecretVolumeSource": "secretName items defaultMode optional",
    "V1ConfigMapVolumeSource": f"{_LOCAL} items defaultMode optional",
    "V1KeyToPath": "key path mode",
    "V1PersistentVolumeClaimVolumeSource": "claimName readOnly",
    "V1PodSecurityContext": "seLinuxOptions runAsUser runAsNonRoot supplementalGroups fsGroup runAsGroup",
    "V1SecurityContext": "capabilities privileged seLinuxOptions runAsUser runAsNonRoot readOnlyRootFilesystem "
    "allowPrivilegeEscalation runAsGroup",
    "V1Toleration": "key operator value effect tolerationSeconds",
    "V1Deployment": _OBJECT,
    "V1DeploymentSpec": "replicas selector template strategy minReadySeconds revisionHistoryLimit paused - "
    "progressDeadlineSeconds",
    "V1DeploymentStrategy": "type rollingUpdate",
    "V1RollingUpdateDeployment": "maxUnavailable maxSurge",
    "V1Job": _OBJECT,
    "V1JobSpec": "parallelism completions activeDeadlineSeconds selector manualSelector template backoffLimit "
    "ttlSecondsAfterFinished completionMode suspend",
    "V1CronJob": _OBJECT,
    "V1CronJobSpec": "schedule startingDeadlineSeconds concurrencyPolicy suspend jobTemplate "
    "successfulJobsHistoryLimit failedJobsHistoryLimit timeZone",
    "V1JobTemplateSpec": "metadata spec",
    "V2HorizontalPodAutoscaler": _OBJECT,
    "V2HorizontalPodAutoscalerSpec": "scaleTargetRef minReplicas maxReplicas metrics behavior",
    "V2CrossVersionObjectReference": "kind name apiVersion",
    "V2MetricSpec": "type object pods resource external",
    "V2ResourceMetricSource": "name target",
    "V2MetricTarget": "type value averageValue averageUtilization",
    "V1Scale": _OBJECT,
    "V1ScaleSpec": "replicas",
    "V1PodDisruptionBudget": _OBJECT,
    "V1PodDisruptionBudgetSpec": "minAvailable selector maxUnavailable unhealthyPodEvictionPolicy",
    "V1Eviction": "metadata deleteOptions",
    "V1Ingress": _OBJECT,
    "V1IngressSpec": "defaultBackend tls rules ingressClassName",
    "V1IngressTLS": "hosts secretName",
    "V1IngressRule": "host @V1IngressRuleValue",
    "V1IngressRuleValue": "http",
    "V1HTTPIngressRuleValue": "paths",
    "V1HTTPIngressPath": "path backend pathType",
    "V1IngressBackend": "- - resource service",
    "V1IngressServiceBackend": "name port",
    "V1ServiceBackendPort": "name number",
    "V1PriorityClass": "metadata value globalDefault description preemptionPolicy",
    "V1Role": "metadata rules",
    "V1ClusterRole": "metadata rules aggregationRule",
    "V1AggregationRule": "clusterRoleSelectors",
    "V1PolicyRule": "verbs apiGroups resources resourceNames nonResourceURLs",
    "V1RoleBinding": "metadata subjects roleRef",
    "V1ClusterRoleBinding": "metadata subjects roleRef",
    "V1RoleRef": "apiGroup kind name",
    "RbacV1Subject": "kind apiGroup name namespace",
    "AuthenticationV1TokenRequest": _OBJECT,
    "V1TokenRequestSpec": "audiences - boundObjectRef expirationSeconds",
    "V1BoundObjectReference": "kind apiVersion name uid",
    "V1TokenReview": _OBJECT,
    "V1TokenReviewSpec": "token audiences",
    "V1SelfSubjectReview": "metadata status",
    "V1SelfSubjectAccessReview": _OBJECT,
    "V1SelfSubjectAccessReviewSpec": "resourceAttributes nonResourceAttributes",
    "V1ResourceAttributes": "namespace verb group version resource subresource name",
    "V1NonResourceAttributes": "path verb",
    "V1SelfSubjectRulesReview": _OBJECT,
    "V1SelfSubjectRulesReviewSpec": "namespace",
}
_MODELS = {"TokenRequest": "AuthenticationV1TokenRequest", "DeleteOptions": "V1DeleteOptions"}
_TYPED_ZEROS = ("", None)


def parse(body: bytes) -> Object:
    """An object in the API's protobuf envelope. Raises ApiError 400, and 415 for kinds that are not in the table."""
    try:
        if not body.startswith(_MAGIC):
            raise ValueError("the envelope is missing")
        envelope = dict(_wire(body[len(_MAGIC) :]))
        head = {number: bytes(value).decode() for number, value in _wire(envelope.get(1, b""))}
        version, kind = head.get(1, ""), head.get(2, "")
        name = _MODELS.get(kind) or version.rpartition("/")[2].capitalize() + kind
        if name not in _FIELDS:
            raise unsupported_media_type(["application/json", "application/yaml"])
        content = _message(envelope.get(2, b""), models.model(name), name)
    except (ValueError, IndexError, UnicodeDecodeError) as e:
        raise bad_request(f"the protobuf body cannot be read: {e}") from None
    return {"kind": kind, "apiVersion": version, **content}


def _wire(raw: bytes) -> Iterator[tuple[int, Any]]:
    """(number, value) pairs of a message; values are ints or bytes."""
    at = 0
    while at < len(raw):
        key, at = _varint(raw, at)
        kind = key & 7
        if kind == 0:
            value, at = _varint(raw, at)
            yield key >> 3, value - (1 << 64) if value >= 1 << 63 else value
        elif kind == 2:
            size, at = _varint(raw, at)
            if at + size > len(raw):
                raise ValueError("it is cut off")
            yield key >> 3, raw[at : at + size]
            at += size
        elif kind in (1, 5):
            at += 8 if kind == 1 else 4
        else:
            raise ValueError(f"unknown wire type {kind}")


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = raw[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _message(raw: bytes, type_: Struct, name: str) -> Object:
    """A message as JSON. Empty strings are left out: the encoding writes those that nobody set, too."""
    names = _FIELDS.get(name, "").split()
    result: Object = {}
    for number, value in _wire(raw):
        field = names[number - 1] if number <= len(names) else "-"
        if field.startswith("@"):
            result.update(_message(value, type_, field[1:]))
            continue
        kind = type_.fields.get(field)
        if kind is None:
            continue
        if isinstance(kind, ListOf):
            result.setdefault(field, []).append(_value(value, kind.items))
        elif isinstance(kind, MapOf):
            entry = dict(_wire(value))
            key = bytes(entry.get(1, b"")).decode()
            result.setdefault(field, {})[key] = _value(entry.get(2, b""), kind.values)
        elif (converted := _value(value, kind)) not in _TYPED_ZEROS:
            result[field] = converted
    return result


def _value(value: Any, type_: Type) -> Any:
    if isinstance(type_, Struct):
        return _message(value, type_, type_.name)
    kind = type_.kind if isinstance(type_, Scalar) else ""
    if kind == "boolean":
        return bool(value)
    if kind in ("integer", "number"):
        return int(value)
    if kind == "bytes":
        return base64.b64encode(value).decode()
    if kind == "time":
        seconds = dict(_wire(value)).get(1)
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if seconds else None
    if kind == "quantity":
        return bytes(dict(_wire(value)).get(1, b"")).decode()
    if kind == "int-or-string":
        parts = dict(_wire(value))
        return bytes(parts.get(3, b"")).decode() if parts.get(1) else int(parts.get(2, 0))
    return bytes(value).decode()
