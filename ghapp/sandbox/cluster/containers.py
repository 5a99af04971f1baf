"""From a Pod's specification to the processes that stand for its containers: command, environment, folders."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ghapp.sandbox.cluster import volumes
from ghapp.sandbox.cluster.quantity import parse
from ghapp.sandbox.cluster.types import Object
from ghapp.sandbox.cluster.volumes import Lookup, Missing

_REFERENCE = re.compile(r"\$\$|\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)")


@dataclass(frozen=True, slots=True)
class Process:
    """One container's process. ``sidecar``: started before the others, and not waited for."""

    name: str
    argv: list[str]
    env: dict[str, str]
    cwd: Path
    first: bool
    sidecar: bool


def plan(pod: Object, folder: Path, shared: Path, find: Lookup) -> list[Process]:
    """The processes of a Pod in the order of their start. Raises :class:`Missing`."""
    laid_out = volumes.lay_out(pod, folder / "volumes", shared, find)
    (folder / "tmp").mkdir(parents=True, exist_ok=True)
    spec = pod["spec"]
    result = [_process(c, pod, folder, laid_out, find, first=True) for c in spec.get("initContainers") or ()]
    return result + [_process(c, pod, folder, laid_out, find, first=False) for c in spec["containers"]]


def _process(
    container: Object, pod: Object, folder: Path, laid_out: dict[str, Path], find: Lookup, *, first: bool
) -> Process:
    env = environment(container, pod, find)
    argv = [expanded(a, env) for a in [*(container.get("command") or ()), *(container.get("args") or ())]]
    if not container.get("command"):
        said = f"container {container['name']} has no command: the sandbox runs commands, not images"
        argv = ["sh", "-c", 'echo "$0" >&2; exit 127', said]
    mounted = volumes.mounts(container, laid_out)
    base = {"PATH": os.environ.get("PATH", os.defpath), "HOME": "/tmp", "LANG": "C.UTF-8"}  # noqa: S108
    cwd = container.get("workingDir", "")
    if volumes.can_wrap():
        argv = volumes.wrapped(argv, cwd, mounted, folder / "tmp")
        return Process(container["name"], argv, {**base, **env}, folder, first, _is_sidecar(container))
    argv = [volumes.replaced(a, mounted) for a in argv]
    env = {k: volumes.replaced(v, mounted) for k, v in {**base, "HOME": str(folder / "tmp"), **env}.items()}
    where = Path(volumes.replaced(cwd, mounted)) if cwd else folder / "tmp"
    return Process(container["name"], argv, env, where, first, _is_sidecar(container))


def _is_sidecar(container: Object) -> bool:
    return container.get("restartPolicy") == "Always"


def environment(container: Object, pod: Object, find: Lookup) -> dict[str, str]:
    """A container's variables, with references to others expanded. Raises :class:`Missing`."""
    env: dict[str, str] = {}
    for source in container.get("envFrom") or ():
        for kind, key in (("ConfigMap", "configMapRef"), ("Secret", "secretRef")):
            if given := source.get(key):
                found = find(kind, given["name"])
                if found is None and not given.get("optional"):
                    raise Missing(f'{kind.lower()} "{given["name"]}" not found')
                for name, content in volumes.contents(found).items() if found else ():
                    env[source.get("prefix", "") + name] = content.decode()
    for variable in container.get("env") or ():
        if "valueFrom" in variable:
            value = _from(variable["valueFrom"], container, pod, find)
            if value is not None:
                env[variable["name"]] = value
        else:
            env[variable["name"]] = expanded(variable.get("value", ""), env)
    return env


def _from(source: Object, container: Object, pod: Object, find: Lookup) -> str | None:
    if field := source.get("fieldRef"):
        return _field(pod, field["fieldPath"])
    if resource := source.get("resourceFieldRef"):
        return _resource(container, resource)
    for kind, key in (("ConfigMap", "configMapKeyRef"), ("Secret", "secretKeyRef")):
        if given := source.get(key):
            found = find(kind, given["name"])
            content = volumes.contents(found) if found else {}
            if given["key"] in content:
                return content[given["key"]].decode()
            if not given.get("optional"):
                what = f'{kind.lower()} "{given["name"]}"'
                raise Missing(f"{what} not found" if found is None else f"{what} has no key {given['key']}")
    return None


def _field(pod: Object, path: str) -> str:
    """A field of the downward API: ``metadata.name``, ``metadata.labels['app']``, ``status.podIP``."""
    if match := re.match(r"(.*)\['([^']*)'\]\Z", path):
        value: Any = pod
        for name in match[1].split("."):
            value = value.get(name) or {}
        return str(value.get(match[2], ""))
    value = pod
    for name in path.split("."):
        value = value.get(name, "") if isinstance(value, dict) else ""
    return str(value)


def _resource(container: Object, reference: Object) -> str:
    """An amount in units of the divisor, rounded up."""
    kind, _, name = reference["resource"].partition(".")
    amount = ((container.get("resources") or {}).get(kind) or {}).get(name, "0")
    divisor = reference.get("divisor", "1")
    value = parse(amount)[0] / (parse(divisor)[0] or 1)
    return str(int(value) + (value % 1 > 0))


def expanded(text: str, env: Mapping[str, str]) -> str:
    """``$(NAME)`` replaced by a variable's value; unknown names stay as they are, ``$$`` is a dollar."""
    return _REFERENCE.sub(lambda m: "$" if m[0] == "$$" else env.get(m[1], m[0]), text)
