"""Records in the shapes of GitHub's published description, for REST answers and webhook payloads. Decides nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import overload


@overload
def moment(value: datetime) -> str: ...
@overload
def moment(value: None) -> None: ...
def moment(value: datetime | None) -> str | None:
    """A time as GitHub writes it: UTC, whole seconds, ``Z``."""
    return None if value is None else value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
