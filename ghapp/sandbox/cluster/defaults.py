"""What the server fills in where an object says nothing."""

from __future__ import annotations

from ghapp.sandbox.cluster.kinds import Resource
from ghapp.sandbox.cluster.types import Object


def apply(resource: Resource, new: Object, old: Object | None = None) -> None:
    """Set defaults in place; ``old`` is the live object on updates."""
