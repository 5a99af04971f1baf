"""Something that happened and that apps may want to hear of. Who hears of it is decided where webhooks are sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ghapp.sandbox.forge.model.accounts import Organization, User
from ghapp.sandbox.forge.model.apps import App, Installation
from ghapp.sandbox.forge.model.repositories import Repository


@dataclass(frozen=True, slots=True)
class Event:
    """``payload`` makes what is peculiar to the event, at the moment of publishing and only if someone listens.

    ``app`` or ``installation`` narrow who is told; with ``unsolicited`` they are told without having subscribed.
    """

    name: str
    action: str | None
    sender: User
    payload: Callable[[], dict[str, Any]]
    repository: Repository | None = None
    organization: Organization | None = None
    app: App | None = None
    installation: Installation | None = None
    unsolicited: bool = False
