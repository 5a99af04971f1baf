"""Custom resources: from a definition's structural schema to a served kind, and what the schema says of its objects.

Pruning, defaulting and validation follow the schema; CEL rules are evaluated. Conversion webhooks are never called:
versions of one definition show the same object.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ghapp.sandbox.cluster import decode, models
from ghapp.sandbox.cluster.errors import Cause, required, unsupported, wrong
from ghapp.sandbox.cluster.kinds import Column, Resource
from ghapp.sandbox.cluster.types import (
    ANYTHING,
    BOOLEAN,
    INT_OR_STRING,
    INTEGER,
    NUMBER,
    STRING,
    ListOf,
    MapOf,
    Object,
    Struct,
    Type,
)

_SCALARS: dict[str, Type] = {"string": STRING, "integer": INTEGER, "number": NUMBER, "boolean": BOOLEAN}
_META = ("apiVersion", "kind", "metadata")


def resources(definition: Object) -> list[Resource]:
    """The kinds that a CustomResourceDefinition serves, one per served version."""
    spec = definition["spec"]
    names = spec["names"]
    stored = next(v["name"] for v in spec["versions"] if v.get("storage"))
    return [
        Resource(
            spec["group"],
            version["name"],
            names["plural"],
            names["kind"],
            spec["scope"] == "Namespaced",
            type=_root(version["schema"]["openAPIV3Schema"], names["kind"]),
            singular=names.get("singular", names["kind"].lower()),
            short_names=tuple(names.get("shortNames") or ()),
            categories=tuple(names.get("categories") or ()),
            subresources=tuple(n for n in ("status", "scale") if n in (version.get("subresources") or {})),
            stored_as=f"{spec['group']}/{names['plural']}",
            stored_version=f"{spec['group']}/{stored}",
            custom=True,
            has_generation=True,
            columns=tuple(_columns(version)),
            schema=version["schema"]["openAPIV3Schema"],
            scale=(version.get("subresources") or {}).get("scale"),
        )
        for version in spec["versions"]
        if version.get("served")
    ]


def _columns(version: Object) -> Iterator[Column]:
    for c in version.get("additionalPrinterColumns") or ():
        yield Column(c["name"], c["jsonPath"], c.get("type", "string"), c.get("priority", 0))


def _root(schema: Mapping[str, Any], name: str) -> Type:
    def load() -> dict[str, Type]:
        fields = {k: _type(v) for k, v in (schema.get("properties") or {}).items()}
        return {**fields, "apiVersion": STRING, "kind": STRING, "metadata": models.model("V1ObjectMeta")}

    preserve = bool(schema.get("x-kubernetes-preserve-unknown-fields"))
    return Struct(name, load, preserve=preserve, others=ANYTHING if preserve else None)


def _type(schema: Mapping[str, Any]) -> Type:
    if schema.get("x-kubernetes-int-or-string"):
        return INT_OR_STRING
    kind = schema.get("type")
    preserve = bool(schema.get("x-kubernetes-preserve-unknown-fields"))
    if kind == "array":
        listed = schema.get("x-kubernetes-list-type", "atomic")
        keys = tuple(schema.get("x-kubernetes-list-map-keys") or ())
        return ListOf(_type(schema.get("items") or {}), associative=listed in ("map", "set"), keys=keys)
    if kind == "object":
        atomic = schema.get("x-kubernetes-map-type") == "atomic"
        more = schema.get("additionalProperties")
        if more and not schema.get("properties"):
            return MapOf(_type(more) if isinstance(more, dict) else ANYTHING, atomic=atomic)
        properties: Mapping[str, Any] = schema.get("properties") or {}
        if not properties and preserve:
            return ANYTHING
        defaults = {k: v["default"] for k, v in properties.items() if "default" in v}
        return Struct(
            "object",
            lambda: {k: _type(v) for k, v in properties.items()},
            atomic=atomic,
            key_defaults=defaults,
            preserve=preserve,
            others=ANYTHING if preserve else None,
        )
    return _SCALARS.get(kind or "", ANYTHING)


def decoded(given: Object, resource: Resource, unknown: list[str]) -> Object:
    """A custom object as it is held: metadata typed, undeclared fields pruned, defaults set. Never changes ``given``.

    Paths of pruned fields are appended to ``unknown``. Raises :class:`decode.WrongType` for bad metadata.
    """
    schema = resource.schema or {}
    result = copy.deepcopy(given)
    meta = decode.typed({"metadata": result.get("metadata") or {}}, resource_meta(), unknown)["metadata"]
    body = {k: v for k, v in result.items() if k not in _META}
    _prune(body, schema, "", unknown)
    _default(body, schema)
    return {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": meta, **body}


def resource_meta() -> Struct:
    """A type with nothing but metadata."""
    return Struct("Metadata", lambda: {"metadata": models.model("V1ObjectMeta")})


def _prune(value: Any, schema: Mapping[str, Any], path: str, unknown: list[str]) -> None:
    if isinstance(value, list):
        for i, item in enumerate(value):
            _prune(item, schema.get("items") or {}, f"{path}[{i}]", unknown)
    if not isinstance(value, dict):
        return
    properties = schema.get("properties") or {}
    more = schema.get("additionalProperties")
    keep = schema.get("x-kubernetes-preserve-unknown-fields") or more is True
    embedded = _META if schema.get("x-kubernetes-embedded-resource") else ()
    for key in list(value):
        here = f"{path}.{key}" if path else key
        if key in properties:
            _prune(value[key], properties[key], here, unknown)
        elif isinstance(more, dict):
            _prune(value[key], more, here, unknown)
        elif not keep and key not in embedded:
            unknown.append(here)
            del value[key]


def _default(value: Any, schema: Mapping[str, Any]) -> None:
    if isinstance(value, list):
        for item in value:
            _default(item, schema.get("items") or {})
    if not isinstance(value, dict):
        return
    properties = schema.get("properties") or {}
    for key, below in properties.items():
        missing = key not in value or (value[key] is None and not below.get("nullable"))
        if missing and "default" in below:
            value[key] = copy.deepcopy(below["default"])
        if key in value:
            _default(value[key], below)
    more = schema.get("additionalProperties")
    if isinstance(more, dict):
        for key in value.keys() - properties.keys():
            _default(value[key], more)


def problems(new: Object, old: Object | None, resource: Resource) -> list[Cause]:
    """What the schema has against an object; ``old`` is the live one on changes, for rules about transitions."""
    body = {k: v for k, v in new.items() if k not in _META}
    before = {k: v for k, v in old.items() if k not in _META} if old is not None else None
    schema = {k: v for k, v in (resource.schema or {}).items() if k != "required"}
    found = list(_violations(body, schema, ""))
    wanted = [r for r in (resource.schema or {}).get("required") or () if r not in new]
    found += [required(r) for r in wanted]
    return found or list(_broken_rules(body, before, schema, ""))


def _violations(value: Any, schema: Mapping[str, Any], path: str) -> Iterator[Cause]:
    if value is None and schema.get("nullable"):
        return
    if wanted := _type_mismatch(value, schema):
        shown = _kind(value)
        yield wrong(path, shown, f'{path} in body must be of type {wanted}: "{shown}"')
        return
    if (allowed := schema.get("enum")) is not None and value not in allowed:
        yield unsupported(path, value, [str(a) for a in allowed])
    for said in _bounds(value, schema):
        yield wrong(path, value, f"{path} in body {said}")
    if isinstance(value, dict):
        prefix = f"{path}." if path else ""
        for name in schema.get("required") or ():
            if name not in value:
                yield required(prefix + name)
        properties, more = schema.get("properties") or {}, schema.get("additionalProperties")
        for key, item in value.items():
            below = properties.get(key) or (more if isinstance(more, dict) else None)
            if below is not None:
                yield from _violations(item, below, prefix + key)
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from _violations(item, schema.get("items") or {}, f"{path}[{i}]")


def _type_mismatch(value: Any, schema: Mapping[str, Any]) -> str:
    """The type that was wanted, where the value has another one."""
    if schema.get("x-kubernetes-int-or-string"):
        return "" if isinstance(value, int | str) and not isinstance(value, bool) else "integer or string"
    kind = schema.get("type")
    fits = {
        "string": isinstance(value, str),
        "integer": isinstance(value, int) and not isinstance(value, bool),
        "number": isinstance(value, int | float) and not isinstance(value, bool),
        "boolean": isinstance(value, bool),
        "object": isinstance(value, dict),
        "array": isinstance(value, list),
    }
    return "" if kind is None or fits.get(kind, True) else str(kind)


def _kind(value: Any) -> str:
    names = {str: "string", bool: "boolean", int: "integer", float: "number", dict: "object", list: "array"}
    return names.get(type(value), "null")


def _bounds(value: Any, schema: Mapping[str, Any]) -> Iterator[str]:
    if isinstance(value, int | float) and not isinstance(value, bool):
        if (least := schema.get("minimum")) is not None and value < least:
            yield f"should be greater than or equal to {least}"
        if (most := schema.get("maximum")) is not None and value > most:
            yield f"should be less than or equal to {most}"
    elif isinstance(value, str):
        if (least := schema.get("minLength")) is not None and len(value) < least:
            yield f"should be at least {least} chars long"
        if (most := schema.get("maxLength")) is not None and len(value) > most:
            yield f"should be at most {most} chars long"
        if (pattern := schema.get("pattern")) is not None and not re.search(pattern, value):
            yield f"should match '{pattern}'"
    elif isinstance(value, list):
        if (least := schema.get("minItems")) is not None and len(value) < least:
            yield f"should have at least {least} items"
        if (most := schema.get("maxItems")) is not None and len(value) > most:
            yield f"should have at most {most} items"


def _broken_rules(value: Any, old: Any, schema: Mapping[str, Any], path: str) -> Iterator[Cause]:
    """CEL rules that do not hold; those that speak of ``oldSelf`` count only where there was a value before."""
    for rule in schema.get("x-kubernetes-validations") or ():
        expression = rule["rule"]
        if "oldSelf" in expression and old is None:
            continue
        if not _holds(expression, value, old):
            said = rule.get("message") or f"failed rule: {expression}"
            yield wrong(path, _kind(value), said)
    if isinstance(value, dict):
        before = old if isinstance(old, dict) else {}
        for key, below in (schema.get("properties") or {}).items():
            if key in value:
                yield from _broken_rules(value[key], before.get(key), below, f"{path}.{key}" if path else key)


def _holds(expression: str, value: Any, old: Any) -> bool:
    import cel

    try:
        return bool(cel.evaluate(expression, {"self": value, "oldSelf": old}))
    except Exception:  # whatever the library raises, the rule could not be shown to hold
        return False
