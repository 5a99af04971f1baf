"""What makes an object invalid, by kind: the mistakes that people make, in the server's words.

Checks see objects after defaulting. What may not change once set is in :mod:`immutable`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ghapp.sandbox.cluster import custom, immutable, metadata, podvalidation
from ghapp.sandbox.cluster.errors import (
    Cause,
    duplicate,
    field_forbidden,
    invalid,
    required,
    unsupported,
    wrong,
)
from ghapp.sandbox.cluster.kinds import Resource
from ghapp.sandbox.cluster.selectors import of_label_selector
from ghapp.sandbox.cluster.types import Object

RBAC = "rbac.authorization.k8s.io"
_CONFIG_KEY = re.compile(r"[-._a-zA-Z0-9]+\Z")
_KEY_RULE = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or "
    "'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)
_MIB = 1024 * 1024
_SECRET_KEYS = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
}

Checker = Callable[[Object], list[Cause]]


def check_new(resource: Resource, new: Object) -> None:
    """Raises ApiError 422."""
    _refuse(resource, new, _problems(resource, new, None))


def check_change(resource: Resource, new: Object, old: Object) -> None:
    """Raises ApiError 422."""
    found = metadata.change_problems(new["metadata"], old["metadata"]) + _problems(resource, new, old)
    _refuse(resource, new, found + immutable.problems(resource, new, old))


def _problems(resource: Resource, new: Object, old: Object | None) -> list[Cause]:
    found = metadata.problems(new["metadata"], resource.kind)
    if resource.custom:
        return found + custom.problems(new, old, resource)
    checker = _BY_KIND.get((resource.group, resource.kind))
    return found + checker(new) if checker else found


def _refuse(resource: Resource, new: Object, found: list[Cause]) -> None:
    if found:
        raise invalid(resource.kind, resource.group, new["metadata"].get("name", ""), found)


def _workload(new: Object) -> list[Cause]:
    """Deployments, ReplicaSets, StatefulSets and DaemonSets: selector, template, numbers."""
    spec, found = new.get("spec") or {}, []
    selector = spec.get("selector")
    template = spec.get("template") or {}
    labels = (template.get("metadata") or {}).get("labels") or {}
    if selector is None:
        found.append(required("spec.selector"))
    elif not selector.get("matchLabels") and not selector.get("matchExpressions"):
        rule = f"empty selector is invalid for {new['kind'].lower()}"
        found.append(wrong("spec.selector", selector, rule))
    if selector is not None and not of_label_selector(selector)(labels):
        found.append(wrong("spec.template.metadata.labels", labels, "`selector` does not match template `labels`"))
    for name in ("replicas", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"):
        if spec.get(name, 0) < 0:
            found.append(wrong(f"spec.{name}", spec[name], "must be greater than or equal to 0"))
    found += podvalidation.spec_problems(template.get("spec") or {}, "spec.template.spec", ("Always",))
    return found


def _deployment(new: Object) -> list[Cause]:
    found = _workload(new)
    spec = new["spec"]
    strategy = spec.get("strategy") or {}
    if strategy.get("type") not in ("Recreate", "RollingUpdate"):
        found.append(unsupported("spec.strategy.type", strategy.get("type"), ("Recreate", "RollingUpdate")))
    rolling = strategy.get("rollingUpdate")
    if strategy.get("type") == "Recreate" and rolling is not None:
        said = "may not be specified when strategy `type` is 'Recreate'"
        found.append(field_forbidden("spec.strategy.rollingUpdate", said))
    if rolling is not None and all(str(rolling.get(n)) in ("0", "0%") for n in ("maxUnavailable", "maxSurge")):
        said = "may not be 0 when `maxSurge` is 0"
        found.append(wrong("spec.strategy.rollingUpdate.maxUnavailable", rolling["maxUnavailable"], said))
    if spec.get("progressDeadlineSeconds", 1) <= spec.get("minReadySeconds", 0):
        said = "must be greater than minReadySeconds"
        found.append(wrong("spec.progressDeadlineSeconds", spec["progressDeadlineSeconds"], said))
    return found


def _stateful_set(new: Object) -> list[Cause]:
    found = _workload(new)
    kind = new["spec"]["updateStrategy"]["type"]
    if kind not in ("OnDelete", "RollingUpdate"):
        found.append(unsupported("spec.updateStrategy.type", kind, ("OnDelete", "RollingUpdate")))
    return found


def _job(new: Object) -> list[Cause]:
    spec = new["spec"]
    found: list[Cause] = []
    for name in ("completions", "parallelism", "backoffLimit", "activeDeadlineSeconds", "ttlSecondsAfterFinished"):
        if spec.get(name, 0) < 0:
            found.append(wrong(f"spec.{name}", spec[name], "must be greater than or equal to 0"))
    pod = spec["template"].get("spec") or {}
    return found + podvalidation.spec_problems(pod, "spec.template.spec", ("OnFailure", "Never"))


def _cron_job(new: Object) -> list[Cause]:
    spec = new["spec"]
    schedule = spec.get("schedule", "")
    found: list[Cause] = []
    if not schedule:
        found.append(required("spec.schedule"))
    elif not schedule.startswith("@") and len(schedule.split()) != 5:
        fields = schedule.split()
        said = f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]"
        found.append(wrong("spec.schedule", schedule, said))
    policies = ("Allow", "Forbid", "Replace")
    if spec["concurrencyPolicy"] not in policies:
        found.append(unsupported("spec.concurrencyPolicy", spec["concurrencyPolicy"], policies))
    pod = (spec["jobTemplate"]["spec"].get("template") or {}).get("spec") or {}
    path = "spec.jobTemplate.spec.template.spec"
    return found + podvalidation.spec_problems(pod, path, ("OnFailure", "Never"))


def _pod(new: Object) -> list[Cause]:
    return podvalidation.spec_problems(new.get("spec") or {}, "spec")


def _service(new: Object) -> list[Cause]:
    spec = new["spec"]
    found: list[Cause] = []
    kinds = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
    if spec["type"] not in kinds:
        found.append(unsupported("spec.type", spec["type"], kinds))
    ports = spec.get("ports") or ()
    if not ports and spec["type"] != "ExternalName" and spec.get("clusterIP") != "None":
        found.append(required("spec.ports"))
    if spec["type"] == "ExternalName" and not spec.get("externalName"):
        found.append(required("spec.externalName"))
    names: set[str] = set()
    numbers: set[tuple[int, str]] = set()
    for i, port in enumerate(ports):
        at = f"spec.ports[{i}]"
        number = port.get("port", 0)
        if not 1 <= number <= 65535:
            found.append(wrong(f"{at}.port", number, podvalidation.PORT_RANGE))
        if port["protocol"] not in ("SCTP", "TCP", "UDP"):
            found.append(unsupported(f"{at}.protocol", port["protocol"], ("SCTP", "TCP", "UDP")))
        name = port.get("name", "")
        if not name and len(ports) > 1:
            found.append(required(f"{at}.name"))
        elif name and not metadata.is_label(name):
            found.append(wrong(f"{at}.name", name, metadata.LABEL_RULE))
        elif name and name in names:
            found.append(duplicate(f"{at}.name", name))
        if (number, port["protocol"]) in numbers:
            found.append(duplicate(at, {"port": number, "protocol": port["protocol"]}))
        names.add(name)
        numbers.add((number, port["protocol"]))
    return found


def _data(new: Object) -> list[Cause]:
    found: list[Cause] = []
    size = 0
    for field in ("data", "binaryData"):
        for key, value in (new.get(field) or {}).items():
            size += len(value)
            if len(key) > 253 or not _CONFIG_KEY.match(key):
                found.append(wrong(f"{field}[{key}]", key, _KEY_RULE))
            elif field == "binaryData" and key in (new.get("data") or {}):
                found.append(wrong(f"data[{key}]", key, "duplicate of key present in binaryData"))
    limit = _MIB if new["kind"] == "ConfigMap" else _MIB * 4 // 3
    if size > limit:
        field = "data" if new["kind"] == "Secret" else ""
        found.append(Cause(field, "Too long: may not be more than 1048576 bytes", "FieldValueTooLong"))
    return found


def _secret(new: Object) -> list[Cause]:
    data = new.get("data") or {}
    missing = [k for k in _SECRET_KEYS.get(new["type"], ()) if k not in data]
    return _data(new) + [required(f"data[{key}]") for key in missing]


def _ingress(new: Object) -> list[Cause]:
    spec = new["spec"]
    found: list[Cause] = []
    if not spec.get("rules") and not spec.get("defaultBackend"):
        said = "either `defaultBackend` or `rules` must be specified"
        found.append(wrong("spec", [], said))
    if backend := spec.get("defaultBackend"):
        found += _backend(backend, "spec.defaultBackend")
    for i, rule in enumerate(spec.get("rules") or ()):
        host = rule.get("host", "")
        if host and not metadata.is_subdomain(host.removeprefix("*.")):
            found.append(wrong(f"spec.rules[{i}].host", host, metadata.SUBDOMAIN_RULE))
        http = rule.get("http")
        if http is not None and not http.get("paths"):
            found.append(required(f"spec.rules[{i}].http.paths"))
        for j, path in enumerate((http or {}).get("paths") or ()):
            found += _ingress_path(path, f"spec.rules[{i}].http.paths[{j}]")
    return found


def _ingress_path(path: Object, at: str) -> list[Cause]:
    kinds = ("Exact", "ImplementationSpecific", "Prefix")
    found: list[Cause] = []
    kind = path.get("pathType")
    if not kind:
        found.append(required(f"{at}.pathType", "pathType must be specified"))
    elif kind not in kinds:
        found.append(unsupported(f"{at}.pathType", kind, kinds))
    elif kind != "ImplementationSpecific" and not path.get("path", "").startswith("/"):
        found.append(wrong(f"{at}.path", path.get("path", ""), "must be an absolute path"))
    return found + _backend(path.get("backend") or {}, f"{at}.backend")


def _backend(backend: Object, at: str) -> list[Cause]:
    service = backend.get("service")
    if service is None:
        return [] if backend.get("resource") else [required(at, "port name or number is required")]
    if not service.get("name"):
        return [required(f"{at}.service.name")]
    port = service.get("port") or {}
    if not port.get("name") and not port.get("number"):
        return [required(at, "port name or number is required")]
    return []


def _role(new: Object) -> list[Cause]:
    found: list[Cause] = []
    for i, rule in enumerate(new.get("rules") or ()):
        if not rule.get("verbs"):
            found.append(required(f"rules[{i}].verbs", "verbs must contain at least one value"))
        if rule.get("nonResourceURLs"):
            continue
        if not rule.get("apiGroups"):
            said = "resource rules must supply at least one api group"
            found.append(required(f"rules[{i}].apiGroups", said))
        if not rule.get("resources"):
            found.append(required(f"rules[{i}].resources", "resource rules must supply at least one resource"))
    return found


def _binding(new: Object) -> list[Cause]:
    role = new["roleRef"]
    kinds = ("ClusterRole",) if new["kind"] == "ClusterRoleBinding" else ("ClusterRole", "Role")
    found: list[Cause] = []
    if role.get("apiGroup") != RBAC:
        found.append(unsupported("roleRef.apiGroup", role.get("apiGroup"), (RBAC,)))
    if role.get("kind") not in kinds:
        found.append(unsupported("roleRef.kind", role.get("kind"), kinds))
    if not role.get("name"):
        found.append(required("roleRef.name"))
    for i, subject in enumerate(new.get("subjects") or ()):
        at = f"subjects[{i}]"
        if not subject.get("name"):
            found.append(required(f"{at}.name"))
        if subject.get("kind") not in ("ServiceAccount", "User", "Group"):
            found.append(unsupported(f"{at}.kind", subject.get("kind"), ("ServiceAccount", "User", "Group")))
        elif subject["kind"] == "ServiceAccount" and not subject.get("namespace"):
            found.append(required(f"{at}.namespace"))
    return found


def _claim(new: Object) -> list[Cause]:
    spec = new["spec"]
    found: list[Cause] = []
    if not spec.get("accessModes"):
        found.append(required("spec.accessModes", "at least 1 access mode is required"))
    if not ((spec.get("resources") or {}).get("requests") or {}).get("storage"):
        found.append(required("spec.resources[storage]"))
    return found


def _autoscaler(new: Object) -> list[Cause]:
    spec = new["spec"]
    found: list[Cause] = []
    target = spec.get("scaleTargetRef") or {}
    found += [required(f"spec.scaleTargetRef.{n}") for n in ("kind", "name") if not target.get(n)]
    least, most = spec["minReplicas"], spec.get("maxReplicas", 0)
    if least < 1:
        found.append(wrong("spec.minReplicas", least, "must be greater than or equal to 1"))
    if most < 1:
        found.append(wrong("spec.maxReplicas", most, "must be greater than 0"))
    if most < least:
        found.append(wrong("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`"))
    return found


def _budget(new: Object) -> list[Cause]:
    spec = new.get("spec") or {}
    if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
        return [wrong("spec", {}, "minAvailable and maxUnavailable cannot be both set")]
    return []


def _storage_class(new: Object) -> list[Cause]:
    return [] if new.get("provisioner") else [required("provisioner")]


def _definition(new: Object) -> list[Cause]:
    spec = new["spec"]
    names = spec["names"]
    found: list[Cause] = []
    expected = f"{names.get('plural', '')}.{spec.get('group', '')}"
    if new["metadata"]["name"] != expected:
        found.append(wrong("metadata.name", new["metadata"]["name"], 'must be spec.names.plural+"."+spec.group'))
    found += [required(f"spec.{n}") for n in ("group", "scope") if not spec.get(n)]
    found += [required(f"spec.names.{n}") for n in ("plural", "kind") if not names.get(n)]
    if spec.get("scope") not in (None, "", "Cluster", "Namespaced"):
        found.append(unsupported("spec.scope", spec["scope"], ("Cluster", "Namespaced")))
    versions = spec.get("versions") or ()
    if sum(bool(v.get("storage")) for v in versions) != 1:
        said = "must have exactly one version marked as storage version"
        found.append(wrong("spec.versions", [v.get("name") for v in versions], said))
    for i, version in enumerate(versions):
        schema = (version.get("schema") or {}).get("openAPIV3Schema")
        if schema is None:
            found.append(required(f"spec.versions[{i}].schema.openAPIV3Schema", "schemas are required"))
        elif not schema.get("type"):
            at = f"spec.versions[{i}].schema.openAPIV3Schema.type"
            found.append(required(at, "must not be empty at the root"))
    return found


_BY_KIND: dict[tuple[str, str], Checker] = {
    ("", "ConfigMap"): _data,
    ("", "Secret"): _secret,
    ("", "Service"): _service,
    ("", "Pod"): _pod,
    ("", "PersistentVolumeClaim"): _claim,
    ("apps", "Deployment"): _deployment,
    ("apps", "ReplicaSet"): _workload,
    ("apps", "StatefulSet"): _stateful_set,
    ("apps", "DaemonSet"): _workload,
    ("batch", "Job"): _job,
    ("batch", "CronJob"): _cron_job,
    ("networking.k8s.io", "Ingress"): _ingress,
    ("policy", "PodDisruptionBudget"): _budget,
    ("autoscaling", "HorizontalPodAutoscaler"): _autoscaler,
    (RBAC, "Role"): _role,
    (RBAC, "ClusterRole"): _role,
    (RBAC, "RoleBinding"): _binding,
    (RBAC, "ClusterRoleBinding"): _binding,
    ("storage.k8s.io", "StorageClass"): _storage_class,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _definition,
}
