"""What the server fills in where an object says nothing, by kind. A field that is dropped gets its default back."""

from __future__ import annotations

import base64
from collections.abc import Callable

from ghapp.sandbox.cluster import poddefaults
from ghapp.sandbox.cluster.kinds import Resource
from ghapp.sandbox.cluster.types import Object

RBAC = "rbac.authorization.k8s.io"

Defaulter = Callable[[Object], None]


def apply(resource: Resource, new: Object) -> None:
    """Set defaults in place."""
    if resource.custom:
        return
    setter = _BY_KIND.get((resource.group, resource.kind))
    if setter is not None:
        setter(new)


def _spec(new: Object) -> Object:
    spec: Object = new.setdefault("spec", {})
    return spec


def _deployment(new: Object) -> None:
    spec = _spec(new)
    spec.setdefault("replicas", 1)
    strategy = spec.setdefault("strategy", {})
    strategy.setdefault("type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", "25%")
        rolling.setdefault("maxSurge", "25%")
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("progressDeadlineSeconds", 600)
    poddefaults.template(spec.setdefault("template", {}))


def _replica_set(new: Object) -> None:
    spec = _spec(new)
    spec.setdefault("replicas", 1)
    poddefaults.template(spec.setdefault("template", {}))
    new.setdefault("status", {}).setdefault("replicas", 0)


def _stateful_set(new: Object) -> None:
    spec = _spec(new)
    spec.setdefault("podManagementPolicy", "OrderedReady")
    strategy = spec.setdefault("updateStrategy", {})
    strategy.setdefault("type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        strategy.setdefault("rollingUpdate", {}).setdefault("partition", 0)
    spec.setdefault("replicas", 1)
    spec.setdefault("revisionHistoryLimit", 10)
    retention = spec.setdefault("persistentVolumeClaimRetentionPolicy", {})
    retention.setdefault("whenDeleted", "Retain")
    retention.setdefault("whenScaled", "Retain")
    for claim in spec.get("volumeClaimTemplates") or ():
        claim.setdefault("apiVersion", "v1")
        claim.setdefault("kind", "PersistentVolumeClaim")
        claim.setdefault("spec", {}).setdefault("volumeMode", "Filesystem")
        claim["status"] = {"phase": "Pending"}
    poddefaults.template(spec.setdefault("template", {}))
    new.setdefault("status", {}).setdefault("replicas", 0)
    new["status"].setdefault("availableReplicas", 0)


def _daemon_set(new: Object) -> None:
    spec = _spec(new)
    strategy = spec.setdefault("updateStrategy", {})
    strategy.setdefault("type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", 1)
        rolling.setdefault("maxSurge", 0)
    spec.setdefault("revisionHistoryLimit", 10)
    poddefaults.template(spec.setdefault("template", {}))
    status = new.setdefault("status", {})
    for name in ("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady"):
        status.setdefault(name, 0)


def _job(new: Object) -> None:
    spec = _spec(new)
    if "completions" not in spec and "parallelism" not in spec:
        spec["completions"] = spec["parallelism"] = 1
    spec.setdefault("parallelism", 1)
    spec.setdefault("backoffLimit", 6)
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("suspend", False)
    spec.setdefault("podReplacementPolicy", "TerminatingOrFailed")
    spec.setdefault("manualSelector", False)
    template = spec.setdefault("template", {})
    poddefaults.template(template)
    uid = new["metadata"].get("uid")
    if uid and not spec.get("manualSelector"):
        spec.setdefault("selector", {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}})
        labels = template.setdefault("metadata", {}).setdefault("labels", {})
        name = new["metadata"]["name"]
        labels.update(
            {
                "batch.kubernetes.io/controller-uid": uid,
                "batch.kubernetes.io/job-name": name,
                "controller-uid": uid,
                "job-name": name,
            }
        )


def _cron_job(new: Object) -> None:
    spec = _spec(new)
    spec.setdefault("concurrencyPolicy", "Allow")
    spec.setdefault("suspend", False)
    spec.setdefault("successfulJobsHistoryLimit", 3)
    spec.setdefault("failedJobsHistoryLimit", 1)
    job = spec.setdefault("jobTemplate", {}).setdefault("spec", {})
    poddefaults.template(job.setdefault("template", {}))


def _service(new: Object) -> None:
    spec = _spec(new)
    spec.setdefault("sessionAffinity", "None")
    kind = spec.setdefault("type", "ClusterIP")
    if spec["sessionAffinity"] == "ClientIP":
        spec.setdefault("sessionAffinityConfig", {"clientIP": {"timeoutSeconds": 10800}})
    for port in spec.get("ports") or ():
        port.setdefault("protocol", "TCP")
        if port.get("targetPort") in (None, 0, ""):
            port["targetPort"] = port.get("port")
    if kind in ("NodePort", "LoadBalancer"):
        spec.setdefault("externalTrafficPolicy", "Cluster")
    if kind == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)
    if kind != "ExternalName":
        spec.setdefault("internalTrafficPolicy", "Cluster")


def _secret(new: Object) -> None:
    new.setdefault("type", "Opaque")
    plain = new.pop("stringData", None) or {}
    if plain:
        data = new.setdefault("data", {})
        data.update({key: base64.b64encode(text.encode()).decode() for key, text in plain.items()})


def _claim(new: Object) -> None:
    spec = _spec(new)
    spec.setdefault("volumeMode", "Filesystem")
    new.setdefault("status", {}).setdefault("phase", "Pending")


def _volume(new: Object) -> None:
    spec = _spec(new)
    spec.setdefault("persistentVolumeReclaimPolicy", "Retain")
    spec.setdefault("volumeMode", "Filesystem")
    new.setdefault("status", {}).setdefault("phase", "Pending")


def _network_policy(new: Object) -> None:
    spec = _spec(new)
    for rule in [*(spec.get("ingress") or ()), *(spec.get("egress") or ())]:
        for port in rule.get("ports") or ():
            port.setdefault("protocol", "TCP")
    if not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]


def _autoscaler(new: Object) -> None:
    spec = _spec(new)
    spec.setdefault("minReplicas", 1)
    if not spec.get("metrics"):
        target = {"type": "Utilization", "averageUtilization": 80}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]


def _binding(new: Object) -> None:
    new.setdefault("roleRef", {}).setdefault("apiGroup", RBAC)
    for subject in new.get("subjects") or ():
        if subject.get("kind") in ("User", "Group"):
            subject.setdefault("apiGroup", RBAC)


def _storage_class(new: Object) -> None:
    new.setdefault("reclaimPolicy", "Delete")
    new.setdefault("volumeBindingMode", "Immediate")


def _priority_class(new: Object) -> None:
    new.setdefault("preemptionPolicy", "PreemptLowerPriority")


def _webhooks(new: Object) -> None:
    mutating = new["kind"].startswith("Mutating")
    for hook in new.get("webhooks") or ():
        hook.setdefault("failurePolicy", "Fail")
        hook.setdefault("matchPolicy", "Equivalent")
        hook.setdefault("namespaceSelector", {})
        hook.setdefault("objectSelector", {})
        hook.setdefault("timeoutSeconds", 10)
        if mutating:
            hook.setdefault("reinvocationPolicy", "Never")
        for rule in hook.get("rules") or ():
            rule.setdefault("scope", "*")
        service = (hook.get("clientConfig") or {}).get("service")
        if service:
            service.setdefault("port", 443)


def _api_service(new: Object) -> None:
    service = _spec(new).get("service")
    if service:
        service.setdefault("port", 443)


def _definition(new: Object) -> None:
    spec = _spec(new)
    names = spec.setdefault("names", {})
    if names.get("kind"):
        names.setdefault("singular", names["kind"].lower())
        names.setdefault("listKind", names["kind"] + "List")
    conversion = spec.setdefault("conversion", {})
    conversion.setdefault("strategy", "None")
    service = ((conversion.get("webhook") or {}).get("clientConfig") or {}).get("service")
    if service:
        service.setdefault("port", 443)


def _ports(new: Object) -> None:
    subsets = [new, *(new.get("subsets") or ())]
    for subset in subsets:
        for port in subset.get("ports") or ():
            port.setdefault("protocol", "TCP")


def _namespace(new: Object) -> None:
    name = new["metadata"].get("name", "")
    new["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = name


_BY_KIND: dict[tuple[str, str], Defaulter] = {
    ("", "Pod"): poddefaults.pod,
    ("", "PodTemplate"): lambda new: poddefaults.template(new.setdefault("template", {})),
    ("", "Service"): _service,
    ("", "Secret"): _secret,
    ("", "Namespace"): _namespace,
    ("", "PersistentVolumeClaim"): _claim,
    ("", "PersistentVolume"): _volume,
    ("", "Endpoints"): _ports,
    ("apps", "Deployment"): _deployment,
    ("apps", "ReplicaSet"): _replica_set,
    ("apps", "StatefulSet"): _stateful_set,
    ("apps", "DaemonSet"): _daemon_set,
    ("batch", "Job"): _job,
    ("batch", "CronJob"): _cron_job,
    ("autoscaling", "HorizontalPodAutoscaler"): _autoscaler,
    ("networking.k8s.io", "NetworkPolicy"): _network_policy,
    ("discovery.k8s.io", "EndpointSlice"): _ports,
    (RBAC, "RoleBinding"): _binding,
    (RBAC, "ClusterRoleBinding"): _binding,
    ("storage.k8s.io", "StorageClass"): _storage_class,
    ("scheduling.k8s.io", "PriorityClass"): _priority_class,
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"): _webhooks,
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"): _webhooks,
    ("apiregistration.k8s.io", "APIService"): _api_service,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _definition,
}
