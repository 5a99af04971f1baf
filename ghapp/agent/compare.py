"""Is the live object what the branch wants, in the fields that we own? Decided from values and ownership alone.

Defaults that the API server adds do not count; quantities, empty and null values are equal to what they are stored as.
In doubt the answer is a difference: applying what is already there changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson

from ghapp.agent import fields

Path = tuple[str | int, ...]

_IDENTITY = {("apiVersion",), ("kind",), ("metadata", "name"), ("metadata", "namespace")}
_ABSENT: Any = object()
# Where strings are quantities. Elsewhere "1.10" is not "1.1".
_QUANTITIES = {
    "limits", "requests", "hard", "capacity", "sizeLimit", "storage", "averageValue", "target", "divisor", "podFixed",
    "max", "min", "default", "defaultRequest", "maxLimitRequestRatio", "allocatable", "minAllowed", "maxAllowed",
}  # fmt: skip


def differences(
    desired: dict[str, Any], live: dict[str, Any], managed: Sequence[fields.Entry], ignore: Sequence[str] = ()
) -> list[Path]:
    """Paths at which ``live`` is not as desired, or at which we own more or less than we want. Empty: in sync."""
    own = fields.ours(managed)
    skipped = [tuple(fields.tokens(p)) for p in ignore]
    if own is None:
        return [p for p in _missing_owner(desired) if not _below(p, skipped)] or [()]
    found = [p for p in _differ(desired, live, own.get("fieldsV1") or {}, ()) if not _below(p, skipped)]
    for entry in fields.strays(managed):
        found += [p for p in leaves(entry.get("fieldsV1") or {}) if p[:1] != ("status",) and not _below(p, skipped)]
    return list(dict.fromkeys(found))


def shown(path: Path) -> str:
    """``("spec", "containers", 0)`` → ``.spec.containers[0]``."""
    steps = (f"[{s}]" if isinstance(s, int) else f".{s}" if s.isidentifier() else f"[{s!r}]" for s in path)
    return "".join(steps) or "."


def _below(path: Path, pointers: list[tuple[str, ...]]) -> bool:
    return any(tuple(map(str, path[: len(p)])) == p for p in pointers)


def _missing_owner(desired: dict[str, Any]) -> list[Path]:
    return [("metadata", "managedFields")] if desired else []


def leaves(owned: fields.Fields, at: Path = ()) -> Iterator[Path]:
    """The paths of a field set; list items are shown by their keys."""
    for key, below in owned.items():
        if key == ".":
            continue
        path = (*at, key.partition(":")[2])
        if below and set(below) != {"."}:
            yield from leaves(below, path)
        else:
            yield path


def _differ(desired: Any, live: Any, owned: fields.Fields, path: Path) -> Iterator[Path]:
    """Walk what we want, what there is and what we own side by side."""
    if path in _IDENTITY:
        return
    if isinstance(desired, dict) and any(k.startswith("f:") for k in owned):
        yield from _differ_map(desired, live, owned, path)
    elif isinstance(desired, list) and any(k[:2] in ("k:", "v:") for k in owned):
        yield from _differ_list(desired, live, owned, path)
    else:
        yield from _unequal(desired, live, path)


def _unequal(desired: Any, live: Any, path: Path) -> Iterator[Path]:
    """Where two values differ, as deep as maps go."""
    if same(desired, live, path):
        return
    if not isinstance(desired, dict) or not isinstance(live, dict):
        yield path
        return
    for key, value in desired.items():
        yield from _unequal(value, live.get(key, _ABSENT), (*path, key))


def _differ_map(desired: dict[str, Any], live: Any, owned: fields.Fields, path: Path) -> Iterator[Path]:
    present = live if isinstance(live, dict) else {}
    for key, value in desired.items():
        below = owned.get(f"f:{key}", _ABSENT)
        at = (*path, key)
        if at in _IDENTITY:
            continue
        if below is _ABSENT:
            # Nothing owned here: an empty value that the API server does not keep, or a field that was taken from us.
            if not (_empty(value) and same(value, present.get(key, _ABSENT), at)):
                yield from [*_unequal(value, present.get(key, _ABSENT), at)] or [at]
            continue
        yield from _differ(value, present.get(key, _ABSENT), below, at)
    for key in owned:
        if key.startswith("f:") and key[2:] not in desired:
            yield (*path, key[2:])


def _differ_list(desired: list[Any], live: Any, owned: fields.Fields, path: Path) -> Iterator[Path]:
    present = live if isinstance(live, list) else []
    matched: set[int] = set()
    for key, below in owned.items():
        mark, _, text = key.partition(":")
        if mark not in ("k", "v"):
            continue
        wanted = orjson.loads(text)
        index = _index(desired, wanted, keyed=mark == "k", taken=matched)
        if index is None:
            yield path
            continue
        matched.add(index)
        there = _index(present, wanted, keyed=mark == "k", taken=set())
        if there is None:
            yield (*path, index)
        elif mark == "k":
            yield from _differ(desired[index], present[there], below, (*path, index))
    yield from ((*path, i) for i in range(len(desired)) if i not in matched)


def _index(items: list[Any], wanted: Any, *, keyed: bool, taken: set[int]) -> int | None:
    """Which item is meant; a key that the manifest leaves to its default (a port's protocol) matches any value."""
    for i, item in enumerate(items):
        if i in taken:
            continue
        if not keyed:
            if same(item, wanted, ()):
                return i
        elif isinstance(item, dict) and all(k not in item or same(item[k], v, ()) for k, v in wanted.items()):
            return i
    return None


def _empty(value: Any) -> bool:
    return value is None or value is False or value in ("", 0) or value == {} or value == []


def same(desired: Any, live: Any, path: Path) -> bool:
    """Whether a wanted value is what is stored at ``path``, up to defaults and ways of writing."""
    if desired is None:
        return True  # null asks for the default
    if live is _ABSENT or live is None:
        return _empty(desired) or (isinstance(desired, dict) and all(same(v, None, path) for v in desired.values()))
    if isinstance(desired, dict):
        return isinstance(live, dict) and all(same(v, live.get(k, _ABSENT), (*path, k)) for k, v in desired.items())
    if isinstance(desired, list):
        if not isinstance(live, list) or len(desired) != len(live):
            return False
        return all(same(d, n, (*path, i)) for i, (d, n) in enumerate(zip(desired, live, strict=True)))
    if type(desired) is type(live) and desired == live:
        return True
    if isinstance(desired, bool) or isinstance(live, bool):
        return False
    if isinstance(desired, int | float) and isinstance(live, int | float):
        return desired == live
    if path[:1] in (("data",), ("metadata",)) or not _QUANTITIES.intersection(map(str, path)):
        return False
    a, b = quantity(desired), quantity(live)
    return a is not None and a == b


_SUFFIXES = {
    **{s: Decimal(1000) ** p for s, p in (("n", -3), ("u", -2), ("m", -1), ("", 0), ("k", 1))},
    **{s: Decimal(1000) ** p for p, s in enumerate("MGTPE", 2)},
    **{f"{s}i": Decimal(1024) ** p for p, s in enumerate("KMGTPE", 1)},
}


def quantity(value: Any) -> Decimal | None:
    """A Kubernetes quantity as a number: ``"1500m"`` and ``1.5`` are equal. ``None`` for anything else."""
    text = str(value)
    if not text or text[0] not in "+-.0123456789" or len(text) > 40:
        return None
    digits = text.rstrip("numkKMGTPEi")
    suffix = text[len(digits) :]
    try:
        number = Decimal(digits)
    except InvalidOperation:
        return None
    factor = _SUFFIXES.get(suffix)
    return number * factor if factor is not None and number.is_finite() else None
