"""The shapes a policy file is made of, each able to read itself from YAML nodes and to publish its JSON Schema.

The reading follows the Go library under policy-bot (yaml.v2, strict): which nulls empty a field and which are refused,
what a merge key does to a half-filled map, which scalars are booleans, numbers or text. Everything wrong is collected
with its line and key; nothing is guessed.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from policies.approval import patterns, scalars
from policies.approval.nodes import Kind, Node
from policies.yamltext import Problem, Problems

Schema = dict[str, Any]


class Shape(Protocol):
    """What a value has to look like. ``zero`` is what an emptied field holds; ``current`` what a merge left there."""

    def zero(self) -> Any: ...

    def read(self, reader: Reader, node: Node, current: Any) -> Any: ...

    def schema(self) -> Schema: ...


class Reader:
    """Reads nodes into shapes; :attr:`problems` is everything that was wrong on the way."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.problems: list[Problem] = []
        self._keys: list[str] = []
        self._open: set[int] = set()
        self._reads = self._alias_reads = 0

    def refuse(self, node: Node, message: str, fix: str = "") -> None:
        where = "".join(self._keys).removeprefix(".")
        self.problems.append(Problem(self.name, node.line, f"`{where}`: {message}" if where else message, fix))

    def stop(self, node: Node, message: str, fix: str = "") -> Problems:
        self.refuse(node, message, fix)
        return Problems(self.problems)

    def read_at(self, key: str, node: Node, shape: Shape, current: Any = None) -> Any:
        """As :meth:`read`; ``key`` is what messages add to the place."""
        self._keys.append(key)
        value = self.read(node, shape, current)
        self._keys.pop()  # what stops the reading altogether needs no place any more
        return value

    def read(self, node: Node, shape: Shape, current: Any = None) -> Any:
        self._reads += 1
        self._alias_reads += bool(self._open)
        if self._alias_reads > 100 and self._reads > 1000 and self._alias_reads / self._reads > _allowed(self._reads):
            raise self.stop(node, "aliases that expand to far more than is written", "write the values out")
        if node.kind is not Kind.ALIAS:
            return shape.read(self, node, current)
        if id(node) in self._open or node.target is None:
            raise self.stop(node, f"the anchor &{node.text} contains itself", "write the value out")
        self._open.add(id(node))
        try:
            return self.read(node.target, shape, current)
        finally:
            self._open.discard(id(node))

    def scalar(self, node: Node) -> scalars.Value:
        """The value of a scalar node; a contradiction between tag and text is refused and read as its text."""
        if not node.tag and not node.plain:
            return node.text
        try:
            return scalars.resolve(node.tag, node.text)
        except scalars.Unreadable as e:
            self.refuse(node, str(e))
            return node.text


def _allowed(reads: int) -> float:
    """The share of reads that aliases may cause: 99 % of a small document, 10 % of a huge one."""
    return min(0.99, max(0.10, 0.99 - 0.89 * (reads - 400_000) / 3_600_000))


def _expected(reader: Reader, node: Node, wanted: str) -> None:
    what = f"`{node.text[:40]}`" if node.kind is Kind.SCALAR else node.kind.value
    reader.refuse(node, f"expected {wanted}, found {what}")


@dataclass(frozen=True)
class Text:
    """A string; numbers, booleans and dates are taken as they are written."""

    about: str = ""
    choices: tuple[str, ...] = ()

    def zero(self) -> str:
        return ""

    def read(self, reader: Reader, node: Node, current: Any) -> str:
        if node.kind is not Kind.SCALAR:
            _expected(reader, node, "text")
            return ""
        value = reader.scalar(node)
        if value is None:
            return ""
        return value if isinstance(value, str) else node.text

    def schema(self) -> Schema:
        return _described({"type": "string"} | ({"enum": list(self.choices)} if self.choices else {}), self.about)


@dataclass(frozen=True)
class Flag:
    """A boolean; ``yes``, ``on`` and ``y`` are too."""

    about: str = ""

    def zero(self) -> bool:
        return False

    def read(self, reader: Reader, node: Node, current: Any) -> bool:
        value = reader.scalar(node) if node.kind is Kind.SCALAR else ""
        if value is None:
            return False
        if not isinstance(value, bool):
            _expected(reader, node, "true or false")
            return False
        return value

    def schema(self) -> Schema:
        return _described({"type": "boolean"}, self.about)


@dataclass(frozen=True)
class Whole:
    """A whole number of at most 63 bits; ``1.9`` reads as 1, as it does in Go."""

    about: str = ""

    def zero(self) -> int:
        return 0

    def read(self, reader: Reader, node: Node, current: Any) -> int:
        value = reader.scalar(node) if node.kind is Kind.SCALAR else ""
        if value is None:
            return 0
        if isinstance(value, bool | str) or not math.isfinite(value) or not -(2**63) <= value < 2**63:
            # Go turns minus infinity into a negative count, which requires nothing; that is refused here.
            _expected(reader, node, "a whole number")
            return 0
        return int(value)

    def schema(self) -> Schema:
        return _described({"type": "integer"}, self.about)


@dataclass(frozen=True)
class Expression:
    """A regular expression of Go's dialect; ``None`` when left empty, which matches nothing."""

    about: str = ""

    def zero(self) -> None:
        return None

    def read(self, reader: Reader, node: Node, current: Any) -> patterns.Pattern | None:
        if node.null:
            if node.kind is Kind.SCALAR and reader.scalar(node) is not None:
                reader.refuse(node, f'the quoted pattern "{node.text}" cannot be read', f"write it as ({node.text})")
            return None
        text = Text().read(reader, node, None)
        try:
            return patterns.compile(text)
        except patterns.BadPattern as e:
            reader.refuse(node, f"`{text[:80]}` is not a regular expression that Go accepts: {e}", e.fix)
            return None

    def schema(self) -> Schema:
        return _described({"type": "string", "format": "go-regexp"}, self.about)


@dataclass(frozen=True)
class Parsed:
    """Text with a grammar of its own; ``parse`` raises ValueError with a reason."""

    parse: Callable[[str], Any]
    empty: Any
    shown: Schema

    def zero(self) -> Any:
        return self.empty

    def read(self, reader: Reader, node: Node, current: Any) -> Any:
        if node.kind is not Kind.SCALAR:
            _expected(reader, node, "text")
            return self.empty
        value = reader.scalar(node)
        if value is None:
            return self.empty
        try:
            return self.parse(value if node.tag == scalars.BINARY and isinstance(value, str) else node.text)
        except ValueError as e:
            reader.refuse(node, str(e))
            return self.empty

    def schema(self) -> Schema:
        return dict(self.shown)


@dataclass(frozen=True)
class ListOf:
    item: Shape
    about: str = ""

    def zero(self) -> None:
        return None

    def read(self, reader: Reader, node: Node, current: Any) -> list[Any] | None:
        if node.kind is Kind.SEQUENCE:
            return [reader.read_at(f"[{i}]", child, self.item) for i, child in enumerate(node.children)]
        if node.kind is Kind.SCALAR and reader.scalar(node) is None:
            return None
        _expected(reader, node, "a list")
        return None

    def schema(self) -> Schema:
        return _described({"type": ["array", "null"], "items": self.item.schema()}, self.about)


@dataclass(frozen=True)
class Optional:
    """A field that may be absent, which is not the same as empty; ``~``, ``null`` and nothing make it absent."""

    shape: Shape

    def zero(self) -> None:
        return None

    def read(self, reader: Reader, node: Node, current: Any) -> Any:
        if not node.null:
            value = self.shape.read(reader, node, current)
            return () if value is None else value  # `Null` is a list without items, and not absent
        if node.kind is Kind.SCALAR and (text := reader.scalar(node)) is None:
            return None
        if node.kind is Kind.SCALAR and isinstance(self.shape, Text):
            return text
        _expected(reader, node, "something else")
        return None

    def schema(self) -> Schema:
        schema = self.shape.schema()
        kind = schema.get("type")
        return schema | {"type": [kind, "null"]} if isinstance(kind, str) else schema


@dataclass(frozen=True)
class Record:
    """A map with known keys. Reads into a plain dict of the keys that were given."""

    fields: Mapping[str, Shape]
    about: str = ""
    required: tuple[str, ...] = ()

    def zero(self) -> dict[str, Any]:
        return {}

    def read(self, reader: Reader, node: Node, current: Any) -> dict[str, Any]:
        if node.kind is Kind.SCALAR and reader.scalar(node) is None:
            return {}
        values: dict[str, Any] = {} if current is None else current
        if node.kind is not Kind.MAPPING:
            _expected(reader, node, "a map")
            return values
        seen: set[str] = set()
        for key, child in _pairs(node):
            if _is_merge(key):
                for source in _merged(reader, child):
                    reader.read(source, self, values)
                continue
            name = reader.read(key, Text())
            shape = self.fields.get(name)
            if shape is None:
                reader.refuse(key, f"unknown key `{name}`", _suggestion(name, self.fields))
            elif name in seen:
                reader.refuse(key, f"the key `{name}` is written twice", "remove one of them")
            else:
                seen.add(name)
                values[name] = reader.read_at(f".{name}", child, shape, values.get(name))
        return values

    def schema(self) -> Schema:
        schema: Schema = {
            "type": "object",
            "properties": {name: shape.schema() for name, shape in self.fields.items()},
            "additionalProperties": False,
        }
        return _described(schema | ({"required": list(self.required)} if self.required else {}), self.about)


@dataclass(frozen=True, slots=True)
class Given:
    """A value of :class:`Loose`, with the node it stood at."""

    value: Any
    node: Node


@dataclass(frozen=True)
class Loose:
    """Anything at all; lists hold :class:`Given`, maps have whatever keys they have. A closer look comes later."""

    shown: Schema

    def zero(self) -> Given | None:
        return None

    def read(self, reader: Reader, node: Node, current: Any) -> Given:
        if node.kind is Kind.SCALAR:
            return Given(reader.scalar(node), node)
        if node.kind is Kind.SEQUENCE:
            return Given([reader.read(child, self) for child in node.children], node)
        values: dict[Any, Given] = current.value if current is not None else {}
        for key, child in _pairs(node):
            if _is_merge(key):
                for source in _merged(reader, child):
                    reader.read(source, self, Given(values, node))
                continue
            name = reader.read(key, self).value
            if isinstance(name, list | dict):
                raise reader.stop(key, "a key that is a list or a map", "use plain text as the key")
            given = reader.read(child, self)
            if name in values:
                reader.refuse(key, f"the key `{name}` is written twice", "remove one of them")
            else:
                values[name] = given
        return Given(values, node)

    def schema(self) -> Schema:
        return dict(self.shown)


def _pairs(node: Node) -> Iterable[tuple[Node, Node]]:
    return zip(node.children[::2], node.children[1::2], strict=True)


def _is_merge(key: Node) -> bool:
    return key.kind is Kind.SCALAR and key.text == "<<" and (key.plain or key.tag == scalars.MERGE)


def _merged(reader: Reader, node: Node) -> Iterable[Node]:
    """The maps that a merge key names, the one that wins last."""
    sources = list(reversed(node.children)) if node.kind is Kind.SEQUENCE else [node]
    for source in sources:
        target = source.target if source.kind is Kind.ALIAS else source
        if target is None or target.kind is not Kind.MAPPING:
            raise reader.stop(source, "`<<` merges a map, or a list of maps, and nothing else")
    return sources


def _suggestion(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean `{close[0]}`?" if close else "known here: " + ", ".join(known)


def _described(schema: Schema, about: str) -> Schema:
    return schema | {"description": about} if about else schema
