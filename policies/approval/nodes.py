"""The first YAML document of a text as nodes that still know their tags, quoting, aliases and lines.

Meaning is given to them by :mod:`shapes`. Depth is bounded here; what aliases may expand to is bounded there.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import yaml

from policies import yamltext
from policies.yamltext import Problem, Problems

MAX_DEPTH = 60  # the language itself needs fewer than thirty


class Kind(Enum):
    SCALAR = "a plain value"
    SEQUENCE = "a list"
    MAPPING = "a map"
    ALIAS = "an alias"


@dataclass(slots=True, eq=False)
class Node:
    """One node. ``children`` of a mapping are key, value, key, value…; ``target`` is what an alias stands for."""

    kind: Kind
    line: int
    text: str = ""
    tag: str = ""
    plain: bool = False
    children: list[Node] = field(default_factory=list)
    target: Node | None = None

    @property
    def null(self) -> bool:
        """Whether Go's decoder takes the node for "nothing here" before it looks at the wanted type."""
        if self.tag == "tag:yaml.org,2002:null":
            return True
        return (
            self.kind is Kind.SCALAR and not self.tag and (self.text in ("null", "~") or (not self.text and self.plain))
        )


@functools.lru_cache(maxsize=8)
def first_document(text: str, name: str) -> Node | None:
    """The root of the first document; ``None`` if there is none. Later documents are not even looked at.

    Remembered, for a text is asked twice: whether it points elsewhere, and what it says. Raises :class:`Problems`.
    """
    with yamltext.parsing(text, name) as loader:
        while (event := loader.get_event()) is not None:
            if type(event) is yaml.DocumentStartEvent:
                if event.version not in (None, (1, 1)):
                    message = "not YAML 1.1: policies are read by the rules of that version"
                    raise Problems([Problem(name, _line(event), message, "remove the %YAML line")])
                return _Composer(loader.get_event, name).compose(loader.get_event(), 0)
    return None


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


class _Composer:
    def __init__(self, next_event: Callable[[], Any], name: str) -> None:
        self.next_event = next_event
        self.name = name
        self.anchors: dict[str, Node] = {}

    def compose(self, event: Any, depth: int, flow: bool = False) -> Node:
        line = event.start_mark.line + 1
        kind = type(event)
        if kind is yaml.ScalarEvent:
            if flow and "?" in event.value and not event.style:
                # The older scanner under policy-bot takes it for the beginning of a key.
                message = f"the `?` of `{event.value[:40]}` means something else inside [ ] and {{ }}"
                raise Problems([Problem(self.name, line, message, "put the value in quotes")])
            node = Node(Kind.SCALAR, line, event.value, event.tag or "", event.implicit[0])
        elif depth > MAX_DEPTH:
            raise Problems([Problem(self.name, line, f"nested more than {MAX_DEPTH} levels deep")])
        elif kind is yaml.AliasEvent:
            target = self.anchors.get(event.anchor)
            if target is None:
                raise Problems([Problem(self.name, line, f"the alias *{event.anchor} has no anchor before it")])
            return Node(Kind.ALIAS, line, text=event.anchor, target=target)
        else:
            node = Node(Kind.SEQUENCE if kind is yaml.SequenceStartEvent else Kind.MAPPING, line, tag=event.tag or "")
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        if kind is not yaml.ScalarEvent:
            end = yaml.SequenceEndEvent if kind is yaml.SequenceStartEvent else yaml.MappingEndEvent
            flow = bool(event.flow_style)
            while type(event := self.next_event()) is not end:
                node.children.append(self.compose(event, depth + 1, flow))
        return node
