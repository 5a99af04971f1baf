"""Field ownership of stored objects: read from managedFields, brought up to date by a write, written back."""

from __future__ import annotations

from ghapp.sandbox.cluster import errors, lastapplied, ownership
from ghapp.sandbox.cluster.fields import Fields
from ghapp.sandbox.cluster.kinds import Resource
from ghapp.sandbox.cluster.ownership import Conflict, Owners
from ghapp.sandbox.cluster.types import Object
from ghapp.sandbox.cluster.write import STATUS, Write


def without(obj: Object) -> Object:
    """``obj`` without its managedFields."""
    return {**obj, "metadata": {k: v for k, v in obj["metadata"].items() if k != "managedFields"}}


def of(entries: object) -> Owners:
    """The owners that managedFields name; nobody, where they cannot be read."""
    try:
        return ownership.decode(entries)
    except (ValueError, AttributeError):
        return {}


def chosen(given: object, live: object, write: Write) -> Owners:
    """The owners to begin an update with: a writer may edit or empty managedFields, though not by a subresource."""
    if given is None or write.subresource:
        return of(live)
    return {} if given in ([], [{}]) else of(given) or of(live)


def updated(resource: Resource, old: Object, new: Object, owners: Owners, write: Write, time: str) -> Owners:
    """Owners after an update of ``old`` to ``new``, both without managedFields."""
    try:
        return ownership.update(
            old,
            new,
            resource.type,
            owners,
            manager=write.manager,
            version=resource.api_version,
            time=time,
            subresource=write.subresource,
            reset=_reset(resource, write.subresource),
        )
    except ValueError:
        # A list item without its key: validation refuses the object with better words.
        return owners


def applied(
    resource: Resource, old: Object, config: Object, owners: Owners, write: Write, time: str, *, force: bool
) -> tuple[Object, Owners]:
    """What applying ``config`` makes of ``old``, and who owns it then. Raises ApiError 409."""
    by_kubectl = write.manager == lastapplied.MANAGER
    try:
        merged, owned = ownership.apply(
            old,
            config,
            resource.type,
            owners,
            manager=write.manager,
            version=resource.api_version,
            time=time,
            subresource=write.subresource,
            force=force,
            reset=_reset(resource, write.subresource),
        )
    except Conflict as e:
        if by_kubectl and lastapplied.excuses(e, old, resource.type):
            return applied(resource, old, config, owners, write, time, force=True)
        raise errors.apply_conflict(e.message, e.causes) from None
    return (lastapplied.keep_in_step(merged, config) if by_kubectl else merged), owned


def record(meta: Object, owned: Owners, before: list[Object]) -> None:
    """Write owners into metadata; where they say no more than before, the times of before stay."""
    entries = ownership.encode(owned)
    if ownership.same_but_for_time(entries, before):
        entries = before
    meta.pop("managedFields", None)
    if entries:
        meta["managedFields"] = entries


def _reset(resource: Resource, subresource: str) -> Fields | None:
    """Fields that an endpoint does not change, and that nobody can own through it."""
    if subresource in STATUS:
        return ownership.roots("spec", "metadata") if resource.custom else ownership.roots("spec")
    return ownership.roots("status") if "status" in resource.subresources else None
