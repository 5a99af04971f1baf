"""Kubernetes objects as plain data: reading a stream of them, writing each the same way every time."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from policies.yamltext import refuse_deep

MAX_VALUES = 2_000_000
MAX_DEPTH = 200

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


@dataclass(frozen=True)
class Manifest:
    """One object. ``data`` is never changed in place."""

    data: dict[str, Any]

    @property
    def api_version(self) -> str:
        return str(self.data.get("apiVersion") or "")

    @property
    def group(self) -> str:
        return self.api_version.rpartition("/")[0]

    @property
    def kind(self) -> str:
        return str(self.data.get("kind") or "")

    @property
    def name(self) -> str:
        return str((self.data.get("metadata") or {}).get("name") or "")

    @property
    def namespace(self) -> str:
        return str((self.data.get("metadata") or {}).get("namespace") or "")

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What makes it one object: group, kind, namespace, name."""
        return self.group, self.kind, self.namespace, self.name

    def __str__(self) -> str:
        return f"{self.kind}/{f'{self.namespace}/' if self.namespace else ''}{self.name}"

    def text(self) -> bytes:
        """Block style, keys in Kubernetes' customary order at the top and sorted below: a diff shows only changes."""
        top = ("apiVersion", "kind", "metadata")
        ordered = {k: self.data[k] for k in top if k in self.data}
        ordered |= {k: self.data[k] for k in sorted(self.data) if k not in top}
        dumped = yaml.dump(
            _sorted(ordered), Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False, width=1000
        )
        return bytes(dumped, "utf-8")


def read_manifests(stream: bytes, *, name: str) -> list[Manifest]:
    """Every object of a YAML stream, lists flattened, empty documents dropped.

    Raises ValueError with ``name`` and the line where it is not YAML or not an object.
    """
    try:
        decoded = stream.decode("utf-8")
        refuse_deep(decoded, name=name, most=MAX_DEPTH)
        documents = list(yaml.load_all(decoded, Loader=_Loader))
    except (yaml.YAMLError, UnicodeDecodeError) as e:
        raise ValueError(f"{name} is not YAML: {e}") from None
    budget = [MAX_VALUES]
    return [Manifest(_as_json(data, name, budget)) for data in _flat(documents, name)]


def _flat(documents: Iterable[Any], name: str) -> Iterator[dict[str, Any]]:
    for document in documents:
        if document is None:
            continue
        if not isinstance(document, dict):
            raise ValueError(f"{name} holds {str(document)[:60]!r}, which is not a Kubernetes object")
        if str(document.get("kind", "")).endswith("List") and isinstance(document.get("items"), list):
            yield from _flat(document["items"], name)
        else:
            yield document


def _as_json(value: Any, name: str, budget: list[int]) -> Any:
    """A copy without shared parts, in which dates are strings (Kubernetes knows no dates).

    ``budget`` is what is left of :data:`MAX_VALUES`: aliases must not blow a small file up.
    """
    budget[0] -= 1
    if budget[0] < 0:
        raise ValueError(f"{name} holds more than {MAX_VALUES} values once aliases are expanded")
    if isinstance(value, dict):
        return {str(k): _as_json(v, name, budget) for k, v in value.items()}
    if isinstance(value, list):
        return [_as_json(v, name, budget) for v in value]
    if isinstance(value, datetime.datetime | datetime.date):
        return value.isoformat().replace("+00:00", "Z")
    return value


def _sorted(value: Any, top: bool = True) -> Any:
    if isinstance(value, dict):
        keys = value if top else sorted(value)
        return {k: _sorted(value[k], top=False) for k in keys}
    if isinstance(value, list):
        return [_sorted(v, top=False) for v in value]
    return value
