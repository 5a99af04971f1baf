"""OCI image layouts: what buildah and BuildKit leave behind, put into a registry by our own client, by digest alone."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from ghapp.registry import Registry
from ghapp.registry.client import INDEX, digest_of
from jobs.builders.interface import BuildError
from jobs.pipeline.files import read_plain

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})\Z")


def digest(layout: Path) -> str:
    """The digest of the one image in a layout. Raises :class:`BuildError`."""
    return str(_top(layout)["digest"])


def push(layout: Path, registry: Registry, path: str) -> str:
    """Store the image of a layout with everything it needs; returns its digest."""
    top = _top(layout)
    _push(layout, top, registry, path)
    return str(top["digest"])


def _push(layout: Path, descriptor: dict[str, Any], registry: Registry, path: str) -> None:
    data = _checked(layout, descriptor["digest"])
    content = json.loads(data)
    media_type = str(content.get("mediaType") or descriptor["mediaType"])
    for inner in content.get("manifests", ()):
        _push(layout, inner, registry, path)
    blobs = [content["config"], *content["layers"]] if media_type != INDEX and "config" in content else []
    for blob in blobs:
        registry.put_blob(path, _file(layout, blob["digest"]), blob["digest"])
    registry.put_manifest(path, data, media_type)


def _top(layout: Path) -> dict[str, Any]:
    try:
        manifests = json.loads(read_plain(layout / "index.json", 1_000_000) or b"{}").get("manifests", [])
    except ValueError:
        manifests = []
    if len(manifests) != 1:
        raise BuildError(f"the builder left {len(manifests)} images behind instead of one")
    found: dict[str, Any] = manifests[0]
    return found


def _file(layout: Path, name: str) -> Path:
    match = _DIGEST.match(name)
    if not match:
        raise BuildError(f"the builder wrote {name[:80]!r}, which is not a SHA-256 digest")
    file = layout / "blobs" / "sha256" / match[1]
    if file.is_symlink() or not file.is_file():
        raise BuildError(f"the builder left out {name}")
    return file


def _checked(layout: Path, name: str) -> bytes:
    data = _file(layout, name).read_bytes()
    if digest_of(data) != name:
        raise BuildError(f"the builder wrote {name} with other content")
    return data
