"""Refusals in GitHub's own words and shapes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DOCUMENTATION = "https://docs.github.com/rest"


class ApiError(Exception):
    """A request that is refused: HTTP ``status``, GitHub's ``message`` and, for 422, its list of ``errors``."""

    def __init__(
        self,
        status: int,
        message: str,
        errors: list[Any] | None = None,
        headers: Mapping[str, str] | None = None,
        documentation_url: str = DOCUMENTATION,
    ) -> None:
        super().__init__(f"{status} {message}" + (f" {errors}" if errors else ""))
        self.status, self.message, self.errors = status, message, errors
        self.headers = dict(headers or {})
        self.documentation_url = documentation_url

    def body(self) -> dict[str, Any]:
        errors = {"errors": self.errors} if self.errors is not None else {}
        return {
            "message": self.message,
            **errors,
            "documentation_url": self.documentation_url,
            "status": str(self.status),
        }


def not_found() -> ApiError:
    """What strangers are told of private things and everybody of absent ones."""
    return ApiError(404, "Not Found")


def invalid(resource: str, field: str, code: str = "invalid", message: str | None = None) -> ApiError:
    """422 for one field; ``code`` is missing, missing_field, invalid, already_exists or (with a message) custom."""
    error: dict[str, Any] = {"resource": resource, "field": field, "code": code}
    if message is not None:
        error["message"] = message
    return ApiError(422, "Validation Failed", [error])


def unprocessable(message: str) -> ApiError:
    """422 with a sentence and no list of fields."""
    return ApiError(422, message)


def forbidden_integration(accepted: str) -> ApiError:
    """403 for an installation token that lacks a permission; ``accepted`` names what would do."""
    headers = {"X-Accepted-GitHub-Permissions": accepted} if accepted else {}
    return ApiError(403, "Resource not accessible by integration", headers=headers)
