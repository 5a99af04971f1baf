"""Who owns which field: managedFields entries, read and rewritten. Pure functions over the API's own JSON.

A field set is ``fieldsV1``: ``f:name`` a map's key, ``k:{…}`` a list item by its keys, ``v:…`` a set's member,
``.`` the item itself, ``{}`` a leaf.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from ghapp.agent import names

Entry = dict[str, Any]
Fields = dict[str, Any]

# kubectl's managers whose fields become ours: what a person changed by hand is not meant to stay. A rollout restart
# is an operation, not a change of what is wanted, and stays.
_STRAYS = ("kubectl", "before-first-apply")
_OPERATIONS = ("kubectl-rollout",)


def ours(managed: Iterable[Entry]) -> Entry | None:
    """Our own entry: what we applied."""
    return next((e for e in managed if _is_ours(e)), None)


def strays(managed: Iterable[Entry]) -> list[Entry]:
    """Entries of kubectl's (or of a client that wrote under our name without applying) that must become ours."""
    return [e for e in managed if _is_stray(e)]


def _is_ours(entry: Entry) -> bool:
    same = entry.get("manager") == names.FIELD_MANAGER and entry.get("operation") == "Apply"
    return same and not entry.get("subresource")


def _is_stray(entry: Entry) -> bool:
    manager = str(entry.get("manager"))
    if entry.get("subresource") or _is_ours(entry) or manager in _OPERATIONS:
        return False
    return manager.startswith(_STRAYS) or manager == names.FIELD_MANAGER


def fingerprint(managed: Sequence[Entry]) -> str:
    """What moves when someone takes a field of ours, or kubectl adds one: our entry and the strays, hashed."""
    told = [e for e in managed if _is_ours(e) or _is_stray(e)]
    return hashlib.sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16] if told else ""


def union(a: Fields, b: Fields) -> Fields:
    """All fields of both sets."""
    result = dict(a)
    for key, below in b.items():
        result[key] = union(result[key], below) if key in result else below
    return result


def adopted(managed: Sequence[Entry], api_version: str, keep: Sequence[str] = ()) -> list[Entry]:
    """The entries after the strays' fields became ours, except for those at the JSON pointers in ``keep``.

    Returns ``managed`` unchanged (the same list contents) where there is nothing to take over.
    """
    own = ours(managed)
    taken: Fields = dict(own.get("fieldsV1") or {}) if own else {}
    rest: list[Entry] = []
    for entry in managed:
        if entry is own:
            continue
        if not _is_stray(entry):
            rest.append(entry)
            continue
        mine, left = _split(entry.get("fieldsV1") or {}, keep)
        taken = union(taken, {k: v for k, v in mine.items() if k != "f:status"})
        if left:
            rest.append({**entry, "fieldsV1": left})
    base = own or {"apiVersion": api_version, "time": strays(managed)[0].get("time") if strays(managed) else None}
    entry = {**base, "manager": names.FIELD_MANAGER, "operation": "Apply", "fieldsType": "FieldsV1", "fieldsV1": taken}
    return [{k: v for k, v in entry.items() if v is not None}, *rest]


def _split(fields: Fields, pointers: Sequence[str]) -> tuple[Fields, Fields]:
    """The set without what is at the pointers, and what is there."""
    mine, left = copy.deepcopy(fields), dict[str, Any]()
    for pointer in pointers:
        path = [f"f:{token}" for token in tokens(pointer)]
        at: Any = mine
        for step in path[:-1]:
            at = at.get(step) if isinstance(at, dict) else None
        if path and isinstance(at, dict) and path[-1] in at:
            piece: Fields = at.pop(path[-1])
            for step in reversed(path):
                piece = {step: piece}
            left = union(left, piece)
    return mine, left


def owns(fields: Fields, pointer: str) -> bool:
    """Whether the set holds the field at a JSON pointer, or anything below it."""
    at: Any = fields
    for token in tokens(pointer):
        at = at.get(f"f:{token}") if isinstance(at, dict) else None
        if at is None:
            return False
    return True


def owners(managed: Iterable[Entry], path: Sequence[str | int]) -> list[str]:
    """The managers, other than us, that own the field at a path (map keys and list indices) or anything above it.

    List items are not told apart: whoever owns something in the list is named.
    """
    found = []
    for entry in managed:
        if _is_ours(entry):
            continue
        at: Any = entry.get("fieldsV1") or {}
        for step in path:
            if isinstance(step, int) or not at:
                break
            at = at.get(f"f:{step}")
        if at is not None and (at != {} or path):
            found.append(str(entry.get("manager")))
    return sorted(set(found))


# --- JSON pointers ---------------------------------------------------------------------------------


def tokens(pointer: str) -> list[str]:
    """``/spec/a~1b`` → ``["spec", "a/b"]`` (RFC 6901)."""
    return [t.replace("~1", "/").replace("~0", "~") for t in pointer.split("/")[1:]]


MISSING: Any = object()


def at_pointer(value: Any, pointer: str) -> Any:
    """What is at a pointer, or :data:`MISSING`."""
    for token in tokens(pointer):
        if isinstance(value, dict) and token in value:
            value = value[token]
        elif isinstance(value, list) and token.isdigit() and int(token) < len(value):
            value = value[int(token)]
        else:
            return MISSING
    return value


def put(value: Any, pointer: str, new: Any) -> None:
    """Write at a pointer, in place, making maps on the way; :data:`MISSING` removes. A broken way changes nothing."""
    *way, last = tokens(pointer)
    for token in way:
        if isinstance(value, dict):
            if token not in value and new is MISSING:
                return
            value = value.setdefault(token, {})
        elif isinstance(value, list) and token.isdigit() and int(token) < len(value):
            value = value[int(token)]
        else:
            return
    if isinstance(value, dict):
        if new is MISSING:
            value.pop(last, None)
        else:
            value[last] = new
    elif isinstance(value, list) and last.isdigit() and int(last) < len(value):
        if new is MISSING:
            del value[int(last)]
        else:
            value[int(last)] = new
