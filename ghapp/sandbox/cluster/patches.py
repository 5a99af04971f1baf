"""The patches that are not applies: JSON patch, merge patch, strategic merge patch. Pure."""

from __future__ import annotations

import copy
from typing import Any

import orjson

from ghapp.sandbox.cluster import strategic
from ghapp.sandbox.cluster.errors import Cause, bad_request, invalid, unsupported_media_type
from ghapp.sandbox.cluster.kinds import Resource
from ghapp.sandbox.cluster.types import Object

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"


def apply(content_type: str, live: Object, patch: Any, resource: Resource) -> Object:
    """``live`` with ``patch`` applied; ``live`` is not changed. Raises ApiError."""
    if content_type == JSON_PATCH:
        return json_patch(live, patch, resource)
    if not isinstance(patch, dict):
        raise bad_request("error decoding patch: json: cannot unmarshal into Go value of type map[string]interface {}")
    if content_type == MERGE_PATCH:
        merged: Object = merge_patch(live, patch)
        return merged
    if content_type == STRATEGIC_PATCH and not resource.custom:
        result: Object = strategic.merge(live, patch, resource.type)
        return result
    if content_type == STRATEGIC_PATCH:
        raise unsupported_media_type([JSON_PATCH, MERGE_PATCH, APPLY_PATCH])
    raise unsupported_media_type([JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, APPLY_PATCH])


def merge_patch(live: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    result = dict(live) if isinstance(live, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge_patch(result.get(key), value)
    return result


def json_patch(live: Object, patch: Any, resource: Resource) -> Object:
    """RFC 6902. A test that fails refuses the whole patch with 422."""
    if not isinstance(patch, list):
        raise bad_request("json: cannot unmarshal object into Go value of type jsonpatch.Patch")
    doc: Any = copy.deepcopy(live)
    for index, step in enumerate(patch):
        try:
            doc = _step(doc, step)
        except (KeyError, IndexError, ValueError, TypeError) as e:
            said = str(e.args[0]) if e.args else "invalid operation"
            raise invalid(
                resource.kind, resource.group, live["metadata"]["name"],
                [Cause("patch", f"Invalid value: {_go(step)}: step {index}: {said}")],
            ) from None  # fmt: skip
    if not isinstance(doc, dict):
        raise bad_request("the patched object is not an object")
    return doc


def _go(step: Any) -> str:
    return orjson.dumps(step).decode()


def _tokens(pointer: str) -> list[str]:
    if pointer == "":
        return []
    if not pointer.startswith("/"):
        raise ValueError(f"invalid JSON pointer {pointer}")
    return [p.replace("~1", "/").replace("~0", "~") for p in pointer[1:].split("/")]


def _step(doc: Any, step: Object) -> Any:
    op, path = step["op"], _tokens(step["path"])
    if op == "test":
        if _get(doc, path) != step.get("value"):
            raise ValueError(f"testing path {step['path']} value failed: test failed")
        return doc
    if op == "remove":
        return _remove(doc, path)
    if op in ("move", "copy"):
        source = _tokens(step["from"])
        value = copy.deepcopy(_get(doc, source))
        return _add(_remove(doc, source) if op == "move" else doc, path, value)
    if op == "replace":
        if path:
            _get(doc, path)
            parent = _get(doc, path[:-1])
            if isinstance(parent, list):
                parent[int(path[-1])] = step.get("value")
                return doc
        return _add(doc, path, step.get("value"))
    if op == "add":
        return _add(doc, path, step.get("value"))
    raise ValueError(f"Unexpected kind: {op}")


def _get(doc: Any, path: list[str]) -> Any:
    for token in path:
        if isinstance(doc, list):
            doc = doc[int(token)]
        elif isinstance(doc, dict) and token in doc:
            doc = doc[token]
        else:
            raise KeyError(f"path not found: {'/'.join(['', *path])}: missing value")
    return doc


def _add(doc: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    parent = _get(doc, path[:-1])
    if isinstance(parent, list):
        parent.insert(len(parent) if path[-1] == "-" else int(path[-1]), value)
    elif isinstance(parent, dict):
        parent[path[-1]] = value
    else:
        raise ValueError(f"doc is missing path: {'/'.join(['', *path])}: missing value")
    return doc


def _remove(doc: Any, path: list[str]) -> Any:
    parent = _get(doc, path[:-1])
    if isinstance(parent, list):
        del parent[int(path[-1])]
    elif path[-1] in parent:
        del parent[path[-1]]
    else:
        raise KeyError(f"remove operation does not apply: doc is missing path: {'/'.join(['', *path])}: missing value")
    return doc
