"""The few shapes that travel through a reconcile: which object, what it should be, what it is, what went wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ghapp.agent.kube.kinds import Kind


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """Which object: independent of the version it is written in. ``namespace`` is empty for cluster-scoped ones."""

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Desired:
    """An object as the branch wants it: ``body`` is what is sent, ``digest`` stands for it.

    ``source`` is the file it came from. The rest is what its annotations ask for.
    """

    key: Key
    kind: Kind
    app: str
    body: bytes = field(repr=False)
    digest: str
    source: str = ""
    wave: int = 0
    once: bool = False
    recreate: bool = False
    expires: bool = False  # a Job that its TTL removes: gone is not drift
    ignore: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        return self.kind.path(self.key.namespace, self.key.name)

    def record(self, *, version: str = "", fingerprint: str = "") -> Record:
        """What to remember of it; without a version, that it may exist."""
        return Record(self.key, self.kind.api_version, self.app, self.digest, version, fingerprint)


@dataclass(frozen=True, slots=True)
class Record:
    """What the inventory remembers of a member: the digest we applied, and the live object right after.

    ``fingerprint`` stands for our (and kubectl's) ownership on the live object: it moves when someone takes a field.
    Empty strings mean that nothing is known yet.
    """

    key: Key
    api_version: str
    app: str
    digest: str = ""
    version: str = ""
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Live:
    """A member as the cluster has it. ``object`` is the whole of it where the listing gave that, else its metadata."""

    key: Key
    kind: Kind
    uid: str
    version: str
    app: str
    terminating: bool
    managed: list[dict[str, Any]] = field(repr=False)
    object: dict[str, Any] = field(repr=False)
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that went wrong, for a person: with which object (empty: with the environment), and what."""

    object: str
    message: str

    def as_json(self) -> dict[str, str]:
        return {"object": self.object, "message": self.message}


@dataclass(frozen=True, slots=True)
class Drift:
    """Fields of a member that someone changed, and the managers that did it."""

    object: str
    fields: tuple[str, ...]
    managers: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        return {"object": self.object, "fields": list(self.fields), "managers": list(self.managers)}


def key_of(obj: dict[str, Any], kind: Kind) -> Key:
    """The key of an object that the API server sent."""
    meta = obj.get("metadata") or {}
    return Key(kind.group, kind.name, meta.get("namespace") or "", meta.get("name") or "")
