"""The API server's refusals: ``Status`` objects, in the words that clients match on.

One class carries them all; the functions below make the ones that have a reason of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason why an object is invalid. ``message`` begins with what follows the field's path."""

    field: str
    message: str
    reason: str = "FieldValueInvalid"

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


class ApiError(Exception):
    """A request that is refused; ``status`` is the JSON object that says why."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        *,
        details: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.headers = headers or {}
        self.status: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
        }
        if reason:
            self.status["reason"] = reason
        if details:
            self.status["details"] = {k: v for k, v in details.items() if v not in ("", None, [])}
        self.status["code"] = code


def qualified(plural: str, group: str) -> str:
    return f"{plural}.{group}" if group else plural


def bad_request(message: str) -> ApiError:
    return ApiError(400, "BadRequest", message)


def unauthorized() -> ApiError:
    return ApiError(401, "Unauthorized", "Unauthorized")


def forbidden(plural: str, group: str, name: str, why: str) -> ApiError:
    target = f'{qualified(plural, group)} "{name}"' if name else qualified(plural, group)
    details = {"name": name, "group": group, "kind": plural}
    return ApiError(403, "Forbidden", f"{target} is forbidden: {why}", details=details)


def not_found(plural: str, group: str, name: str, uid: str = "") -> ApiError:
    details = {"name": name, "group": group, "kind": plural, "uid": uid}
    return ApiError(404, "NotFound", f'{qualified(plural, group)} "{name}" not found', details=details)


def no_such_path() -> ApiError:
    """An address that the server does not serve at all."""
    return ApiError(404, "NotFound", "the server could not find the requested resource", details={})


def method_not_allowed() -> ApiError:
    return ApiError(
        405, "MethodNotAllowed", "the server does not allow this method on the requested resource", details={}
    )


def not_acceptable() -> ApiError:
    return ApiError(
        406,
        "NotAcceptable",
        "only the following media types are accepted: application/json, application/json;stream=watch",
    )


def already_exists(plural: str, group: str, name: str) -> ApiError:
    details = {"name": name, "group": group, "kind": plural}
    return ApiError(409, "AlreadyExists", f'{qualified(plural, group)} "{name}" already exists', details=details)


def conflict(plural: str, group: str, name: str, why: str) -> ApiError:
    details = {"name": name, "group": group, "kind": plural}
    message = f'Operation cannot be fulfilled on {qualified(plural, group)} "{name}": {why}'
    return ApiError(409, "Conflict", message, details=details)


STALE = "the object has been modified; please apply your changes to the latest version and try again"


def apply_conflict(message: str, causes: list[dict[str, Any]]) -> ApiError:
    return ApiError(409, "Conflict", message, details={"causes": causes})


def expired(message: str) -> ApiError:
    return ApiError(410, "Expired", message)


def too_old(asked: int, oldest: int) -> ApiError:
    return expired(f"too old resource version: {asked} ({oldest})")


def too_large(limit: int) -> ApiError:
    return ApiError(413, "RequestEntityTooLarge", f"Request entity too large: limit is {limit}")


def unsupported_media_type(accepted: Sequence[str]) -> ApiError:
    message = "the body of the request was in an unknown format - accepted media types include: " + ", ".join(accepted)
    return ApiError(415, "UnsupportedMediaType", message)


def invalid(kind: str, group: str, name: str, causes: Sequence[Cause]) -> ApiError:
    texts = list(dict.fromkeys(map(str, causes)))
    said = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    details = {
        "name": name,
        "group": group,
        "kind": kind,
        "causes": [{"reason": c.reason, "message": c.message, "field": c.field} for c in causes],
    }
    return ApiError(422, "Invalid", f'{qualified(kind, group)} "{name}" is invalid: {said}', details=details)


def too_many_requests(retry_after: int) -> ApiError:
    return ApiError(
        429,
        "TooManyRequests",
        "the server has received too many requests and has asked us to try again later",
        details={"retryAfterSeconds": retry_after},
        headers={"Retry-After": str(retry_after)},
    )


def internal(message: str, *, reason: str = "") -> ApiError:
    """What a real server answers to an object whose types are wrong: a 500 that will not go away by itself."""
    return ApiError(500, reason, message)


def unavailable(message: str = "the server is currently unable to handle the request") -> ApiError:
    return ApiError(503, "ServiceUnavailable", message)


def required(field: str, detail: str = "") -> Cause:
    return Cause(field, "Required value" + (f": {detail}" if detail else ""), "FieldValueRequired")


def wrong(field: str, value: Any, detail: str) -> Cause:
    return Cause(field, f"Invalid value: {_shown(value)}: {detail}")


def unsupported(field: str, value: Any, supported: Sequence[str]) -> Cause:
    listed = ", ".join(f'"{s}"' for s in supported)
    return Cause(field, f"Unsupported value: {_shown(value)}: supported values: {listed}", "FieldValueNotSupported")


def duplicate(field: str, value: Any) -> Cause:
    return Cause(field, f"Duplicate value: {_shown(value)}", "FieldValueDuplicate")


def field_forbidden(field: str, detail: str) -> Cause:
    return Cause(field, f"Forbidden: {detail}", "FieldValueForbidden")


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    return orjson.dumps(value).decode()
