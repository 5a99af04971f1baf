"""An image from a registry as an OCI layout in a folder, for tools that must not have a network or credentials."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ghapp.registry.client import DOCKER_LIST, INDEX, Registry, RegistryError
from ghapp.registry.reference import Reference


def pull(registry: Registry, image: Reference, into: Path, *, platform: str = "linux/amd64") -> None:
    """Write the image that ``image.digest`` names (of an index, the one for ``platform``) into ``into``, checked."""
    blobs = into / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    found = registry.manifest(image)
    if found is not None and found.media_type in (INDEX, DOCKER_LIST):
        digest = _one_of(json.loads(found.data)["manifests"], platform, image)
        found = registry.manifest(Reference(image.host, image.path, digest=digest))
    if found is None:
        raise RegistryError(f"{image} is not in the registry")
    (blobs / _hex(found.digest)).write_bytes(found.data)
    content = json.loads(found.data)
    for blob in (content["config"], *content["layers"]):
        if not (blobs / _hex(blob["digest"])).exists():
            registry.save_blob(image.path, blob["digest"], blobs / _hex(blob["digest"]))
    top = {"mediaType": found.media_type, "digest": found.digest, "size": len(found.data)}
    (into / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [top]}))
    (into / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')


def _one_of(manifests: list[dict[str, Any]], platform: str, image: Reference) -> str:
    system, _, architecture = platform.partition("/")
    for manifest in manifests:
        has = manifest.get("platform") or {}
        if (has.get("os"), has.get("architecture")) == (system, architecture.partition("/")[0]):
            return str(manifest["digest"])
    raise RegistryError(f"{image} is not made for {platform}")


def _hex(digest: str) -> str:
    kind, _, value = digest.partition(":")
    if kind != "sha256" or len(value) != 64 or set(value) - set("0123456789abcdef"):
        raise RegistryError(f"{digest[:100]!r} is not a SHA-256 digest")
    return value
