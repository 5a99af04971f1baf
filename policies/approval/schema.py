"""The JSON Schema of a policy file, made from the very shapes that read it; for editors and for people."""

from __future__ import annotations

from typing import Any

from policies.approval.rules import POLICY, REMOTE, REQUIREMENT_SCHEMA


def policy_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of ``.policy.yml``: a policy, a pointer to one elsewhere, or nothing at all."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Approval policy",
        "oneOf": [
            {"type": "null", "description": "An empty file asks for nothing."},
            POLICY.schema(),
            REMOTE.schema(),
        ],
        "$defs": {"requirement": REQUIREMENT_SCHEMA},
    }
