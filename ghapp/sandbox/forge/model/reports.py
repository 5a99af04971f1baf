"""What is said about a commit and refers to nothing else: annotations, statuses, signatures, releases."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ghapp.sandbox.forge.model.accounts import User
from ghapp.sandbox.forge.model.apps import App

# Worst first: a suite's conclusion is the worst of its runs'.
CONCLUSIONS = (
    "startup_failure",
    "failure",
    "timed_out",
    "cancelled",
    "action_required",
    "stale",
    "success",
    "neutral",
    "skipped",
)


@dataclass(slots=True, eq=False)
class Annotation:
    """One line of a check run's report; ``annotation_level`` is ``notice``, ``warning`` or ``failure``."""

    path: str
    start_line: int
    end_line: int
    annotation_level: str
    message: str
    start_column: int | None = None
    end_column: int | None = None
    title: str | None = None
    raw_details: str | None = None


@dataclass(slots=True, eq=False)
class Status:
    """A commit status; the newest of each ``context`` counts. ``app`` is set when an installation made it."""

    id: int
    node_id: str
    sha: str
    state: str
    context: str
    creator: User
    created_at: datetime
    updated_at: datetime
    description: str | None = None
    target_url: str | None = None
    app: App | None = None


@dataclass(slots=True, eq=False)
class DeploymentStatus:
    """``state`` is error, failure, inactive, in_progress, queued, pending or success."""

    id: int
    node_id: str
    state: str
    creator: User
    created_at: datetime
    updated_at: datetime
    description: str = ""
    environment: str = ""
    environment_url: str = ""
    log_url: str = ""
    app: App | None = None


@dataclass(slots=True, eq=False)
class Verification:
    """What the forge knows of a commit's signature, for commits that it made or that carry one."""

    verified: bool
    reason: str
    signature: str | None = None
    payload: str | None = None
    signer: User | None = None


@dataclass(slots=True, eq=False)
class Release:
    """A GitHub release, which is a tag with notes; unrelated to what ghapp calls a release."""

    id: int
    node_id: str
    tag_name: str
    target_commitish: str
    author: User
    created_at: datetime
    published_at: datetime | None
    name: str | None = None
    body: str | None = None
    draft: bool = False
    prerelease: bool = False
