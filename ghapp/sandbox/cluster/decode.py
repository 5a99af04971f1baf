"""From what a client sent to what a typed server holds: the passage through the API's Go types, imitated.

Fields that the type does not declare are dropped and reported, nulls and empty maps and lists vanish, quantities become
canonical, structs that are not pointers appear. Types that do not fit are refused. Never changes its argument.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

import orjson
import yaml

from ghapp.sandbox.cluster import quantity
from ghapp.sandbox.cluster.errors import bad_request
from ghapp.sandbox.cluster.types import ListOf, MapOf, Object, Scalar, Struct, Type

# Lists without `omitempty`: they stay when they are empty.
_KEPT_EMPTY = {"V1Role.rules", "V1ClusterRole.rules", "V1EndpointSlice.endpoints", "V1PolicyRule.verbs"}


class WrongType(ValueError):
    """A value that does not fit its Go type. ``apply`` and the other verbs answer it differently."""


def parse(body: bytes) -> Any:
    """A JSON or YAML body. Raises ApiError 400 for what is neither."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return parse_yaml(body)


# What the server's YAML parser reads differently from JSON: surrogate pairs, line separators, control characters.
_NOT_PLAIN = re.compile(rb"\\u[dD][89a-fA-F]|\xc2[\x80-\x9f]|\xe2\x80[\xa8\xa9]|\x7f")


def parse_apply(body: bytes) -> Any:
    """The body of an apply, which the server reads as YAML even when it looks like JSON."""
    if not _NOT_PLAIN.search(body):
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError:
            pass
    return parse_yaml(body)


class _Loader(yaml.CSafeLoader):
    """YAML as the server reads it: timestamps stay strings, duplicate keys are the last one's."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def parse_yaml(body: bytes) -> Any:
    """A YAML body. Raises ApiError 400."""
    if b"\x7f" in body:
        raise bad_request("error decoding YAML: yaml: control characters are not allowed")
    if re.search(rb"\\u[dD][89a-fA-F]", body):
        raise bad_request("error decoding YAML: yaml: found invalid Unicode character escape code")
    try:
        return yaml.load(body.decode("utf-8"), Loader=_Loader)  # noqa: S506  # a safe loader of our own
    except UnicodeDecodeError:
        raise bad_request("error decoding YAML: yaml: invalid leading UTF-8 octet") from None
    except (yaml.YAMLError, RecursionError, ValueError) as e:
        raise bad_request(f"error decoding YAML: yaml: {str(e).splitlines()[0]}") from None


def typed(value: Object, type_: Type, unknown: list[str] | None = None) -> Object:
    """``value`` as the server would hold it. Paths of undeclared fields are appended to ``unknown``.

    Raises :class:`WrongType`.
    """
    found: list[str] = [] if unknown is None else unknown
    result = _convert(value, type_, "", found)
    if not isinstance(result, dict):
        raise WrongType("json: cannot unmarshal a value that is not an object")
    return result


def _convert(value: Any, type_: Type, path: str, unknown: list[str]) -> Any:
    if isinstance(type_, Struct):
        return _struct(value, type_, path, unknown)
    if isinstance(type_, Scalar):
        return _scalar(value, type_.kind, path)
    if isinstance(type_, ListOf):
        if not isinstance(value, list):
            raise WrongType(_mismatch(value, path, "[]" + _go_name(type_.items)))
        items = type_.items
        return [_convert(_zero(items) if v is None else v, items, f"{path}[{i}]", unknown) for i, v in enumerate(value)]
    if isinstance(type_, MapOf):
        if not isinstance(value, dict):
            raise WrongType(_mismatch(value, path, "map[string]" + _go_name(type_.values)))
        values = type_.values
        zero = _zero(values)
        return {k: _convert(zero if v is None else v, values, f"{path}.{k}", unknown) for k, v in value.items()}
    return value


_ZEROS: dict[str, Any] = {"integer": 0, "number": 0, "boolean": False, "quantity": "0", "int-or-string": 0}


def _zero(type_: Type) -> Any:
    """What null becomes in a list or map of Go values."""
    if isinstance(type_, Struct | MapOf):
        return {}
    if isinstance(type_, ListOf):
        return []
    return _ZEROS.get(type_.kind, "") if isinstance(type_, Scalar) else None


def _struct(value: Any, type_: Struct, path: str, unknown: list[str]) -> Object:
    if not isinstance(value, dict):
        raise WrongType(_mismatch(value, path, _go_name(type_)))
    declared = type_.fields
    result: Object = {}
    for key, item in value.items():
        kind = declared.get(key)
        if kind is None:
            if type_.preserve:
                result[key] = item
            else:
                unknown.append(f"{path}.{key}" if path else key)
            continue
        if item is None:
            continue
        if isinstance(kind, Scalar):
            converted = _scalar(item, kind.kind, f"{path}.{key}")
            if not converted and key in type_.zeros:
                continue
        else:
            converted = _convert(item, kind, f"{path}.{key}" if path else key, unknown)
            empty = not converted and isinstance(kind, ListOf | MapOf)
            if empty and f"{type_.name}.{key}" not in _KEPT_EMPTY:
                continue
        result[key] = converted
    for key in type_.always:
        if key not in result:
            result[key] = _struct({}, kind, key, unknown) if isinstance(kind := declared[key], Struct) else {}
    return result


def _scalar(value: Any, kind: str, path: str) -> Any:
    if kind == "string" or kind == "time":
        if not isinstance(value, str):
            raise WrongType(_mismatch(value, path, "string"))
    elif kind == "integer":
        if isinstance(value, bool) or not isinstance(value, int):
            raise WrongType(_mismatch(value, path, "int32"))
    elif kind == "boolean":
        if not isinstance(value, bool):
            raise WrongType(_mismatch(value, path, "bool"))
    elif kind == "number":
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise WrongType(_mismatch(value, path, "float64"))
    elif kind == "quantity":
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise WrongType(_mismatch(value, path, "resource.Quantity"))
        try:
            return quantity.canonical(str(value))
        except ValueError as e:
            raise WrongType(str(e)) from None
    elif kind == "bytes":
        return _bytes(value, path)
    elif isinstance(value, bool) or not isinstance(value, int | str):
        raise WrongType(_mismatch(value, path, "intstr.IntOrString"))
    return value


def _bytes(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise WrongType(_mismatch(value, path, "[]uint8"))
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        at = next((i for i, c in enumerate(value) if not (c.isascii() and (c.isalnum() or c in "+/="))), len(value))
        raise WrongType(f"illegal base64 data at input byte {at}") from None
    return value


def _mismatch(value: Any, path: str, wanted: str) -> str:
    names = {str: "string", bool: "bool", int: "number", float: "number", dict: "object", list: "array"}
    given = names.get(type(value), "null")
    return f"json: cannot unmarshal {given} into Go struct field {path.lstrip('.')} of type {wanted}"


def _go_name(type_: Type) -> str:
    if isinstance(type_, Struct):
        return re.sub(r"\A(?:[A-Z][a-z]+)?V\d+(?:(?:alpha|beta)\d+)?", "v1.", type_.name)
    return type_.kind if isinstance(type_, Scalar) else "interface {}"
