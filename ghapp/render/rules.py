"""What every rendering must keep: whole objects, none twice, no plain secrets, images by digest, stable file names."""

from __future__ import annotations

import copy
import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ghapp.render.interface import Options
from ghapp.render.manifests import Manifest

_IMAGE = re.compile(r"^(?P<repository>[^@]*?)(?::(?P<tag>[\w][\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?$")
_UNSAFE = re.compile(r"[^a-z0-9.-]+")
_LIST_OF_CONTAINERS = ("containers", "initContainers", "ephemeralContainers")


def check(manifests: Sequence[Manifest], options: Options) -> list[str]:
    """Every reason why these objects must not be deployed, each a sentence."""
    problems = []
    if not manifests:
        problems.append("the rendering is empty; an environment without objects would delete the app")
    for i, manifest in enumerate(manifests, 1):
        absent = [k for k in ("apiVersion", "kind") if not manifest.data.get(k)]
        absent += [] if manifest.name else ["metadata.name"]
        if absent:
            problems.append(f"object {i} ({manifest}) has no {' and no '.join(absent)}")
        if _plain_secret(manifest) and not options.allow_plain_secrets:
            problems.append(
                f"{manifest} carries its data in the open; encrypt it with SOPS, or a SealedSecret or an ExternalSecret"
            )
    for (group, kind, namespace, name), count in Counter(m.key for m in manifests).items():
        if count > 1 and name:
            where = f" in {namespace}" if namespace else ""
            problems.append(f"{kind}{f'.{group}' if group else ''} {name}{where} is rendered {count} times; keep one")
    return problems


def _plain_secret(manifest: Manifest) -> bool:
    if manifest.kind != "Secret" or manifest.group or "sops" in manifest.data:
        return False
    return bool(manifest.data.get("data") or manifest.data.get("stringData"))


def pin_images(manifests: Sequence[Manifest], images: Mapping[str, str]) -> tuple[list[Manifest], set[str]]:
    """The manifests with each of ``images`` (repository → digest) named by digest, and the repositories that were used.

    Looks at every container of every pod template, wherever the template stands. An image that is not in ``images``
    stays as it is.
    """
    used: set[str] = set()
    pinned = []
    for manifest in manifests:
        data = copy.deepcopy(manifest.data)
        for container in _containers(data):
            match = _IMAGE.match(str(container.get("image") or ""))
            if match and match["repository"] in images:
                used.add(match["repository"])
                container["image"] = f"{match['repository']}@{images[match['repository']]}"
        pinned.append(Manifest(data))
    return pinned, used


def containers(manifest: Manifest) -> list[dict[str, Any]]:
    """Every container that the object names."""
    return list(_containers(manifest.data))


def _containers(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in _LIST_OF_CONTAINERS and isinstance(inner, list):
                yield from (c for c in inner if isinstance(c, dict) and "image" in c)
            else:
                yield from _containers(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _containers(inner)


def layout(manifests: Sequence[Manifest]) -> dict[str, bytes]:
    """One file an object, under a name that depends on nothing but the object."""
    return {file_name(m): m.text() for m in manifests}


def file_name(manifest: Manifest) -> str:
    """``[<namespace>/]<kind>[.<group>]-<name>.yaml``; the group only where it is not one of Kubernetes' own."""
    own = not manifest.group or "." not in manifest.group or manifest.group.endswith(".k8s.io")
    kind = manifest.kind.lower() if own else f"{manifest.kind.lower()}.{manifest.group}"
    # Names of roles may hold colons and such; what is replaced is told apart by a few digits of the name's hash.
    name = manifest.name
    if _UNSAFE.search(name):
        name = f"{_UNSAFE.sub('-', name.lower())}-{_digest(manifest.name)}"
    folder = f"{manifest.namespace}/" if manifest.namespace else ""
    return f"{folder}{kind}-{name}.yaml"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
