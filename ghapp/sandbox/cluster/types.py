"""The shapes that values of the Kubernetes API have, as server-side apply sees them.

Four node types are enough: scalars, lists, maps, and structs (maps whose keys are declared). A list is atomic, a set,
or a map keyed by some of its items' fields. Pure data; nothing here looks at an object.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Object = dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Scalar:
    """A leaf. ``kind``: string, integer, number, boolean, int-or-string, quantity, time, bytes."""

    kind: str


@dataclass(frozen=True, slots=True, eq=False)
class ListOf:
    """A list of ``items``; ``associative`` without ``keys`` is a set, with ``keys`` a map, otherwise it is atomic."""

    items: Type
    associative: bool = False
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class MapOf:
    """A map with free keys."""

    values: Type
    atomic: bool = False


@dataclass(slots=True, eq=False)
class Struct:
    """A map with declared keys, loaded when first looked at: types of the API refer to each other and to themselves.

    ``always`` names the fields that the API server writes as ``{}`` even when nobody set them; ``zeros`` those that it
    leaves out when they are ``""``, ``0`` or ``false``; ``others``, where given, is the type of undeclared keys.
    """

    name: str
    load: Callable[[], Mapping[str, Type]]
    atomic: bool = False
    always: tuple[str, ...] = ()
    zeros: frozenset[str] = frozenset()
    key_defaults: Mapping[str, Any] = field(default_factory=dict)
    others: Type | None = None
    preserve: bool = False
    _fields: Mapping[str, Type] | None = None

    @property
    def fields(self) -> Mapping[str, Type]:
        if self._fields is None:
            self._fields = self.load()
        return self._fields


@dataclass(frozen=True, slots=True, eq=False)
class Anything:
    """No declared shape: scalars and lists are leaves, maps are walked."""


@dataclass(frozen=True, slots=True, eq=False)
class Opaque:
    """No declared shape, and never looked into: one leaf, whatever it holds."""


Type = Scalar | ListOf | MapOf | Struct | Anything | Opaque

STRING = Scalar("string")
INTEGER = Scalar("integer")
NUMBER = Scalar("number")
BOOLEAN = Scalar("boolean")
INT_OR_STRING = Scalar("int-or-string")
QUANTITY = Scalar("quantity")
TIME = Scalar("time")
BYTES = Scalar("bytes")
ANYTHING = Anything()
OPAQUE = Opaque()
