"""JSON Schemas of the files that people write, by the name of the kind of file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ghapp.config.model import App, Monorepo

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def app_schema() -> dict[str, Any]:
    """``.ghapp.yml``: one app, or a monorepo's list of apps."""
    from pydantic.json_schema import models_json_schema

    refs, definitions = models_json_schema([(App, "validation"), (Monorepo, "validation")])
    return {
        "$schema": _DIALECT,
        "title": ".ghapp.yml",
        "anyOf": [refs[(App, "validation")], refs[(Monorepo, "validation")]],
        **definitions,
    }


def _policy(kind: str) -> Callable[[], dict[str, Any]]:
    def schema() -> dict[str, Any]:
        from policies.kinds import schema_of

        return schema_of(kind)

    return schema


POLICIES = ("Approval", "Window", "RequiredPlugins", "Vulnerability", "Promotion", "BuildProfile")
SCHEMAS: dict[str, Callable[[], dict[str, Any]]] = {"app": app_schema} | {kind: _policy(kind) for kind in POLICIES}
