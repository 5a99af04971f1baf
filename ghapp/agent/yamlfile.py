"""YAML and JSON files as kubectl reads them, quickly: the YAML 1.1 scalars of Go's parser, several documents.

Policies and configuration are read by ``policies.yamltext``, in YAML 1.2 with lines; manifests must mean what they mean
to kubectl (``0644`` is octal, ``yes`` is true). Refuses duplicate keys, deep nesting and aliases that blow up; parses
by events, since the C parser's own composer overflows its stack on deep input.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import yaml

# libyaml where the wheel carries it; the pure loader gives the same events, slower.
_Parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

MAX_DEPTH = 100
MAX_BYTES = 64 * 2**20
MAX_EXPANDED = 200_000  # values that aliases may add to a file


class Unreadable(ValueError):
    """A file that is not what it should be; the message says where and why."""


def load(raw: bytes, name: str) -> list[Any]:
    """The documents of a file in order, empty ones left out. ``name`` decides: ``.json`` is JSON, all else YAML.

    Raises :class:`Unreadable`.
    """
    if len(raw) > MAX_BYTES:
        raise Unreadable(f"{name} is larger than {MAX_BYTES // 2**20} MiB; split it")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        line = raw[: e.start].count(b"\n") + 1
        raise Unreadable(f"{name}:{line}: not UTF-8 text; save the file as UTF-8") from None
    try:
        documents = [_json(text)] if name.endswith(".json") else list(_Documents(text, name))
    except yaml.MarkedYAMLError as e:
        mark = e.problem_mark or e.context_mark
        where = f"{name}:{mark.line + 1}" if mark else name
        raise Unreadable(f"{where}: not YAML: {e.problem or e.context}") from None
    except RecursionError:
        raise Unreadable(f"{name}: nested too deeply") from None
    except (yaml.YAMLError, ValueError) as e:
        said = str(e)
        raise Unreadable(said if said.startswith(name) else f"{name}: {said}") from None
    return [d for d in documents if d is not None]


def _json(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_pairs, parse_constant=_no_constant)


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        twice = next(k for k, _ in pairs if k in seen or seen.add(k))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {twice!r} is written twice; remove one of them")
    return result


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


class _Documents:
    """The documents of one YAML text."""

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        self.next: Callable[[], Any] = _Parser(text).get_event
        self.anchors: dict[str, tuple[Any, int]] = {}
        self.expanded = 0
        self.count = 0

    def __iter__(self) -> Iterator[Any]:
        while (event := self.next()) is not None:
            kind = type(event)
            if kind is yaml.DocumentStartEvent:
                self.anchors = {}
                yield self.value(self.next(), 0)
            elif kind is yaml.StreamEndEvent:
                return

    def refuse(self, event: Any, message: str) -> Unreadable:
        return Unreadable(f"{self.name}:{event.start_mark.line + 1}: {message}")

    def value(self, event: Any, depth: int) -> Any:
        self.count += 1
        kind = type(event)
        if kind is yaml.ScalarEvent:
            value = self.scalar(event)
            if event.anchor:
                self.anchors[event.anchor] = (value, 1)
            return value
        if kind is yaml.AliasEvent:
            return self.alias(event)
        if depth > MAX_DEPTH:
            raise self.refuse(event, f"nested more than {MAX_DEPTH} levels deep")
        before = self.count
        value = self.sequence(depth) if kind is yaml.SequenceStartEvent else self.mapping(depth)
        if event.anchor:
            self.anchors[event.anchor] = (value, self.count - before + 1)
        return value

    def alias(self, event: Any) -> Any:
        if event.anchor not in self.anchors:
            raise self.refuse(event, f"the alias *{event.anchor} names nothing that is complete before it")
        value, size = self.anchors[event.anchor]
        self.expanded += size
        self.count += size
        if self.expanded > MAX_EXPANDED:
            raise self.refuse(event, f"aliases make more than {MAX_EXPANDED} values of this file; write them out")
        return value

    def sequence(self, depth: int) -> list[Any]:
        items: list[Any] = []
        while type(event := self.next()) is not yaml.SequenceEndEvent:
            items.append(self.value(event, depth + 1))
        return items

    def mapping(self, depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        merged: list[Any] = []
        while type(event := self.next()) is not yaml.MappingEndEvent:
            if type(event) is not yaml.ScalarEvent:
                raise self.refuse(event, "a key that is not a plain string")
            key = event.value
            if key == "<<" and not event.style:
                merged.append(self.value(self.next(), depth + 1))
                continue
            if key in result:
                raise self.refuse(event, f"the key {key!r} is written twice; remove one of them")
            result[key] = self.value(self.next(), depth + 1)
        for source in merged:
            for one in source if isinstance(source, list) else [source]:
                if not isinstance(one, dict):
                    raise Unreadable(f"{self.name}: << must name a map, or a list of maps")
                result = {**one, **result}
        return result

    def scalar(self, event: Any) -> Any:
        text: str = event.value
        tag: str | None = event.tag
        if tag is not None and tag != "!":
            return self.tagged(event, tag)
        # A plain scalar has no style (the C parser says "", the other one None).
        return text if event.style or tag == "!" else _plain(text)

    def tagged(self, event: Any, tag: str) -> Any:
        short = tag.removeprefix("tag:yaml.org,2002:")
        if short in ("str", "binary", "timestamp"):
            return event.value
        value = _plain(event.value)
        if short == "float" and isinstance(value, int):
            return float(value)
        if short in ("int", "float", "bool", "null") and type(value).__name__.removesuffix("Type") in (short, "None"):
            return value
        raise self.refuse(event, f"the tag {tag} is not one that Kubernetes understands here")


# As gopkg.in/yaml.v2 resolves plain scalars (its resolve.go), which kubectl uses; but for a lone y or n, which it makes
# booleans and which most writers of YAML leave unquoted when they mean the letter.
_CONSTANTS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
}
_INT = re.compile(r"[-+]?(0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_FIRST = frozenset("+-.0123456789")


def _plain(text: str) -> Any:
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] not in _FIRST:
        return text
    if _INT.match(text) and len(text) < 40:
        return _integer(text.replace("_", ""))
    if _FLOAT.match(text) and len(text) < 40:
        return float(text)
    return text


def _integer(text: str) -> int | float | str:
    sign, digits = (-1 if text[0] == "-" else 1), text.lstrip("+-")
    if digits[:2] in ("0b", "0x", "0o"):
        base = {"b": 2, "x": 16, "o": 8}[digits[1]]
        return sign * int(digits[2:], base) if digits[2:] else text
    octal = len(digits) > 1 and digits[0] == "0" and set(digits) <= set("01234567")
    number = sign * int(digits, 8 if octal else 10)
    return number if -(2**63) <= number < 2**64 else float(digits) * sign
