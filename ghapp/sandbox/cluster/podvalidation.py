"""What makes a pod or pod template invalid."""

from __future__ import annotations

from ghapp.sandbox.cluster import metadata
from ghapp.sandbox.cluster.errors import Cause, duplicate, required, unsupported, wrong
from ghapp.sandbox.cluster.quantity import parse
from ghapp.sandbox.cluster.types import Object

PORT_RANGE = "must be between 1 and 65535, inclusive"
_PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_PROTOCOLS = ("SCTP", "TCP", "UDP")
_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")


def spec_problems(spec: Object, path: str, restart: tuple[str, ...] = ()) -> list[Cause]:
    """What is wrong with a PodSpec; ``restart`` are the restart policies that its owner allows (none: all)."""
    found: list[Cause] = []
    volumes: set[str] = set()
    for i, volume in enumerate(spec.get("volumes") or ()):
        found += _volume(volume, f"{path}.volumes[{i}]", volumes)
    names: set[str] = set()
    for i, container in enumerate(spec.get("initContainers") or ()):
        found += _container(container, f"{path}.initContainers[{i}]", volumes, names)
    containers = spec.get("containers") or ()
    if not containers:
        found.append(required(f"{path}.containers"))
    for i, container in enumerate(containers):
        found += _container(container, f"{path}.containers[{i}]", volumes, names)
    policy = spec.get("restartPolicy")
    allowed = restart or ("Always", "OnFailure", "Never")
    if policy not in allowed:
        found.append(unsupported(f"{path}.restartPolicy", policy, allowed))
    return found


def _volume(volume: Object, path: str, seen: set[str]) -> list[Cause]:
    name = volume.get("name", "")
    if not name:
        return [required(f"{path}.name")]
    found: list[Cause] = []
    if not metadata.is_label(name):
        found.append(wrong(f"{path}.name", name, metadata.LABEL_RULE))
    if name in seen:
        found.append(duplicate(f"{path}.name", name))
    seen.add(name)
    sources = [key for key in volume if key != "name"]
    if len(sources) > 1:
        found.append(Cause(f"{path}.{sources[1]}", "Forbidden: may not specify more than 1 volume type"))
    secret, config = volume.get("secret"), volume.get("configMap")
    if secret is not None and not secret.get("secretName"):
        found.append(required(f"{path}.secret.secretName"))
    if config is not None and not config.get("name"):
        found.append(required(f"{path}.configMap.name"))
    return found


def _container(container: Object, path: str, volumes: set[str], seen: set[str]) -> list[Cause]:
    found: list[Cause] = []
    name = container.get("name", "")
    if not name:
        found.append(required(f"{path}.name"))
    elif not metadata.is_label(name):
        found.append(wrong(f"{path}.name", name, metadata.LABEL_RULE))
    elif name in seen:
        found.append(duplicate(f"{path}.name", name))
    seen.add(name)
    image = container.get("image", "")
    if not image:
        found.append(required(f"{path}.image"))
    elif image != image.strip():
        found.append(wrong(f"{path}.image", image, "must not have leading or trailing whitespace"))
    if container.get("imagePullPolicy") not in _PULL_POLICIES:
        found.append(unsupported(f"{path}.imagePullPolicy", container.get("imagePullPolicy"), _PULL_POLICIES))
    found += _ports(container, path)
    found += _environment(container, path)
    paths: set[str] = set()
    for i, mount in enumerate(container.get("volumeMounts") or ()):
        at = f"{path}.volumeMounts[{i}]"
        if not mount.get("name"):
            found.append(required(f"{at}.name"))
        elif mount["name"] not in volumes:
            found.append(Cause(f"{at}.name", f'Not found: "{mount["name"]}"', "FieldValueNotFound"))
        where = mount.get("mountPath", "")
        if not where:
            found.append(required(f"{at}.mountPath"))
        elif where in paths:
            found.append(wrong(f"{at}.mountPath", where, "must be unique"))
        paths.add(where)
    for probe in _PROBES:
        if (given := container.get(probe)) is not None:
            found += _probe(given, f"{path}.{probe}")
    return found + _resources(container.get("resources") or {}, f"{path}.resources")


def _ports(container: Object, path: str) -> list[Cause]:
    found: list[Cause] = []
    names: set[str] = set()
    for i, port in enumerate(container.get("ports") or ()):
        at = f"{path}.ports[{i}]"
        number = port.get("containerPort")
        if not number:
            found.append(required(f"{at}.containerPort"))
        elif not 1 <= number <= 65535:
            found.append(wrong(f"{at}.containerPort", number, PORT_RANGE))
        if port.get("protocol") not in _PROTOCOLS:
            found.append(unsupported(f"{at}.protocol", port.get("protocol"), _PROTOCOLS))
        if name := port.get("name"):
            if len(name) > 15:
                found.append(wrong(f"{at}.name", name, "must be no more than 15 characters"))
            if name in names:
                found.append(duplicate(f"{at}.name", name))
            names.add(name)
    return found


def _environment(container: Object, path: str) -> list[Cause]:
    found: list[Cause] = []
    for i, variable in enumerate(container.get("env") or ()):
        at = f"{path}.env[{i}]"
        name = variable.get("name", "")
        if not name:
            found.append(required(f"{at}.name"))
        elif "=" in name:
            rule = "a valid environment variable name must consist only of printable ASCII characters other than '='"
            found.append(wrong(f"{at}.name", name, rule))
        if variable.get("value") and variable.get("valueFrom"):
            found.append(wrong(f"{at}.valueFrom", "", "may not be specified when `value` is not empty"))
        elif variable.get("valueFrom") == {}:
            found.append(
                wrong(
                    f"{at}.valueFrom",
                    "",
                    "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`",
                )
            )
    return found


def _probe(probe: Object, path: str) -> list[Cause]:
    found: list[Cause] = []
    given = [h for h in _HANDLERS if probe.get(h) is not None]
    if not given:
        found.append(required(path, "must specify a handler type"))
    if len(given) > 1:
        found.append(Cause(f"{path}.{given[1]}", "Forbidden: may not specify more than 1 handler type"))
    for name in ("httpGet", "tcpSocket"):
        port = (probe.get(name) or {}).get("port", 1)
        if isinstance(port, int) and not 1 <= port <= 65535:
            found.append(wrong(f"{path}.{name}.port", port, PORT_RANGE))
    for name in ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"):
        if probe.get(name, 0) < 0:
            found.append(wrong(f"{path}.{name}", probe[name], "must be greater than or equal to 0"))
    return found


def _resources(resources: Object, path: str) -> list[Cause]:
    found: list[Cause] = []
    limits = resources.get("limits") or {}
    for kind, given in (("limits", limits), ("requests", resources.get("requests") or {})):
        for name, amount in given.items():
            if parse(amount)[0] < 0:
                found.append(wrong(f"{path}.{kind}[{name}]", amount, "must be greater than or equal to 0"))
    for name, amount in (resources.get("requests") or {}).items():
        if name in limits and parse(amount)[0] > parse(limits[name])[0]:
            said = f"must be less than or equal to {name} limit of {limits[name]}"
            found.append(wrong(f"{path}.requests", amount, said))
    return found
