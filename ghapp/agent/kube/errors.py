"""What an API server's refusals mean to the agent: try again, never try again, or a person has to act.

Values of Secrets never leave this module: messages about them are rewritten before anyone sees them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import orjson

# Failures of the request itself that the API server gives as HTTP 500.
_PERMANENT_500 = (
    "failed to create typed",
    "failed to convert new object",
    "failed to update object",
    "unable to convert",
)


class ApiError(Exception):
    """A refusal: HTTP ``code``, Kubernetes ``reason`` and the server's own ``message``."""

    def __init__(self, code: int, reason: str, message: str, causes: tuple[dict[str, Any], ...] = ()) -> None:
        self.code, self.reason, self.message, self.causes = code, reason, message, causes
        super().__init__(message)

    @property
    def conflict_of_fields(self) -> bool:
        return self.code == 409 and any(c.get("reason") == "FieldManagerConflict" for c in self.causes)

    @property
    def transient(self) -> bool:
        """Whether the same request may succeed later without anyone changing anything."""
        if self.code in (408, 429) or self.code in (502, 503, 504):
            return True
        return self.code == 500 and not any(text in self.message for text in _PERMANENT_500)


class Unreachable(Exception):
    """The API server gave no answer for as long as we were willing to wait."""


def from_response(code: int, raw: bytes) -> ApiError:
    """The error in an answer's body: a Status object, or whatever a proxy wrote."""
    try:
        status: Any = orjson.loads(raw)
    except orjson.JSONDecodeError:
        status = None
    if not isinstance(status, dict):
        text = raw.decode("utf-8", "replace").strip()
        return ApiError(code, "", text[:500] or f"HTTP {code}")
    causes = (status.get("details") or {}).get("causes") or ()
    message = str(status.get("message") or f"HTTP {code}")
    return ApiError(code, str(status.get("reason") or ""), message, tuple(c for c in causes if isinstance(c, dict)))


_ECHO = re.compile(r"(got|Invalid value:|Value:|invalid value|unexpected)\s.*", re.DOTALL)


def redacted(message: str, secrets: Iterable[str]) -> str:
    """A message about a Secret without any of its values: known ones masked, echoes of unknown ones cut."""
    for value in sorted({s for s in secrets if s}, key=len, reverse=True):
        message = message.replace(value, "***")
    return _ECHO.sub(r"\1 a value that is not shown", message)
