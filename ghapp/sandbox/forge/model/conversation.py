"""What is attached to issues and pull requests: labels, reactions, pushes to a head, a wish to merge."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

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


@dataclass(slots=True, eq=False)
class TimelineEvent:
    """Something that happened to an issue or pull request; ``event`` is GitHub's word for it.

    ``subject`` is what it was done to: the label (labeled, unlabeled), the user or team (review_requested,
    review_request_removed), the review (review_dismissed). ``before`` and ``after`` are titles (renamed), branches
    (base_ref_changed), shas (head_ref_force_pushed, merged) or, of a dismissed review, its state and the reason given.
    Others: closed, reopened, convert_to_draft, ready_for_review, head_ref_deleted.
    """

    id: int
    node_id: str
    event: str
    actor: User
    created_at: datetime
    subject: Any = None
    before: str | None = None
    after: str | None = None
