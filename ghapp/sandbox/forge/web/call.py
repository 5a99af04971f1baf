"""One request as its handler sees it: who asks, for which repository, with what parameters and body; and its reply."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urlencode

import orjson
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Request

from ghapp.sandbox.forge.model import Repository, State
from ghapp.sandbox.forge.web.actor import Actor
from ghapp.sandbox.forge.web.errors import ApiError, invalid, not_found, unprocessable
from ghapp.sandbox.forge.web.routing import Route

T = TypeVar("T")

_TYPES: dict[type, str] = {str: "a string", int: "an integer", bool: "a boolean", list: "an array", dict: "an object"}


@dataclass(slots=True)
class Reply:
    """What is sent back; ``body`` is JSON-able, or bytes with a ``Content-Type`` among the headers, or None."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    # What it counts for in the rate limit.
    cost: int = 1


class Body:
    """A request's JSON object, read field by field; what is missing or of the wrong type is GitHub's 422."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self.fields = fields

    def __contains__(self, name: str) -> bool:
        return name in self.fields

    def get(self, name: str) -> Any:
        return self.fields.get(name)

    def _typed(self, name: str, kind: type[T], default: T) -> T:
        value = self.fields.get(name)
        if value is None:
            return default
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise unprocessable(f"Invalid request.\n\nFor 'properties/{name}', {value!r} is not {_TYPES[kind]}.")
        return value

    def text(self, name: str, default: str = "") -> str:
        return self._typed(name, str, default)

    def optional_text(self, name: str) -> str | None:
        return self.text(name) if self.fields.get(name) is not None else None

    def required(self, name: str) -> str:
        """A string that must be there and not be empty."""
        if self.fields.get(name) is None:
            raise unprocessable(f'Invalid request.\n\n"{name}" wasn\'t supplied.')
        return self.text(name)

    def integer(self, name: str, default: int = 0) -> int:
        return self._typed(name, int, default)

    def optional_integer(self, name: str) -> int | None:
        return self.integer(name) if self.fields.get(name) is not None else None

    def flag(self, name: str, default: bool = False) -> bool:
        return self._typed(name, bool, default)

    def items(self, name: str) -> list[Any]:
        return self._typed(name, list, [])

    def texts(self, name: str) -> list[str]:
        values = self.items(name)
        if not all(isinstance(value, str) for value in values):
            raise unprocessable(f"Invalid request.\n\nFor 'properties/{name}', not all items are strings.")
        return values

    def objects(self, name: str) -> list[Body]:
        """A list of objects, each to be read field by field."""
        values = self.items(name)
        if not all(isinstance(value, dict) for value in values):
            raise unprocessable(f"Invalid request.\n\nFor 'properties/{name}', not all items are objects.")
        return [Body(value) for value in values]

    def names(self, name: str) -> list[str]:
        """A list of names, plain or as objects with one, which is how labels are given."""
        given = [value.get("name") if isinstance(value, dict) else value for value in self.items(name)]
        names = [value for value in given if isinstance(value, str) and value]
        if len(names) < len(given):
            raise unprocessable(f"Invalid request.\n\nFor 'properties/{name}', not all items are names.")
        return names

    def mapping(self, name: str) -> dict[str, Any]:
        return self._typed(name, dict, {})

    def choice(self, name: str, choices: Sequence[str], default: str) -> str:
        value = self.text(name, default)
        if value not in choices:
            listed = ", ".join(choices)
            raise unprocessable(f"Invalid request.\n\nFor 'properties/{name}', {value} is not a member of [{listed}].")
        return value

    def moment(self, name: str) -> datetime | None:
        """An ISO 8601 time."""
        value = self.optional_text(name)
        if value is None:
            return None
        try:
            return datetime.fromisoformat(value.replace("Z", "+00:00"))
        except ValueError:
            raise unprocessable(f"Invalid request.\n\nFor 'properties/{name}', {value} is not a date-time.") from None


@dataclass(slots=True)
class Call:
    """One request on its way through the forge. ``repository`` is set for routes below ``/repos/{owner}/{repo}``."""

    state: State
    request: Request
    actor: Actor
    route: Route
    params: dict[str, str]
    found_repository: Repository | None = None
    _body: Body | None = None

    @property
    def repository(self) -> Repository:
        if self.found_repository is None:
            raise not_found()
        return self.found_repository

    @property
    def query(self) -> MultiDict[str, str]:
        return self.request.args

    @property
    def body(self) -> Body:
        if self._body is None:
            data = self.request.get_data(cache=True)
            try:
                parsed = orjson.loads(data) if data.strip() else {}
            except orjson.JSONDecodeError:
                raise ApiError(400, "Problems parsing JSON") from None
            if not isinstance(parsed, dict):
                raise ApiError(400, "Body should be a JSON object")
            self._body = Body(parsed)
        return self._body

    def number(self, name: str) -> int:
        """A path parameter that must be a number; anything else does not exist."""
        try:
            return int(self.params[name])
        except ValueError:
            raise not_found() from None

    def accepts(self, media: str) -> bool:
        """Whether the client asked for one of GitHub's media types, such as ``raw`` or ``diff``."""
        accept = self.request.headers.get("Accept", "")
        return any(kind in accept for kind in (f"vnd.github.{media}", f"vnd.github.v3.{media}"))

    def page(
        self,
        items: Sequence[T],
        serialize: Callable[[T], Any],
        envelope: str = "",
        total: int | None = None,
        extra: dict[str, Any] | None = None,
    ) -> Reply:
        """One page of ``items`` with a ``Link`` header; inside ``{"total_count", envelope: [...]}`` when named."""
        per_page = min(max(self._positive("per_page", 30), 1), 100)
        number = max(self._positive("page", 1), 1)
        last = max(1, -(-len(items) // per_page))
        listed = [serialize(item) for item in items[(number - 1) * per_page : number * per_page]]
        headers = self._links(number, last)
        if not envelope:
            return Reply(listed, headers=headers)
        return Reply(
            {"total_count": len(items) if total is None else total, **(extra or {}), envelope: listed}, 200, headers
        )

    def _positive(self, name: str, default: int) -> int:
        try:
            return int(self.query.get(name, default))
        except ValueError:
            return default

    def _links(self, number: int, last: int) -> dict[str, str]:
        targets: list[tuple[str, int]] = []
        if number > 1:
            targets += [("prev", min(number - 1, last)), ("first", 1)]
        if number < last:
            targets += [("next", number + 1), ("last", last)]
        return self.links([(relation, {"page": str(page)}) for relation, page in targets])

    def links(self, targets: Sequence[tuple[str, dict[str, str]]]) -> dict[str, str]:
        """A ``Link`` header from (relation, changed query parameters)."""
        if not targets:
            return {}
        kept = self.query.to_dict()
        url = f"{self.state.web_url}{self.request.environ['RAW_PATH']}"
        return {"Link": ", ".join(f'<{url}?{urlencode({**kept, **q})}>; rel="{rel}"' for rel, q in targets)}


def one_of(value: str, choices: Sequence[str], resource: str, name: str) -> str:
    """``value`` if it is among ``choices``, else 422 for that field."""
    if value not in choices:
        raise invalid(resource, name)
    return value
