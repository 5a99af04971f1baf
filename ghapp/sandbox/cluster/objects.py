"""The one way in which objects change: create, replace, patch, apply, delete, each with the whole of its rules.

Requests and controllers come through here alike, so that what an API server promises — versions, owners of fields,
defaults, validation, preconditions, finalizers — holds whoever writes. Knows nothing of HTTP.
"""

from __future__ import annotations

import copy
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ghapp.sandbox.cluster import (
    admission,
    custom,
    decode,
    defaults,
    errors,
    lastapplied,
    metadata,
    ownership,
    typed,
    validation,
)
from ghapp.sandbox.cluster.kinds import Kinds, Resource
from ghapp.sandbox.cluster.store import Store, Stored
from ghapp.sandbox.cluster.types import Object

_SUFFIX = "bcdfghjklmnpqrstvwxz2456789"
STATUS = ("status", "approval")
ORPHAN, FOREGROUND = "orphan", "foregroundDeletion"


Guard = Callable[[Object], None]
"""Sees an object just before it is stored, and raises ApiError to refuse it."""


@dataclass(frozen=True, slots=True)
class Write:
    """How something is written: by which field manager, for real or not, and how strictly.

    ``validation`` is what to do with unknown fields: Ignore, Warn or Strict. ``warnings`` collects what to tell.
    """

    manager: str = "unknown"
    dry_run: bool = False
    validation: str = "Warn"
    subresource: str = ""
    guard: Guard | None = None
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Delete:
    """How something is deleted. ``propagation``: Background, Foreground, Orphan, or "" for the kind's default."""

    uid: str = ""
    version: str = ""
    propagation: str = ""
    dry_run: bool = False


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
        found = self.find(resource, namespace, name)
        if found is None:
            raise errors.not_found(resource.plural, resource.group, name)
        return found

    # Writing.

    def create(self, resource: Resource, namespace: str, given: Object, write: Write) -> Object:
        """Store a new object. Raises ApiError: 409 where it exists, 422 where it is invalid."""
        new = self._decoded(resource, given, write)
        meta = new.setdefault("metadata", {})
        if not meta.get("name") and (prefix := meta.get("generateName")):
            meta["name"] = self._generated(resource, namespace, prefix)
        self._place(resource, namespace, meta)
        if self.find(resource, namespace, meta.get("name", "")):
            raise errors.already_exists(resource.plural, resource.group, meta["name"])
        if meta.get("resourceVersion"):
            raise errors.bad_request("resourceVersion should not be set on objects to be created")
        owners = _decoded_owners(meta.pop("managedFields", None))
        self._prepare_new(resource, new)
        defaults.apply(resource, new)
        blank = decode.typed({}, resource.type) if not resource.custom else {}
        owned = ownership.update(
            blank,
            new,
            resource.type,
            owners,
            manager=write.manager,
            version=resource.api_version,
            time=self.clock(),
            reset=_reset(resource, ""),
        )
        return self._store_new(resource, new, owned, write)

    def replace(self, resource: Resource, namespace: str, name: str, given: Object, write: Write) -> Object:
        """PUT. Raises ApiError: 404, 409 where the given resourceVersion is not the live one, 422."""
        live = self.get(resource, namespace, name)
        new = self._decoded(resource, given, write)
        meta = new.setdefault("metadata", {})
        if meta.get("name", name) != name:
            raise errors.bad_request(
                f"the name of the object ({meta['name']}) does not match the name on the URL ({name})"
            )
        meta["name"] = name
        self._place(resource, namespace, meta)
        return self.change(resource, live, new, write)

    def change(self, resource: Resource, live: Stored, new: Object, write: Write) -> Object:
        """Make ``new`` the next version of ``live``, with owners recorded as for any write that is not an apply."""
        meta = new["metadata"]
        given_owners = meta.pop("managedFields", None)
        old = _without_owners(live.object)
        live_owners = live.object["metadata"].get("managedFields")
        owners = _decoded_owners(live_owners)
        if given_owners is not None and not write.subresource:
            if given_owners in ([], [{}]):
                owners = {}
            elif given_owners != live_owners:
                owners = _decoded_owners(given_owners) or owners
        self._prepare_change(resource, live, new, write)
        defaults.apply(resource, new)
        compared = old
        owned = ownership.update(
            compared,
            new,
            resource.type,
            owners,
            manager=write.manager,
            version=resource.api_version,
            time=self.clock(),
            subresource=write.subresource,
            reset=_reset(resource, write.subresource),
        )
        return self._store_change(resource, live, new, owned, write)

    def patched(self, resource: Resource, live: Stored, patched: Object, write: Write) -> Object:
        """Store what a patch made of ``live``."""
        new = self._decoded(resource, patched, write)
        meta = new["metadata"]
        if meta.get("name") != live.object["metadata"]["name"]:
            raise errors.bad_request(
                f"the name of the object ({meta.get('name')}) does not match the name on the URL ({live.key[1]})"
            )
        return self.change(resource, live, new, write)

    def apply(
        self, resource: Resource, namespace: str, name: str, config: Object, write: Write, *, force: bool
    ) -> tuple[Object, bool]:
        """Server-side apply. Returns the object and whether it is new. Raises ApiError: 409 on conflicts, 422, and
        500 where the configuration does not fit the kind's type."""
        self._check_config(resource, namespace, name, config)
        self._place(resource, namespace, config["metadata"])
        live = self.find(resource, namespace, name)
        if live is None:
            if config["metadata"].get("uid"):
                raise errors.conflict(
                    resource.plural,
                    resource.group,
                    name,
                    f"uid mismatch: the provided object specified uid {config['metadata']['uid']}, "
                    "and no existing object was found",
                )
            old: Object = decode.typed({}, resource.type) if not resource.custom else {}
            owners: ownership.Owners = {}
        else:
            old = _without_owners(live.object)
            owners = _decoded_owners(live.object["metadata"].get("managedFields"))
        merged, owned = self._merged(resource, old, config, owners, write, force=force)
        new = self._converted(resource, merged, namespace, name)
        new["metadata"].pop("managedFields", None)
        if live is None:
            self._prepare_new(resource, new)
            defaults.apply(resource, new)
            return self._store_new(resource, new, owned, write), True
        self._prepare_change(resource, live, new, write)
        defaults.apply(resource, new)
        return self._store_change(resource, live, new, owned, write), False

    def delete(self, resource: Resource, namespace: str, name: str, how: Delete) -> tuple[Object, bool]:
        """Delete, or begin to: returns the object, and whether it is gone. Raises ApiError: 404, 409."""
        live = self.get(resource, namespace, name)
        meta = live.object["metadata"]
        if how.uid and how.uid != meta["uid"]:
            why = f"Precondition failed: UID in precondition: {how.uid}, UID in object meta: {meta['uid']}"
            raise errors.conflict(resource.plural, resource.group, name, why)
        if how.version and how.version != meta["resourceVersion"]:
            why = (
                f"Precondition failed: ResourceVersion in precondition: {how.version}, "
                f"ResourceVersion in object meta: {meta['resourceVersion']}"
            )
            raise errors.conflict(resource.plural, resource.group, name, why)
        admission.check_delete(resource, live.object)
        finalizers = [f for f in meta.get("finalizers", ()) if f not in (ORPHAN, FOREGROUND)]
        if how.propagation == "Orphan":
            finalizers.append(ORPHAN)
        elif how.propagation == "Foreground":
            finalizers.append(FOREGROUND)
        waits = bool(finalizers) or (resource.kind == "Namespace" and not resource.group)
        if how.dry_run:
            return live.object, not waits
        if not waits:
            gone = self.store.remove(resource.storage, namespace, name)
            return (gone or live).object, True
        if meta.get("deletionTimestamp") and finalizers == meta.get("finalizers", []):
            return live.object, False
        doomed = _edited(live.object)
        changed = doomed["metadata"]
        if finalizers:
            changed["finalizers"] = finalizers
        if "deletionTimestamp" not in changed:
            changed["deletionTimestamp"] = self.clock()
            changed["deletionGracePeriodSeconds"] = 0
            if resource.has_generation:
                changed["generation"] = changed.get("generation", 0) + 1
        if resource.kind == "Namespace" and not resource.group:
            doomed["status"] = {**doomed.get("status", {}), "phase": "Terminating"}
        return self.store.put(resource.storage, doomed).object, False

    # Rules that every write shares.

    def _decoded(self, resource: Resource, given: Object, write: Write) -> Object:
        unknown: list[str] = []
        try:
            if resource.custom:
                result = custom.decoded(given, resource, unknown)
            else:
                result = decode.typed(given, resource.type, unknown)
        except decode.WrongType as e:
            raise errors.bad_request(
                f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}: {e}'
            ) from None
        _report_unknown(unknown, write)
        result["apiVersion"], result["kind"] = resource.api_version, resource.kind
        return _ordered(result)

    def _check_config(self, resource: Resource, namespace: str, name: str, config: Object) -> None:
        meta = config.get("metadata")
        if config.get("kind") != resource.kind or config.get("apiVersion") != resource.api_version:
            said, wanted = config.get("apiVersion"), resource.api_version
            if said != wanted:
                raise errors.bad_request(
                    f"Incorrect version specified in apply patch. Specified patch version: {said}, expected: {wanted}"
                )
            raise errors.bad_request(
                f'{config.get("kind")} in version "{resource.version}" cannot be handled as a {resource.kind}'
            )
        if not isinstance(meta, dict):
            meta = config["metadata"] = {"name": name}
        if meta.get("managedFields"):
            raise errors.bad_request("metadata.managedFields must be nil")
        if meta.setdefault("name", name) != name:
            raise errors.bad_request(
                f"the name of the object ({meta['name']}) does not match the name on the URL ({name})"
            )
        wrong = list(typed.problems(config, resource.type))
        if wrong:
            said = wrong[0] if len(wrong) == 1 else "errors:\n" + "\n".join(f"  {w}" for w in wrong)
            where = f"{namespace or meta.get('namespace', '')}/{name}; {_gvk(resource)}"
            raise errors.internal(f"failed to create typed patch object ({where}): {said}")

    def _merged(
        self, resource: Resource, old: Object, config: Object, owners: ownership.Owners, write: Write, *, force: bool
    ) -> tuple[Object, ownership.Owners]:
        """What applying makes of an object, and who owns it then. Raises ApiError 409."""
        manager = write.manager
        try:
            merged, owned = ownership.apply(
                old,
                config,
                resource.type,
                owners,
                manager=manager,
                version=resource.api_version,
                time=self.clock(),
                subresource=write.subresource,
                force=force,
                reset=_reset(resource, write.subresource),
            )
        except ownership.Conflict as e:
            if manager == lastapplied.MANAGER and lastapplied.excuses(e, old, resource.type):
                return self._merged(resource, old, config, owners, write, force=True)
            raise errors.apply_conflict(e.message, e.causes) from None
        return (lastapplied.keep_in_step(merged, config) if manager == lastapplied.MANAGER else merged), owned

    def _converted(self, resource: Resource, merged: Object, namespace: str, name: str) -> Object:
        try:
            new = custom.decoded(merged, resource, []) if resource.custom else decode.typed(merged, resource.type)
        except decode.WrongType as e:
            where = f"{namespace}/{name}; {_gvk(resource)}"
            raise errors.internal(
                f"failed to convert new object ({where}) to proper version ({resource.api_version}): {e}"
            ) from None
        return _ordered(new)

    def _place(self, resource: Resource, namespace: str, meta: Object) -> None:
        """Settle the namespace of an object that is written at a path."""
        given = meta.get("namespace", "")
        if not resource.namespaced:
            if given:
                meta.pop("namespace")
            return
        if given and given != namespace:
            raise errors.bad_request(
                "the namespace of the provided object does not match the namespace sent on the request"
            )
        meta["namespace"] = namespace

    def _generated(self, resource: Resource, namespace: str, prefix: str) -> str:
        while True:
            name = prefix[:58] + "".join(secrets.choice(_SUFFIX) for _ in range(5))
            if not self.find(resource, namespace, name):
                return name

    def _prepare_new(self, resource: Resource, new: Object) -> None:
        meta = new["metadata"]
        for name in ("deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "resourceVersion", "generation"):
            meta.pop(name, None)
        meta["uid"] = str(uuid.uuid4())
        meta["creationTimestamp"] = self.clock()
        if resource.has_generation:
            meta["generation"] = 1
        if "status" in resource.subresources:
            new.pop("status", None)

    def _prepare_change(self, resource: Resource, live: Stored, new: Object, write: Write) -> None:
        """Check preconditions, and restore what this endpoint does not change."""
        old, meta = live.object, new["metadata"]
        current = old["metadata"]
        if meta.get("resourceVersion") not in (None, "", current["resourceVersion"]):
            raise errors.conflict(resource.plural, resource.group, current["name"], errors.STALE)
        if meta.get("uid") not in (None, "", current["uid"]):
            why = f"Precondition failed: UID in precondition: {meta['uid']}, UID in object meta: {current['uid']}"
            raise errors.conflict(resource.plural, resource.group, current["name"], why)
        metadata.keep(meta, current)
        if write.subresource in STATUS:
            status = new.get("status")
            kept = {k: v for k, v in old.items() if k not in ("metadata", "status")}
            new.clear()
            new.update({**kept, "metadata": {k: v for k, v in current.items() if k != "managedFields"}})
            if status is not None:
                new["status"] = status
            ordered = _ordered(new)
            new.clear()
            new.update(ordered)
        elif "status" in resource.subresources:
            if "status" in old:
                new["status"] = old["status"]
            else:
                new.pop("status", None)
        if resource.has_generation and "generation" in current:
            meta = new["metadata"]
            meta["generation"] = current["generation"]

    def _store_new(self, resource: Resource, new: Object, owned: ownership.Owners, write: Write) -> Object:
        meta = new["metadata"]
        admission.fill(self.allocator, resource, new, None)
        validation.check_new(resource, new)
        admission.check_create(self, resource, new)
        if write.guard:
            write.guard(new)
        meta["managedFields"] = ownership.encode(owned)
        if not meta["managedFields"]:
            del meta["managedFields"]
        if write.dry_run:
            return new
        return self.store.put(resource.storage, new).object

    def _store_change(
        self, resource: Resource, live: Stored, new: Object, owned: ownership.Owners, write: Write
    ) -> Object:
        old, meta = live.object, new["metadata"]
        admission.fill(self.allocator, resource, new, old)
        validation.check_change(resource, new, old)
        managed = ownership.encode(owned)
        before = old["metadata"].get("managedFields", [])
        if ownership.same_but_for_time(managed, before):
            managed = before
        meta.pop("managedFields", None)
        if managed:
            meta["managedFields"] = managed
        meta["resourceVersion"] = old["metadata"]["resourceVersion"]
        if new == old:
            return old
        if write.guard:
            write.guard(new)
        if resource.has_generation and _spec_changed(resource, new, old):
            meta["generation"] = old["metadata"].get("generation", 0) + 1
        if write.dry_run:
            return new
        if meta.get("deletionTimestamp") and not meta.get("finalizers") and resource.kind != "Namespace":
            gone = self.store.remove(resource.storage, meta.get("namespace", ""), meta["name"])
            return gone.object if gone else new
        return self.store.put(resource.storage, new).object

    # For controllers.

    def set_status(self, resource: Resource, live: Stored, status: Object, manager: str) -> Object:
        """Write an object's status as the controller that keeps it."""
        new = {**live.object, "metadata": dict(live.object["metadata"]), "status": status}
        return self.change(resource, live, new, Write(manager, subresource="status"))

    def edit(self, resource: Resource, live: Stored, edit: Callable[[Object], None], manager: str) -> Object:
        """Change an object in place as a controller would."""
        new = _edited(live.object)
        edit(new)
        return self.change(resource, live, new, Write(manager))


def _gvk(resource: Resource) -> str:
    return f"{resource.api_version}, Kind={resource.kind}"


def _ordered(obj: Object) -> Object:
    """kind and apiVersion first, as the server writes them; lists cut them off."""
    return {"kind": obj.get("kind"), "apiVersion": obj.get("apiVersion"), "metadata": obj.get("metadata") or {}, **{k: v for k, v in obj.items() if k != "metadata"}}


def _edited(obj: Object) -> Object:
    return copy.deepcopy(obj)


def _without_owners(obj: Object) -> Object:
    return {**obj, "metadata": {k: v for k, v in obj["metadata"].items() if k != "managedFields"}}


def _decoded_owners(entries: object) -> ownership.Owners:
    try:
        return ownership.decode(entries)
    except (ValueError, AttributeError):
        return {}


def _reset(resource: Resource, subresource: str) -> dict[str, object] | None:
    """Fields that an endpoint does not change, and that nobody can own through it."""
    if subresource in STATUS:
        return ownership.roots("spec") if not resource.custom else ownership.roots("spec", "metadata")
    return ownership.roots("status") if "status" in resource.subresources else None


def _spec_changed(resource: Resource, new: Object, old: Object) -> bool:
    ignored = ("metadata", "status") if "status" in resource.subresources else ("metadata",)
    return {k: v for k, v in new.items() if k not in ignored} != {k: v for k, v in old.items() if k not in ignored}


def _report_unknown(unknown: list[str], write: Write) -> None:
    if not unknown or write.validation == "Ignore":
        return
    said = [f'unknown field "{path}"' for path in unknown]
    if write.validation == "Strict":
        raise errors.bad_request(f"strict decoding error: {', '.join(said)}")
    write.warnings.extend(said)
