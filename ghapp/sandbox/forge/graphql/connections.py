"""Pages of a list, the Relay way: ``first``/``after``, ``last``/``before``, cursors, ``pageInfo`` and ``totalCount``.

A cursor names the item it stands for, and its place should the item be gone, so that an insertion repeats nothing.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ghapp.sandbox.forge.graphql.errors import Refused

MAXIMUM = 100  # items a page, as on GitHub


@dataclass(frozen=True, slots=True)
class Connection:
    """One page: ``items`` are those of the page, ``total`` counts all; ``start`` is the place of the first one."""

    everything: Sequence[Any]
    start: int
    end: int
    key: Callable[[Any], str]
    owner: Any = None

    @property
    def items(self) -> Sequence[Any]:
        return self.everything[self.start : self.end]

    @property
    def total(self) -> int:
        return len(self.everything)

    def cursor(self, index: int) -> str:
        return _cursor(index, self.key(self.everything[index]))


@dataclass(frozen=True, slots=True)
class Edge:
    """An item together with its cursor; ``owner`` is the record whose connection it is of."""

    node: Any
    cursor: str
    owner: Any


def paginate(
    name: str,
    everything: Sequence[Any],
    *,
    key: Callable[[Any], str],
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
    owner: Any = None,
) -> Connection:
    """One page of ``everything``; refuses, with GitHub's sentences, a page without bounds or beyond them."""
    _check(name, first, last)
    start = sum(_place(after, everything, key)) if after is not None else 0
    end = _place(before, everything, key)[0] if before is not None else len(everything)
    end = max(start, min(end, len(everything)))
    if first is not None:
        end = min(end, start + first)
    if last is not None:
        start = max(start, end - last)
    return Connection(everything, start, end, key, owner)


def edges(page: Connection) -> list[Edge]:
    return [Edge(page.everything[i], page.cursor(i), page.owner) for i in range(page.start, page.end)]


def page_info(page: Connection) -> dict[str, Any]:
    empty = page.start >= page.end
    return {
        "startCursor": None if empty else page.cursor(page.start),
        "endCursor": None if empty else page.cursor(page.end - 1),
        "hasPreviousPage": page.start > 0,
        "hasNextPage": page.end < page.total,
    }


def _check(name: str, first: int | None, last: int | None) -> None:
    if first is None and last is None:
        raise Refused(
            "MISSING_PAGINATION_BOUNDARIES",
            f"You must provide a `first` or `last` value to properly paginate the `{name}` connection.",
        )
    for bound, asked in (("first", first), ("last", last)):
        if asked is not None and asked < 0:
            raise Refused("ARGUMENT_ERROR", f"`{bound}` on the `{name}` connection cannot be less than zero.")
        if asked is not None and asked > MAXIMUM:
            raise Refused(
                "EXCESSIVE_PAGINATION",
                f"Requesting {asked} records on the `{name}` connection exceeds the `{bound}` limit of "
                f"{MAXIMUM} records.",
            )


def _cursor(index: int, key: str) -> str:
    return base64.b64encode(f"cursor:v2:{index}:{key}".encode()).decode()


def _place(cursor: str, everything: Sequence[Any], key: Callable[[Any], str]) -> tuple[int, bool]:
    """Where the cursor's item is and whether it still is: ``False`` when another one has taken its place."""
    try:
        mark, version, index, wanted = base64.b64decode(cursor, validate=True).decode().split(":", 3)
        place = int(index)
        if (mark, version) != ("cursor", "v2") or place < 0:
            raise ValueError(cursor)
    except (ValueError, binascii.Error):
        raise Refused("INVALID_CURSOR_ARGUMENTS", f"`{cursor}` does not appear to be a valid cursor.") from None
    if place < len(everything) and key(everything[place]) == wanted:
        return place, True
    found = next((i for i, item in enumerate(everything) if key(item) == wanted), None)
    return (min(place, len(everything)), False) if found is None else (found, True)
