"""``copy-image``: the built image, unchanged, into another repository or registry."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from pydantic import Field

from ghapp.registry import BadReference, Reference, Registry, parse
from ghapp.registry.open import registries
from jobs.pipeline.result import Ended
from jobs.plugins.images import built
from jobs.plugins.interface import Inputs, Place, PluginError, passed


class CopyImageInputs(Inputs):
    to: str = Field(description="the repository to copy to, without tag: registry.example.com/team/app")
    tags: tuple[str, ...] = Field((), description="tags to set there; one that exists with another digest is an error")


class CopyImage:
    name = "copy-image"
    version = "1.0.0"
    description = "The built image, by digest, into another repository."
    inputs = CopyImageInputs

    def run(self, inputs: CopyImageInputs, at: Place) -> Ended:
        if not at.trusted:
            raise PluginError("images are not copied for pull requests from forks")
        source = built(at)
        try:
            target = parse(inputs.to)
        except BadReference as e:
            raise PluginError(str(e)) from None
        with registries(at.settings) as registry:
            _copy(source, target, source.digest, registry, at.scratch, at.say)
            found = registry(target.host).manifest(Reference(target.host, target.path, digest=source.digest))
            if found is None:
                raise PluginError(f"{target.repository} does not have the image that was copied there")
            for tag in inputs.tags:
                registry(target.host).put_manifest(target.path, found.data, found.media_type, tag)
        name = f"{target.repository}@{source.digest}"
        at.say(f"copied {source} to {name}")
        return passed(outputs={"image": name, "digest": source.digest}, facts={"copied_to": name})


def _copy(
    source: Reference,
    target: Reference,
    digest: str,
    registry: Callable[[str], Registry],
    scratch: Path,
    say: Callable[[str], None],
) -> None:
    """Copy a manifest and all it names, what it names first."""
    found = registry(source.host).manifest(Reference(source.host, source.path, digest=digest))
    if found is None:
        raise PluginError(f"{source.repository}@{digest} is not in the registry")
    content = json.loads(found.data)
    for inner in content.get("manifests", ()):
        _copy(source, target, inner["digest"], registry, scratch, say)
    into = registry(target.host)
    for blob in [content["config"], *content["layers"]] if "config" in content else []:
        if into.has_blob(target.path, blob["digest"]):
            continue
        if source.host == target.host and into.mount_blob(target.path, blob["digest"], source.path):
            continue
        say(f"copying {blob['digest']}")
        file = scratch / "blob"
        registry(source.host).save_blob(source.path, blob["digest"], file)
        into.put_blob(target.path, file, blob["digest"])
        file.unlink()
    into.put_manifest(target.path, found.data, found.media_type)


plugin = CopyImage()
