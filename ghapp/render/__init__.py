"""From a source commit to the files of an environment: one renderer a file, and the rules every rendering must keep.

Rendering reads a checkout and writes nothing; what it returns replaces the app's folder on the environment branch.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ghapp.config.model import Render
from ghapp.render import helm, kustomize, plain
from ghapp.render.interface import Options, Renderer, RenderError, Rendering
from ghapp.render.manifests import Manifest, read_manifests
from ghapp.render.rules import check, layout, pin_images

__all__ = ["RENDERERS", "Manifest", "Options", "RenderError", "Renderer", "Rendering", "render"]

RENDERERS: Mapping[str, Renderer] = {"plain": plain.render, "kustomize": kustomize.render, "helm": helm.render}


def render(how: Render, checkout: Path, images: Mapping[str, str], options: Options) -> Rendering:
    """Render one environment of one app.

    ``checkout`` is a clean checkout of the source commit; ``images`` maps an image's repository to its digest
    (``sha256:…``). Raises :class:`RenderError` with every reason why the result must not be deployed.
    """
    (kind, value), *_ = ((k, v) for k, v in how if v is not None)
    try:
        manifests = read_manifests(RENDERERS[kind](checkout, value, options), name=f"the {kind} rendering")
    except RecursionError:
        raise RenderError([f"the {kind} rendering is nested too deeply"]) from None
    except ValueError as e:
        raise e if isinstance(e, RenderError) else RenderError([str(e)]) from None
    pinned, used = pin_images(manifests, images)
    problems = check(pinned, options)
    if problems:
        raise RenderError(problems)
    return Rendering(layout(pinned), tuple(pinned), unused_images=tuple(sorted(set(images) - used)))
