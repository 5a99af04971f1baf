"""What a builder is: it makes one image from a checkout and puts it into a registry, by digest alone.

Tags are set afterwards, by whoever has written the evidence; from then on the digest is the image's name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ghapp.config.model import Image
from ghapp.registry import Reference, Registry


class BuildError(RuntimeError):
    """The image cannot be built; the message says what is wrong and what to do."""


class HostTool(Protocol):
    """Run a program outside of a step's sandbox, for builders make namespaces of their own; its exit status.

    What it prints goes to the log. It is still bounded, stopped and killed as a step is. Raises :class:`BuildError`.
    """

    def __call__(self, *argv: str, env: Mapping[str, str] | None = None) -> int: ...


@dataclass(frozen=True)
class Build:
    """What is to be built.

    ``context`` is the build's folder inside of the checkout at ``workspace``. ``target`` is where the image goes; with
    ``push`` false it is built and thrown away. ``scratch`` is an empty folder for the builder, ``cache`` one that it
    finds again at the next build of the same trust, if any.
    """

    image: Image
    target: Reference
    workspace: Path
    context: str
    containerfile: str
    scratch: Path
    push: bool
    registry: Callable[[str], Registry]
    say: Callable[[str], None]
    tool: HostTool
    auth_file: Path | None = None
    plain_http: bool = False
    cache: Path | None = None
    args: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Built:
    """An image that was built: its digest, how it was made, from which base images (reference → digest)."""

    digest: str
    builder: str
    bases: Mapping[str, str] = field(default_factory=dict)


class Builder(Protocol):
    name: str

    def available(self) -> str:
        """``""`` if it can be used on this machine, else what is missing."""
        ...

    def refuses(self, build: Build) -> str:
        """``""`` if it can build this, else why not."""
        ...

    def build(self, build: Build) -> Built:
        """Raises :class:`BuildError` and :class:`~ghapp.registry.RegistryError`."""
        ...
