"""A custom kind to try things with: Widget, in a group named after the test's namespace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.sandbox.cluster.client import Client

TEXT = {"type": "string"}
FIXED = {"rule": "self == oldSelf", "message": "fixed is fixed"}
SCHEMA = {
    "type": "object",
    "required": ["spec"],
    "properties": {
        "spec": {
            "type": "object",
            "required": ["size"],
            "properties": {
                "size": {"type": "integer", "minimum": 1, "maximum": 9},
                "color": {"type": "string", "enum": ["red", "blue"], "default": "blue"},
                "name": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 5},
                "fixed": {"type": "string", "x-kubernetes-validations": [FIXED]},
                "port": {"x-kubernetes-int-or-string": True},
                "parts": {
                    "type": "array",
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["name"],
                    "items": {"type": "object", "properties": {"name": TEXT, "value": TEXT}},
                },
                "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                "map": {"type": "object", "additionalProperties": {"type": "string"}},
            },
        },
        "status": {"type": "object", "properties": {"replicas": {"type": "integer"}, "phase": {"type": "string"}}},
    },
}


def definition(name: str, **version: Any) -> dict[str, Any]:
    group = f"{name}.example.com"
    column = {"name": "Size", "type": "integer", "jsonPath": ".spec.size"}
    paths = {"specReplicasPath": ".spec.size", "statusReplicasPath": ".status.replicas"}
    served = {
        "name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": SCHEMA},
        "subresources": {"status": {}, "scale": paths}, "additionalPrinterColumns": [column], **version,
    }  # fmt: skip
    names = {"plural": "widgets", "kind": "Widget", "shortNames": ["wi"]}
    spec = {"group": group, "scope": "Namespaced", "names": names, "versions": [served]}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"widgets.{group}"},
        "spec": spec,
    }


def widget(api: Client, **spec: Any) -> dict[str, Any]:
    group = f"{api.namespace}.example.com/v1"
    return {"apiVersion": group, "kind": "Widget", "metadata": {"name": "w"}, "spec": {"size": 1, **spec}}


def established(api: Client, crd: dict[str, Any]) -> Callable[[], bool]:
    def look() -> bool:
        live = api.get("customresourcedefinitions", crd["metadata"]["name"])
        found = live.get("status", {}).get("conditions") or []
        return any(c["type"] == "Established" and c["status"] == "True" for c in found)

    return look
