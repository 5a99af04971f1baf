"""Whether a value fits its type, and in the API server's words why it does not. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ghapp.sandbox.cluster.fields import dotted
from ghapp.sandbox.cluster.typed import child_type, item_element
from ghapp.sandbox.cluster.types import ListOf, MapOf, Scalar, Struct, Type


def problems(value: Any, type_: Type, path: str = "", *, duplicates: bool = False) -> Iterator[str]:
    """Why ``value`` does not fit its type, one sentence each, worded as the API server words them."""
    if isinstance(type_, Scalar):
        if value is not None and (wrong := _wrong_scalar(type_.kind, value)):
            yield f"{path}: {wrong}"
    elif isinstance(type_, ListOf):
        yield from _list_problems(value, type_, path, duplicates)
    elif isinstance(type_, Struct | MapOf):
        if value is None:
            return
        if not isinstance(value, dict):
            yield f"{path}: expected map, got {_go_value(value)}"
            return
        for key, item in value.items():
            kind = child_type(type_, key)
            if kind is not None:
                yield from problems(item, kind, f"{path}.{key}", duplicates=duplicates)
            elif not (isinstance(type_, Struct) and type_.preserve):
                yield f"{path}.{key}: field not declared in schema"


def _list_problems(value: Any, type_: ListOf, path: str, duplicates: bool) -> Iterator[str]:
    if value is None:
        return
    if not isinstance(value, list):
        yield f"{path}: expected list, got {_go_value(value)}"
        return
    seen: set[str] = set()
    for index, item in enumerate(value):
        here = f"[{index}]"
        if type_.associative:
            try:
                element = item_element(type_, item)
            except ValueError as e:
                yield f"{path}: element {index}: {e}"
                return
            here = dotted((element,))
            if element in seen and not duplicates:
                yield f"{path}: duplicate entries for key {here}"
            seen.add(element)
        yield from problems(item, type_.items, path + here, duplicates=duplicates)


def _wrong_scalar(kind: str, value: Any) -> str:
    if kind in ("string", "bytes"):
        if not isinstance(value, str):
            return f"expected string, got {_go_value(value)}"
    elif kind in ("integer", "number"):
        if isinstance(value, bool) or not isinstance(value, int | float):
            return f"expected numeric (int or float), got {_go_type(value)}"
    elif kind == "boolean":
        if not isinstance(value, bool):
            return f"expected boolean, got {_go_value(value)}"
    elif isinstance(value, dict | list):
        return f"expected any scalar, got {_go_value(value)}"
    return ""


def _go_value(value: Any) -> str:
    """A value as Go's ``%#v`` prints the server's wrapper around it."""
    if isinstance(value, str):
        return f'&value.valueUnstructured{{Value:"{value}"}}'
    if isinstance(value, bool):
        return f"&value.valueUnstructured{{Value:{str(value).lower()}}}"
    return f"&value.valueUnstructured{{Value:{value}}}"


def _go_type(value: Any) -> str:
    names = {str: "string", bool: "bool", dict: "map[string]interface {}", list: "[]interface {}"}
    return names.get(type(value), type(value).__name__)
