"""Strategic merge patch: lists merge by key, and directives delete, replace, order and retain. Pure.

The keys are those of kubectl's built-in kinds, which are not always those of server-side apply.
"""

from __future__ import annotations

from typing import Any

from ghapp.sandbox.cluster.errors import bad_request
from ghapp.sandbox.cluster.types import ListOf, MapOf, Object, Struct, Type

_DIRECTIVE = "$patch"
_RETAIN = "$retainKeys"
_ORDER = "$setElementOrder/"
_DELETE = "$deleteFromPrimitiveList/"

# Where the key differs from the first key of server-side apply, or where only this kind of patch merges.
_KEYS: dict[str, str] = {
    "V1Container.ports": "containerPort",
    "V1EphemeralContainer.ports": "containerPort",
    "V1ServiceSpec.ports": "port",
    "V1PodSpec.topologySpreadConstraints": "topologyKey",
    "V1JobStatus.conditions": "type",
}


def merge(live: Any, patch: Object, type_: Type) -> Any:
    """``live`` with ``patch`` laid over it. Neither is changed. Raises ApiError 400 for unknown directives."""
    directive = patch.get(_DIRECTIVE)
    body = {k: v for k, v in patch.items() if k != _DIRECTIVE}
    if directive == "replace":
        return body
    if directive == "delete":
        return {}
    if directive not in (None, "merge"):
        raise bad_request(f"Unknown patch type: {directive}")
    result: Object = dict(live) if isinstance(live, dict) else {}
    retained = body.pop(_RETAIN, None)
    if retained is not None:
        result = {k: v for k, v in result.items() if k in retained}
    orders = {k.removeprefix(_ORDER): body.pop(k) for k in list(body) if k.startswith(_ORDER)}
    drops = {k.removeprefix(_DELETE): body.pop(k) for k in list(body) if k.startswith(_DELETE)}
    for key, gone in drops.items():
        result[key] = [v for v in result.get(key) or [] if v not in gone]
    for key, value in body.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _value(result.get(key), value, _field(type_, key), _name(type_, key), orders.get(key))
    for key, order in orders.items():
        if key not in body and isinstance(result.get(key), list):
            result[key] = _sorted(result[key], order, _key(_field(type_, key), _name(type_, key)))
    return result


def _field(type_: Type | None, key: str) -> Type | None:
    if isinstance(type_, Struct):
        return type_.fields.get(key)
    return type_.values if isinstance(type_, MapOf) else None


def _name(type_: Type | None, key: str) -> str:
    return f"{type_.name}.{key}" if isinstance(type_, Struct) else ""


def _key(type_: Type | None, name: str) -> str:
    """The field that identifies an item of a list, "" for sets, and "-" for lists that are replaced."""
    if name in _KEYS:
        return _KEYS[name]
    if isinstance(type_, ListOf) and type_.associative:
        return type_.keys[0] if type_.keys else ""
    return "-"


def _value(live: Any, value: Any, type_: Type | None, name: str, order: list[Any] | None) -> Any:
    if isinstance(value, dict):
        return merge(live if isinstance(live, dict) else {}, value, type_) if type_ else _clean(value)
    if not isinstance(value, list):
        return value
    key = _key(type_, name)
    if key == "-" or not isinstance(type_, ListOf):
        return value
    current = live if isinstance(live, list) else []
    merged = _items(current, value, type_, key) if key else [*current, *(v for v in value if v not in current)]
    return _sorted(merged, order, key) if order else merged


def _clean(value: Object) -> Object:
    return {k: v for k, v in value.items() if v is not None and not k.startswith("$")}


def _items(live: list[Any], patch: list[Any], type_: ListOf, key: str) -> list[Any]:
    if any(isinstance(p, dict) and p.get(_DIRECTIVE) == "replace" for p in patch):
        return [p for p in patch if _DIRECTIVE not in p]
    result = list(live)
    for item in patch:
        if not isinstance(item, dict) or key not in item:
            raise bad_request(f"map: {item} does not contain declared merge key: {key}")
        at = next((i for i, known in enumerate(result) if known.get(key) == item[key]), None)
        if item.get(_DIRECTIVE) == "delete":
            if at is not None:
                del result[at]
        elif at is None:
            result.append(merge({}, item, type_.items))
        else:
            result[at] = merge(result[at], item, type_.items)
    return result


def _sorted(items: list[Any], order: list[Any], key: str) -> list[Any]:
    """Items that ``order`` names in its order; the others keep their places between them."""

    def identity(item: Any) -> Any:
        return item.get(key) if key and isinstance(item, dict) else item

    wanted = [identity(o) for o in order]
    known = sorted((i for i in items if identity(i) in wanted), key=lambda i: wanted.index(identity(i)))
    rest = iter(known)
    return [next(rest) if identity(i) in wanted else i for i in items]
