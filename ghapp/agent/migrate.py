"""Step 9, migrate: what kubectl owns on a member becomes ours, or fields that the branch dropped would survive.

One conditional patch of ``managedFields`` per object that needs it; values are not touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ghapp.agent import fields, names
from ghapp.agent.kube.client import METADATA, Kube
from ghapp.agent.kube.errors import ApiError


def needed(managed: Sequence[fields.Entry], keep: Sequence[str] = ()) -> bool:
    """Whether kubectl owns anything on the object besides the ignored fields in ``keep``."""
    if not fields.strays(managed):
        return False
    before, after = fields.strays(managed), fields.strays(fields.adopted(managed, "", keep))
    return before != after


async def migrate(
    kube: Kube, path: str, api_version: str, version: str, managed: Sequence[fields.Entry], keep: Sequence[str] = ()
) -> None:
    """Make kubectl's fields ours. An object that moved meanwhile is read again. Raises ApiError."""
    for _ in range(5):
        operations: list[dict[str, Any]] = [
            {"op": "replace", "path": "/metadata/resourceVersion", "value": version},
            {"op": "replace", "path": "/metadata/managedFields", "value": fields.adopted(managed, api_version, keep)},
        ]
        try:
            await kube.patch(path, operations, manager=names.FIELD_MANAGER)
            return
        except ApiError as e:
            there = await kube.get(path, accept=METADATA) if e.code == 409 else None
            if there is None:
                raise
            version, managed = there["metadata"]["resourceVersion"], there["metadata"].get("managedFields") or []
            if not needed(managed, keep):
                return
    raise ApiError(409, "Conflict", "the object keeps changing while its ownership is migrated")
