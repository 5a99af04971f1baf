"""The one way in which objects change: create, replace, patch, apply, delete, each with the whole of its rules.

Requests and controllers come through here alike, so that what an API server promises — versions, owners of fields,
defaults, validation, preconditions, finalizers — holds whoever writes. Knows nothing of HTTP.
"""

from __future__ import annotations

import copy
import secrets
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

from ghapp.sandbox.cluster import admission, defaults, deletion, errors, intake, managers, metadata, validation
from ghapp.sandbox.cluster.kinds import Kinds, Resource
from ghapp.sandbox.cluster.ownership import Owners
from ghapp.sandbox.cluster.store import Store, Stored
from ghapp.sandbox.cluster.types import Object
from ghapp.sandbox.cluster.write import STATUS, Delete, Write

_SUFFIX = "bcdfghjklmnpqrstvwxz2456789"
_NOT_GIVEN = ("deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "resourceVersion", "generation")


def now() -> str:
    """The time as objects carry it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Objects:
    """All objects of the cluster and the rules by which they change."""

    def __init__(self, store: Store, kinds: Kinds, clock: Callable[[], str] = now) -> None:
        self.store = store
        self.kinds = kinds
        self.clock = clock
        self.allocator = admission.Allocator()

    # Reading.

    def find(self, resource: Resource, namespace: str, name: str) -> Stored | None:
        return self.store.get(resource.storage, namespace, name)

    def get(self, resource: Resource, namespace: str, name: str) -> Stored:
        """Raises ApiError 404."""
        found = self.find(resource, namespace, name)
        if found is None:
            raise errors.not_found(resource.plural, resource.group, name)
        return found

    # Writing.

    def create(self, resource: Resource, namespace: str, given: Object, write: Write) -> Object:
        """Store a new object. Raises ApiError: 400, 404 for its namespace, 409 where it exists, 422."""
        new = intake.decoded(resource, given, write)
        meta = new["metadata"]
        if not meta.get("name") and (prefix := meta.get("generateName")):
            meta["name"] = self._generated(resource, namespace, prefix)
        if not meta.get("name"):
            cause = errors.required("metadata.name", "name or generateName is required")
            raise errors.invalid(resource.kind, resource.group, "", [cause])
        intake.place(resource, namespace, "", meta)
        if self.find(resource, namespace, meta["name"]):
            raise errors.already_exists(resource.plural, resource.group, meta["name"])
        if meta.get("resourceVersion"):
            raise errors.bad_request("resourceVersion should not be set on objects to be created")
        owners = managers.of(meta.pop("managedFields", None))
        self._begin(resource, new)
        owned = managers.updated(resource, intake.blank(resource), new, owners, write, self.clock())
        return self._store_new(resource, new, owned, write)

    def replace(self, resource: Resource, namespace: str, name: str, given: Object, write: Write) -> Object:
        """Make ``given`` the object. Raises ApiError: 400, 404, 409 where it is based on an older version, 422."""
        live = self.get(resource, namespace, name)
        new = intake.decoded(resource, given, write)
        intake.place(resource, namespace, name, new["metadata"])
        return self.change(resource, live, new, write)

    def change(self, resource: Resource, live: Stored, new: Object, write: Write) -> Object:
        """Make ``new`` the next version of ``live``, with owners recorded as for any write that is not an apply."""
        old = managers.without(resource.seen(live.object))
        given = new["metadata"].pop("managedFields", None)
        owners = managers.chosen(given, live.object["metadata"].get("managedFields"), write)
        self._continue(resource, live, new, write)
        owned = managers.updated(resource, old, new, owners, write, self.clock())
        return self._store_change(resource, live, new, owned, write)

    def patched(self, resource: Resource, live: Stored, patched: Object, write: Write) -> Object:
        """Store what a patch made of ``live``."""
        new = intake.decoded(resource, patched, write)
        intake.place(resource, live.key[0], live.key[1], new["metadata"])
        return self.change(resource, live, new, write)

    def apply(
        self, resource: Resource, namespace: str, name: str, config: Object, write: Write, *, force: bool
    ) -> tuple[Object, bool]:
        """Server-side apply. Returns the object and whether it is new. Raises ApiError: 409 on conflicts, 422, and
        500 where the configuration does not fit the kind's type."""
        intake.check_configuration(resource, namespace, name, config)
        live = self.find(resource, namespace, name)
        if live is None and (uid := config["metadata"].get("uid")):
            why = f"uid mismatch: the provided object specified uid {uid}, and no existing object was found"
            raise errors.conflict(resource.plural, resource.group, name, why)
        old = managers.without(resource.seen(live.object)) if live else intake.blank(resource)
        owners = managers.of(live.object["metadata"].get("managedFields")) if live else {}
        merged, owned = managers.applied(resource, old, config, owners, write, self.clock(), force=force)
        new = intake.merged(resource, merged, namespace, name)
        if live is None:
            self._begin(resource, new)
            return self._store_new(resource, new, owned, write), True
        self._continue(resource, live, new, write)
        return self._store_change(resource, live, new, owned, write), False

    def delete(self, resource: Resource, namespace: str, name: str, how: Delete) -> tuple[Object, bool]:
        """Delete, or begin to: returns the object, and whether it is gone. Raises ApiError: 403, 404, 409."""
        live = self.get(resource, namespace, name)
        deletion.check(resource, live.object, how)
        admission.check_delete(resource, live.object)
        waits_for = deletion.finalizers(live.object, how)
        waits = bool(waits_for) or deletion.is_namespace(resource)
        if how.dry_run:
            return live.object, not waits
        if not waits:
            gone = self.store.remove(resource.storage, namespace, name)
            return (gone or live).object, True
        meta = live.object["metadata"]
        if meta.get("deletionTimestamp") and waits_for == meta.get("finalizers", []):
            return live.object, False
        doomed = deletion.doomed(resource, live.object, waits_for, self.clock())
        return self.store.put(resource.storage, doomed).object, False

    # For controllers.

    def set_status(
        self,
        resource: Resource,
        live: Stored,
        status: Object,
        manager: str,
        annotations: dict[str, str] | None = None,
    ) -> Object:
        """Write an object's status, and annotations beside it, as the controller that keeps them."""
        meta = dict(live.object["metadata"])
        if annotations:
            meta["annotations"] = {**meta.get("annotations", {}), **annotations}
        new = {**live.object, "metadata": meta, "status": status}
        return self.change(resource, live, new, Write(manager, subresource="status"))

    def edit(self, resource: Resource, live: Stored, edit: Callable[[Object], None], manager: str) -> Object:
        """Change an object in place as a controller would."""
        new = copy.deepcopy(live.object)
        edit(new)
        return self.change(resource, live, new, Write(manager))

    # The steps of a write.

    def _generated(self, resource: Resource, namespace: str, prefix: str) -> str:
        while True:
            name = prefix[:58] + "".join(secrets.choice(_SUFFIX) for _ in range(5))
            if not self.find(resource, namespace, name):
                return name

    def _begin(self, resource: Resource, new: Object) -> None:
        """Give a new object what only the server gives, and its defaults."""
        meta = new["metadata"]
        for name in _NOT_GIVEN:
            meta.pop(name, None)
        meta["uid"] = str(uuid.uuid4())
        meta["creationTimestamp"] = self.clock()
        if resource.has_generation:
            meta["generation"] = 1
        if "status" in resource.subresources:
            new.pop("status", None)
            if (empty := intake.blank(resource).get("status")) is not None:
                new["status"] = empty
        defaults.apply(resource, new)

    def _continue(self, resource: Resource, live: Stored, new: Object, write: Write) -> None:
        """Check preconditions, put back what this endpoint does not change, and set defaults."""
        old, meta = live.object, new["metadata"]
        current = old["metadata"]
        if meta.get("resourceVersion") not in (None, "", current["resourceVersion"]):
            raise errors.conflict(resource.plural, resource.group, current["name"], errors.STALE)
        if meta.get("uid") not in (None, "", current["uid"]):
            why = f"Precondition failed: UID in precondition: {meta['uid']}, UID in object meta: {current['uid']}"
            raise errors.conflict(resource.plural, resource.group, current["name"], why)
        metadata.keep(meta, current)
        if write.subresource in STATUS:
            _only_status(new, resource.seen(old), annotations=not resource.custom)
        elif "status" in resource.subresources:
            new.pop("status", None)
            if "status" in old:
                new["status"] = old["status"]
        defaults.apply(resource, new)

    def _store_new(self, resource: Resource, new: Object, owned: Owners, write: Write) -> Object:
        admission.fill(self.allocator, resource, new, None)
        validation.check_new(resource, new)
        admission.check_create(self, resource, new)
        if write.guard:
            write.guard(new)
        managers.record(new["metadata"], owned, [])
        new = resource.kept(new)
        return new if write.dry_run else self.store.put(resource.storage, new).object

    def _store_change(self, resource: Resource, live: Stored, new: Object, owned: Owners, write: Write) -> Object:
        old, meta = live.object, new["metadata"]
        admission.fill(self.allocator, resource, new, old)
        managers.record(meta, owned, old["metadata"].get("managedFields", []))
        meta["resourceVersion"] = old["metadata"]["resourceVersion"]
        kept = resource.kept(new)
        if kept == old:
            return old
        validation.check_change(resource, new, old)
        if write.guard:
            write.guard(new)
        if resource.has_generation and write.subresource not in STATUS and _means_more(resource, kept, old):
            meta["generation"] = old["metadata"].get("generation", 0) + 1
        if write.dry_run:
            return kept
        if meta.get("deletionTimestamp") and not meta.get("finalizers") and not deletion.is_namespace(resource):
            gone = self.store.remove(resource.storage, meta.get("namespace", ""), meta["name"])
            return gone.object if gone else kept
        return self.store.put(resource.storage, kept).object


def _only_status(new: Object, old: Object, *, annotations: bool) -> None:
    """Put everything back but the status, and for built-in kinds the annotations."""
    given, meta = dict(new), {k: v for k, v in old["metadata"].items() if k != "managedFields"}
    if annotations:
        meta.pop("annotations", None)
        if kept := given["metadata"].get("annotations"):
            meta["annotations"] = kept
    new.clear()
    new.update(intake.ordered({**old, "metadata": meta}))
    new.pop("status", None)
    if given.get("status") is not None:
        new["status"] = given["status"]


def _means_more(resource: Resource, new: Object, old: Object) -> bool:
    """Whether a change is one of what is wanted, which the generation counts."""
    if resource.kind == "Deployment" and new["metadata"].get("annotations") != old["metadata"].get("annotations"):
        return True
    ignored = ("apiVersion", "metadata", *(("status",) if "status" in resource.subresources else ()))
    return {k: v for k, v in new.items() if k not in ignored} != {k: v for k, v in old.items() if k not in ignored}
