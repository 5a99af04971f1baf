"""How GitHub writes times: ``DateTime`` in UTC, ``GitTimestamp`` with the offset that the commit has."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from graphql import GraphQLError, GraphQLScalarType, GraphQLSchema


def _in_utc(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _as_written(value: datetime) -> str:
    return value.isoformat(timespec="seconds").replace("+00:00", "Z")


def _moment(value: Any) -> datetime:
    try:
        parsed = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError:
        raise GraphQLError(f"{value!r} is not an ISO 8601 time") from None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def bind(schema: GraphQLSchema) -> None:
    """Give the schema's scalars their text forms."""
    for name, written in (("DateTime", _in_utc), ("GitTimestamp", _as_written)):
        scalar = schema.type_map[name]
        if not isinstance(scalar, GraphQLScalarType):
            raise TypeError(f"{name} is not a scalar")
        scalar.coerce_output_value = written
        if name == "DateTime":
            scalar.coerce_input_value = _moment
