"""What GraphQL answers when it cannot or will not: GitHub's error types and its very sentences.

``Refused`` is raised by resolvers; nothing here decides whether to refuse.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphql import GraphQLError

UNEXPECTED = "Something went wrong while executing your query. Please include the request id when reporting this issue."


class Refused(Exception):
    """A field that GitHub would answer with null and an error of this ``type``."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.type = kind


def not_found(kind: str, said: str) -> Refused:
    """``not_found("Repository", "with the name 'a/b'")``; GitHub minds its vowels: *an Issue*, *a User*."""
    article = "an" if kind[0] in "AEIOaeio" else "a"
    return Refused("NOT_FOUND", f"Could not resolve to {article} {kind} {said}.")


def no_node(node_id: str) -> Refused:
    return not_found("node", f"with the global id of '{node_id}'")


def inaccessible() -> Refused:
    """What an app is told that lacks the permission."""
    return Refused("FORBIDDEN", "Resource not accessible by integration")


def unprocessable(message: str) -> Refused:
    """A mutation whose input cannot be carried out."""
    return Refused("UNPROCESSABLE", message)


def formatted(errors: Sequence[GraphQLError]) -> list[dict[str, Any]]:
    """Errors as they stand in a response."""
    return [_formatted(error) for error in errors]


def _formatted(error: GraphQLError) -> dict[str, Any]:
    shape: dict[str, Any] = {}
    original = error.original_error
    message = error.message
    if isinstance(original, Refused):
        shape["type"] = original.type
        if original.type == "FORBIDDEN":
            shape["extensions"] = {"saml_failure": False}
    elif original is not None and not isinstance(original, GraphQLError):
        message = UNEXPECTED
    if error.path:
        shape["path"] = list(error.path)
    if error.locations:
        shape["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    shape["message"] = message
    return shape
