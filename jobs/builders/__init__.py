"""Builders: how an image is made. One file each; this is their registry."""

from __future__ import annotations

import importlib

from jobs.builders.interface import Build, Builder, BuildError, Built

__all__ = ["BUILDERS", "Build", "BuildError", "Builder", "Built", "choose"]

# In the order in which `auto` prefers them.
BUILDERS = {
    "layer": "jobs.builders.layer",
    "buildah": "jobs.builders.buildah",
    "buildkit": "jobs.builders.buildkit",
    "docker": "jobs.builders.docker",
}


def load(name: str) -> Builder:
    """The builder registered under ``name``."""
    found: Builder = importlib.import_module(BUILDERS[name]).builder
    return found


def choose(name: str, build: Build) -> Builder:
    """The builder that is named, or for ``auto`` the first that is here and can build this.

    Raises :class:`BuildError` with the reason of each that cannot.
    """
    if name != "auto":
        builder = load(name)
        if reason := builder.available():
            raise BuildError(f"the builder {name} cannot be used on this worker: {reason}")
        return builder
    reasons = []
    for name in BUILDERS:
        builder = load(name)
        reason = builder.available() or builder.refuses(build)
        if not reason:
            return builder
        reasons.append(f"{name}: {reason}")
    raise BuildError("no builder can make this image — " + "; ".join(reasons))
