"""Walks over typed values: which fields they set, how two differ, what merging or removing fields gives.

The rules are those of the API server's structured merge: scalars and atomic values are leaves, structs and maps are
walked by key, associative lists by item. Pure; values passed in are never changed, results may share parts with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ghapp.sandbox.cluster.fields import (
    SELF,
    Fields,
    difference,
    field_element,
    intersection,
    is_member,
    key_element,
    union,
    value_element,
)
from ghapp.sandbox.cluster.types import ANYTHING, Anything, ListOf, MapOf, Opaque, Scalar, Struct, Type


class Absent:
    """Stands for a value that is not there, which is not the same as null."""

    __slots__ = ()


ABSENT = Absent()


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the right side of a comparison did to the left one. No field is in more than one of the three sets."""

    removed: Fields
    modified: Fields
    added: Fields


def child_type(type_: Type, key: str) -> Type | None:
    """The type of the value under ``key``, or None where the schema does not declare it."""
    if isinstance(type_, Struct):
        return type_.fields.get(key) or type_.others
    if isinstance(type_, MapOf):
        return type_.values
    return type_ if isinstance(type_, Anything) else None


def _is_leaf(type_: Type, value: Any) -> bool:
    """Whether a value is owned as a whole."""
    if isinstance(type_, Scalar | Opaque):
        return True
    if isinstance(type_, ListOf):
        return not type_.associative
    if isinstance(type_, MapOf | Struct):
        return type_.atomic
    return not isinstance(value, dict)


def item_element(type_: ListOf, item: Any) -> str:
    """The path element of an item of an associative list. Raises ValueError for items that have none."""
    if not type_.keys:
        if isinstance(item, dict):
            raise ValueError("associative list without keys has an element that's a map type")
        if isinstance(item, list):
            raise ValueError("not supported: associative list with lists as elements")
        if item is None:
            raise ValueError("associative list without keys has an element that's an explicit null")
        return value_element(item)
    if item is None:
        raise ValueError("associative list with keys may not have a null element")
    if not isinstance(item, dict):
        raise ValueError("associative list with keys may not have non-map elements")
    defaults = type_.items.key_defaults if isinstance(type_.items, Struct) else {}
    found = {}
    for key in type_.keys:
        if key in item:
            found[key] = item[key]
        elif key in defaults:
            found[key] = defaults[key]
    if not found:
        names = " ".join(f'"{k}"' for k in type_.keys)
        raise ValueError(
            f"associative list with keys has an element that omits all key fields [{names}] "
            "(and doesn't have default values for any key fields)"
        )
    return key_element(found)


def field_set(value: Any, type_: Type) -> Fields:
    """The fields that an applied configuration sets: its leaves, the items of its associative lists, and its empty or
    null maps."""
    result: Fields = {}
    if isinstance(value, dict):
        declared = type_.fields if isinstance(type_, Struct) else {}
        for key, item in value.items():
            kind = declared.get(key) or child_type(type_, key) or ANYTHING
            below = {} if _is_leaf(kind, item) else field_set(item, kind)
            leaf = _is_leaf(kind, item) or item is None or item == {}
            if leaf:
                result[field_element(key)] = {}
            elif key not in declared:
                result[field_element(key)] = {SELF: {}, **below} if below else {}
            elif below:
                result[field_element(key)] = below
    elif isinstance(value, list) and isinstance(type_, ListOf):
        elements = [item_element(type_, item) for item in value]
        for element, item in zip(elements, value, strict=True):
            repeated = element in result or elements.count(element) > 1
            below = {} if repeated or _is_leaf(type_.items, item) else field_set(item, type_.items)
            result[element] = {SELF: {}, **below} if below else {}
    return result


def compare(left: Any, right: Any, type_: Type) -> Comparison:
    """What changed from ``left`` to ``right``. Added and removed parents are listed along with their children."""
    removed: Fields = {}
    modified: Fields = {}
    added: Fields = {}
    _compare_maps(left, right, type_, removed, modified, added)
    return Comparison(removed, modified, added)


def _compare_maps(left: Any, right: Any, type_: Type, removed: Fields, modified: Fields, added: Fields) -> None:
    for key, ours in left.items():
        theirs = right.get(key, ABSENT)
        if ours is theirs or (ours == theirs and type(ours) is type(theirs)):
            continue
        kind = child_type(type_, key) or ANYTHING
        _compare_at(field_element(key), ours, theirs, kind, removed, modified, added)
    for key, theirs in right.items():
        if key not in left:
            kind = child_type(type_, key) or ANYTHING
            _compare_at(field_element(key), ABSENT, theirs, kind, removed, modified, added)


def _compare_at(
    element: str, left: Any, right: Any, type_: Type, removed: Fields, modified: Fields, added: Fields
) -> None:
    """Compare two values that stand at ``element``; one may be absent, not both."""
    if left is ABSENT or right is ABSENT:
        target, value = (added, right) if left is ABSENT else (removed, left)
        target[element] = _whole(value, type_)
        return
    empty = not left and not right and not isinstance(type_, Scalar)
    unlike = left is not None and right is not None and type(left) is not type(right)
    if empty or unlike or _is_leaf(type_, left) or _is_leaf(type_, right):
        if left != right or type(left) is not type(right):
            modified[element] = {}
        return
    below: tuple[Fields, Fields, Fields] = ({}, {}, {})
    if isinstance(type_, ListOf):
        _compare_lists(left or [], right or [], type_, *below)
    else:
        _compare_maps(left or {}, right or {}, type_, *below)
    for target, found in zip((removed, modified, added), below, strict=True):
        if found:
            target[element] = found


def _compare_lists(
    left: list[Any], right: list[Any], type_: ListOf, removed: Fields, modified: Fields, added: Fields
) -> None:
    ours, theirs = _by_element(left, type_), _by_element(right, type_)
    for element in {**ours, **theirs}:
        before, after = ours.get(element, []), theirs.get(element, [])
        if len(before) > 1 or len(after) > 1:
            # Duplicates are owned as a whole, since no path can tell them apart.
            if len(before) > 1 and len(after) > 1:
                if before != after:
                    modified[element] = {}
            elif len(before) > 1:
                removed[element] = {}
                if after:
                    added[element] = _whole(after[0], type_.items)
            else:
                added[element] = {}
                if before:
                    removed[element] = _whole(before[0], type_.items)
            continue
        old, new = (before or [ABSENT])[0], (after or [ABSENT])[0]
        if old != new or type(old) is not type(new):
            _compare_at(element, old, new, type_.items, removed, modified, added)


def _by_element(items: list[Any], type_: ListOf) -> dict[str, list[Any]]:
    result: dict[str, list[Any]] = {}
    for item in items:
        result.setdefault(item_element(type_, item), []).append(item)
    return result


def _whole(value: Any, type_: Type) -> Fields:
    """The node of a value that was added or removed with everything in it."""
    if not value or _is_leaf(type_, value):
        return {}
    below: Fields = {}
    if isinstance(value, dict):
        for key, item in value.items():
            below[field_element(key)] = _whole(item, child_type(type_, key) or ANYTHING)
    elif isinstance(type_, ListOf):
        for element, items in _by_element(value, type_).items():
            below[element] = {} if len(items) > 1 else _whole(items[0], type_.items)
    return {SELF: {}, **below}


def merge(live: Any, config: Any, type_: Type) -> Any:
    """``live`` with everything that ``config`` sets laid over it."""
    if config is ABSENT:
        return live
    empty = not live and not config and not isinstance(type_, Scalar)
    if live is ABSENT or empty or _is_leaf(type_, config) or _is_leaf(type_, live):
        return config
    if isinstance(type_, ListOf):
        return _merge_lists(live or [], config or [], type_)
    result = dict(live or {})
    for key, value in (config or {}).items():
        result[key] = merge(result.get(key, ABSENT), value, child_type(type_, key) or ANYTHING)
    return result


def _merge_lists(live: list[Any], config: list[Any], type_: ListOf) -> list[Any]:
    """Items of both: shared ones in the order of ``config``, the others where they stood."""
    theirs = {item_element(type_, item): item for item in config}
    elements = [item_element(type_, item) for item in live]
    ours: dict[str, Any] = {}
    for element, item in zip(elements, live, strict=True):
        ours[element] = ABSENT if element in ours else item
    wanted = list(theirs)
    shared = [element for element in wanted if element in ours]
    result: list[Any] = []
    done: set[str] = set()

    def take(element: str) -> None:
        done.add(element)
        result.append(merge(ours.get(element, ABSENT), theirs[element], type_.items))
        if shared and shared[0] == element:
            shared.pop(0)

    at_live = at_config = 0
    while at_live < len(elements) or at_config < len(wanted):
        if at_live < len(elements) and at_config < len(wanted):
            element = elements[at_live]
            if element == wanted[at_config]:
                take(element)
                at_live, at_config = at_live + 1, at_config + 1
                continue
            if element in theirs and shared and shared[0] != element:
                at_live += 1
                continue
        if at_live < len(elements):
            element = elements[at_live]
            if element not in theirs:
                result.append(live[at_live])
                at_live += 1
                continue
            if element in done:
                at_live += 1
        if at_config < len(wanted):
            take(wanted[at_config])
            at_config += 1
    return result


def remove(value: Any, fields: Fields, type_: Type) -> Any:
    """``value`` without the members of ``fields``. A container that loses all it had becomes null."""
    if _is_leaf(type_, value):
        return value if isinstance(type_, Scalar) or not isinstance(value, dict | list) else None
    if not value or not fields:
        return value or None
    if isinstance(type_, ListOf):
        kept: list[Any] = []
        for item in value:
            node = fields.get(item_element(type_, item))
            if node is None:
                kept.append(item)
            elif not is_member(node):
                kept.append(remove(item, node, type_.items))
        return kept or None
    result = {}
    for key, item in value.items():
        node = fields.get(field_element(key))
        if node is None:
            result[key] = item
        elif not is_member(node):
            result[key] = remove(item, node, child_type(type_, key) or ANYTHING)
    return result or None


def with_named_fields(fields: Fields, type_: Type | None) -> Fields:
    """``fields`` with every struct field on the way to a member made a member; map keys and list items are not."""
    result: Fields = {}
    for element, node in fields.items():
        if element == SELF:
            result[element] = node
            continue
        named, below_type = _descend(element, type_)
        below = with_named_fields(node, below_type) if node else node
        if named and below and SELF not in below:
            below = {SELF: {}, **below}
        result[element] = below
    return result


def _descend(element: str, type_: Type | None) -> tuple[bool, Type | None]:
    if element.startswith("f:"):
        name = element[2:]
        if isinstance(type_, Struct):
            declared = type_.fields.get(name)
            return declared is not None, declared or type_.others
        return False, child_type(type_, name) if type_ is not None else None
    return False, type_.items if isinstance(type_, ListOf) and type_.keys else None


def prune(merged: Any, last: Fields, owned: Fields, type_: Type) -> Any:
    """Drop from ``merged`` what the applier set last time (``last``) and nobody owns now (``owned``: everybody's
    fields, the applier's new ones among them)."""
    last = with_named_fields(last, type_)
    pruned = remove(merged, last, type_) or {}
    merged_set = with_named_fields(field_set(merged, type_), type_)
    pruned_set = with_named_fields(field_set(pruned, type_), type_)
    keep = union(pruned_set, with_named_fields(owned, type_))
    pruned = remove(merged, difference(merged_set, keep), type_) or {}
    # What was not the applier's, or is only owned by updates, comes back even if its container went.
    pruned_set = with_named_fields(field_set(pruned, type_), type_)
    gone = intersection(difference(merged_set, pruned_set), last)
    return remove(merged, gone, type_) or {}
