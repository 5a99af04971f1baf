"""What makes an object invalid, by kind."""

from __future__ import annotations

from ghapp.sandbox.cluster import errors, metadata
from ghapp.sandbox.cluster.kinds import Resource
from ghapp.sandbox.cluster.types import Object


def check_new(resource: Resource, new: Object) -> None:
    """Raises ApiError 422."""
    _refuse(resource, new, metadata.problems(new["metadata"], resource.kind))


def check_change(resource: Resource, new: Object, old: Object) -> None:
    """Raises ApiError 422."""
    found = metadata.problems(new["metadata"], resource.kind) + metadata.change_problems(
        new["metadata"], old["metadata"]
    )
    _refuse(resource, new, found)


def _refuse(resource: Resource, new: Object, found: list[errors.Cause]) -> None:
    if found:
        raise errors.invalid(resource.kind, resource.group, new["metadata"].get("name", ""), found)
