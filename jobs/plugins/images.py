"""The image that the pipeline has built, for plugins: brought into the step's scratch folder, or copied elsewhere."""

from __future__ import annotations

from dataclasses import replace

from ghapp.registry import Reference, parse
from ghapp.registry.layout import pull
from ghapp.registry.open import registries
from jobs.plugins.interface import Place, PluginError


def built(at: Place) -> Reference:
    """The image by digest. Raises ``PluginError`` where the pipeline has built none."""
    if not at.images:
        raise PluginError("there is no image: the pipeline has built none before this step")
    name, digest = next(iter(at.images.items()))
    return replace(parse(name), digest=digest)


def pull_built(at: Place) -> dict[str, str]:
    """Write the image to ``image`` in the scratch folder, as an OCI layout; returns its name and digest.

    A tool then needs neither network nor credentials, and looks at this digest and no other.
    """
    image = built(at)
    with registries(at.settings) as registry:
        pull(registry(image.host), image, at.scratch / "image")
    return dict(at.images)
