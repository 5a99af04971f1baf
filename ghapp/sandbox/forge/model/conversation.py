"""What is attached to issues and pull requests: labels, reactions, pushes to a head, a wish to merge."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ghapp.sandbox.forge.model.accounts import User

REACTIONS = ("+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes")

ReviewState = Literal["PENDING", "COMMENTED", "APPROVED", "CHANGES_REQUESTED", "DISMISSED"]


@dataclass(slots=True, eq=False)
class Label:
    """A repository's label."""

    id: int
    node_id: str
    name: str
    color: str = "ededed"
    description: str | None = None
    default: bool = False


@dataclass(slots=True, eq=False)
class Reaction:
    """One person's reaction; ``content`` is one of :data:`REACTIONS`."""

    id: int
    node_id: str
    user: User
    content: str
    created_at: datetime


@dataclass(slots=True, eq=False)
class HeadPush:
    """A push to a pull request's head: when, by whom, from what to what. The first one opened the pull request."""

    before: str | None
    after: str
    pushed_at: datetime
    pusher: User
    forced: bool = False


@dataclass(slots=True, eq=False)
class AutoMerge:
    """Somebody asked for the pull request to be merged as soon as it may be."""

    enabled_by: User
    merge_method: str
    enabled_at: datetime
    commit_title: str | None = None
    commit_message: str | None = None
