"""Sets of field paths, kept in the very shape in which ``managedFields`` writes them (fieldsV1).

A set is a nested dict: keys are path elements (``f:name``, ``k:{…}``, ``v:…``), ``{}`` is a member without members
below it, and ``"."`` marks a member that has some. Operations are pure and never change their arguments.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

Fields = dict[str, Any]
Path = tuple[str, ...]

SELF = "."


def is_member(node: Fields | None) -> bool:
    """Whether a node of a set is itself in the set, rather than only on the way to members."""
    return node is not None and (not node or SELF in node)


def from_paths(paths: Iterable[Path]) -> Fields:
    """The set of ``paths``; each is a tuple of path elements."""
    result: Fields = {}
    for path in paths:
        result = union(result, _single(path))
    return result


def _single(path: Path) -> Fields:
    node: Fields = {}
    for element in reversed(path):
        node = {element: node}
    return node


def paths(fields: Fields, prefix: Path = ()) -> Iterator[Path]:
    """Every member, parents before children, siblings in order."""
    for element in sorted(k for k in fields if k != SELF):
        node = fields[element]
        here = (*prefix, element)
        if is_member(node):
            yield here
        yield from paths(node, here)


def has(fields: Fields, path: Path) -> bool:
    """Whether exactly ``path`` is a member."""
    node: Fields | None = fields
    for element in path:
        if node is None:
            return False
        node = node.get(element)
    return is_member(node)


def union(a: Fields, b: Fields) -> Fields:
    """Members of either. Both are roots, or both nodes whose membership the caller settles."""
    if not a:
        return b
    if not b:
        return a
    result = dict(a)
    for element, theirs in b.items():
        ours = result.get(element)
        result[element] = theirs if ours is None else _join(ours, theirs)
    return result


def _join(a: Fields, b: Fields) -> Fields:
    if not a and not b:
        return a
    joined = union(a, b)
    if is_member(a) or is_member(b):
        return joined if SELF in joined else {SELF: {}, **joined}
    return joined


def difference(a: Fields, b: Fields) -> Fields:
    """Members of ``a`` that are not members of ``b``; a parent's membership says nothing about its children."""
    if not b:
        return a
    result: Fields = {}
    for element, ours in a.items():
        if element == SELF:
            continue
        theirs = b.get(element)
        if theirs is None:
            result[element] = ours
            continue
        below = difference(ours, theirs) if ours else ours
        below = {k: v for k, v in below.items() if k != SELF}
        if is_member(ours) and not is_member(theirs):
            result[element] = {SELF: {}, **below} if below else {}
        elif below:
            result[element] = below
    return result


def intersection(a: Fields, b: Fields) -> Fields:
    """Members of both."""
    result: Fields = {}
    for element, ours in a.items():
        theirs = b.get(element)
        if element == SELF or theirs is None:
            continue
        below = intersection(ours, theirs) if ours and theirs else {}
        if is_member(ours) and is_member(theirs):
            result[element] = {SELF: {}, **below} if below else {}
        elif below:
            result[element] = below
    return result


def without_subtrees(fields: Fields, roots: Fields) -> Fields:
    """Members of ``fields`` that are neither members of ``roots`` nor below one."""
    result: Fields = {}
    for element, node in fields.items():
        cut = roots.get(element)
        if cut is None:
            result[element] = node
        elif not is_member(cut) and (not node or (left := without_subtrees(node, cut))):
            result[element] = left if node else node
    return result


def field_element(name: str) -> str:
    return "f:" + name


def key_element(keys: dict[str, Any]) -> str:
    """The element of a list item that is known by some of its fields."""
    return "k:" + orjson.dumps(keys, option=orjson.OPT_SORT_KEYS).decode()


def value_element(value: Any) -> str:
    """The element of a set's item."""
    return "v:" + orjson.dumps(value).decode()


def dotted(path: Path) -> str:
    """A path as the API server prints it: ``.spec.containers[name="web"].image``."""
    return "".join(map(_printed, path))


def _printed(element: str) -> str:
    kind, _, rest = element.partition(":")
    if kind == "f":
        return "." + rest
    if kind == "k":
        items = orjson.loads(rest).items()
        return "[" + ",".join(f"{k}={orjson.dumps(v).decode()}" for k, v in items) + "]"
    return f"[={rest}]" if kind == "v" else f"[{rest}]"
