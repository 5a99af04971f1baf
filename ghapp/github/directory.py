"""Where each repository is: its installation and its present name, by id. What a webhook says is remembered as a hint.

Losing it costs one walk over the installations; a wrong entry is found out by the first call and looked up again.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from ghapp.github.shared import Store

_SECONDS = 7 * 86_400


@dataclass(frozen=True, slots=True)
class Place:
    """One repository the app is installed on."""

    repository: int
    full_name: str
    installation: int


class Directory:
    def __init__(self, store: Store) -> None:
        self._store = store

    def remember(self, place: Place) -> None:
        text = json.dumps(asdict(place))
        self._store.set(f"ghapp:place:{place.repository}", text, seconds=_SECONDS)
        self._store.set(f"ghapp:place:{place.full_name.lower()}", text, seconds=_SECONDS)

    def find(self, repository: int | str) -> Place | None:
        """By id, or by ``owner/name``."""
        key = repository.lower() if isinstance(repository, str) else repository
        text = self._store.get(f"ghapp:place:{key}")
        return Place(**json.loads(text)) if text else None

    def forget(self, repository: int) -> None:
        if (place := self.find(repository)) is not None:
            self._store.delete(f"ghapp:place:{repository}")
            self._store.delete(f"ghapp:place:{place.full_name.lower()}")
