"""What the server fills in on pods and pod templates."""

from __future__ import annotations

from typing import Any

from ghapp.sandbox.cluster.types import Object

_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_DEFAULT_MODES = ("configMap", "secret", "projected", "downwardAPI")
_FILE_MODE = 0o644


def template(template: Object) -> None:
    """Set defaults of a PodTemplateSpec in place."""
    spec(template.setdefault("spec", {}))


def pod(obj: Object) -> None:
    """Set defaults of a Pod in place: those of a template, and what only pods get."""
    own = obj.setdefault("spec", {})
    spec(own)
    own.setdefault("enableServiceLinks", True)
    for container in _containers(own):
        limits = container["resources"].get("limits") or {}
        requests = {**limits, **(container["resources"].get("requests") or {})}
        if requests:
            container["resources"]["requests"] = requests


def admitted(obj: Object) -> None:
    """What admission adds to new Pods: an account, a priority, tolerations of nodes that come back."""
    own = obj["spec"]
    obj.setdefault("status", {}).setdefault("phase", "Pending")
    own.setdefault("serviceAccountName", "default")
    own.setdefault("serviceAccount", own["serviceAccountName"])
    own.setdefault("priority", 0)
    own.setdefault("preemptionPolicy", "PreemptLowerPriority")
    tolerations = own.setdefault("tolerations", [])
    for key in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"):
        if not any(t.get("key") == key or not t.get("key") for t in tolerations):
            tolerations.append({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300})


def spec(own: Object) -> None:
    """Set defaults of a PodSpec in place."""
    own.setdefault("restartPolicy", "Always")
    own.setdefault("terminationGracePeriodSeconds", 30)
    own.setdefault("dnsPolicy", "ClusterFirst")
    own.setdefault("securityContext", {})
    own.setdefault("schedulerName", "default-scheduler")
    account = own.get("serviceAccountName") or own.get("serviceAccount")
    if account:
        # The server keeps the deprecated name of this field in step.
        own["serviceAccountName"] = own["serviceAccount"] = account
    for container in _containers(own):
        _container(container, host_network=own.get("hostNetwork", False))
    for volume in own.get("volumes") or ():
        _volume(volume)


def _containers(own: Object) -> list[Object]:
    return [*(own.get("initContainers") or ()), *(own.get("containers") or ())]


def _container(container: Object, *, host_network: bool) -> None:
    container.setdefault("terminationMessagePath", "/dev/termination-log")
    container.setdefault("terminationMessagePolicy", "File")
    container.setdefault("resources", {})
    if "imagePullPolicy" not in container:
        container["imagePullPolicy"] = "Always" if _is_latest(container.get("image", "")) else "IfNotPresent"
    for port in container.get("ports") or ():
        port.setdefault("protocol", "TCP")
        if host_network:
            port.setdefault("hostPort", port.get("containerPort"))
    for variable in container.get("env") or ():
        if field := (variable.get("valueFrom") or {}).get("fieldRef"):
            field.setdefault("apiVersion", "v1")
    for name in _PROBES:
        if probe := container.get(name):
            _handler(probe)
            for field, value in (
                ("timeoutSeconds", 1),
                ("periodSeconds", 10),
                ("successThreshold", 1),
                ("failureThreshold", 3),
            ):
                if not probe.get(field):
                    probe[field] = value
    for hook in (container.get("lifecycle") or {}).values():
        if isinstance(hook, dict):
            _handler(hook)


def _handler(handler: Object) -> None:
    if (get := handler.get("httpGet")) is not None:
        get.setdefault("scheme", "HTTP")
        get.setdefault("path", "/")
    if (grpc := handler.get("grpc")) is not None:
        grpc.setdefault("service", "")


def _is_latest(image: str) -> bool:
    if "@" in image:
        return False
    name = image.rpartition("/")[2]
    return ":" not in name or name.endswith(":latest")


def _volume(volume: Object) -> None:
    if len(volume) == 1 and "name" in volume:
        volume["emptyDir"] = {}
    for name in _DEFAULT_MODES:
        if (source := volume.get(name)) is not None:
            source.setdefault("defaultMode", _FILE_MODE)
    if (path := volume.get("hostPath")) is not None:
        path.setdefault("type", "")
    sources: list[Any] = (volume.get("projected") or {}).get("sources") or []
    for source in [volume, *sources]:
        if (token := source.get("serviceAccountToken")) is not None:
            token.setdefault("expirationSeconds", 3600)
        for item in (source.get("downwardAPI") or {}).get("items") or ():
            if field := item.get("fieldRef"):
                field.setdefault("apiVersion", "v1")
    claim = (volume.get("ephemeral") or {}).get("volumeClaimTemplate")
    if claim:
        claim.setdefault("spec", {}).setdefault("volumeMode", "Filesystem")
