"""What a renderer is: a function from a checkout and its block of ``.ghapp.yml`` to YAML text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ghapp.render.manifests import Manifest


class RenderError(ValueError):
    """Why nothing was rendered; every reason, each a sentence that says what to do."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(problems))


@dataclass(frozen=True, slots=True)
class Options:
    """How to render. ``timeout`` in seconds; ``remote_bases`` are URL prefixes that a kustomization may name."""

    environment: str
    app: str
    namespace: str = ""
    timeout: float = 60
    allow_plain_secrets: bool = False
    remote_bases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rendering:
    """The files of ``<app>/`` on the environment branch: path below it → bytes, and the same as manifests.

    ``unused_images`` are repositories of the release that no pod template names.
    """

    files: Mapping[str, bytes]
    manifests: tuple[Manifest, ...] = field(repr=False)
    unused_images: tuple[str, ...] = ()


# (checkout, the renderer's own block, options) → a stream of YAML documents. Raises RenderError.
Renderer = Callable[[Path, Any, Options], bytes]


def inside(checkout: Path, path: str) -> Path:
    """The real path of ``path`` in the checkout. Raises :class:`RenderError` if it is missing or leads out of it."""
    root = checkout.resolve()
    found = (root / path).resolve()
    if not found.is_relative_to(root):
        raise RenderError([f"{path} leads out of the repository; name a path inside it"])
    if not found.exists():
        raise RenderError([f"{path} does not exist at this commit; add it, or correct `render` in .ghapp.yml"])
    return found


def refuse_links_out(checkout: Path) -> None:
    """No symbolic link below ``checkout`` may lead out of it. Raises :class:`RenderError` naming each that does."""
    root = checkout.resolve()
    links = (p for p in checkout.rglob("*") if p.is_symlink())
    out = [str(p.relative_to(checkout)) for p in links if not p.resolve().is_relative_to(root)]
    if out:
        raise RenderError([f"the symbolic link {p} leads out of the repository; remove it" for p in sorted(out)])
