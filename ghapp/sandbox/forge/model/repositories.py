"""A repository and everything in it that leads back to it: issues, pull requests, reviews, checks, deployments.

They stand in one file because each refers to the others. Commits, trees and refs are git's: ``repository.git``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from ghapp.sandbox.forge.git.store import GitStore
from ghapp.sandbox.forge.model.accounts import Account, Permission, Team, User
from ghapp.sandbox.forge.model.apps import App
from ghapp.sandbox.forge.model.conversation import AutoMerge, HeadPush, Label, Reaction, ReviewState, TimelineEvent
from ghapp.sandbox.forge.model.protection import BranchProtection
from ghapp.sandbox.forge.model.reports import CONCLUSIONS, Annotation, DeploymentStatus, Release, Status, Verification


@dataclass(slots=True, eq=False)
class Repository:
    """A repository. ``issues`` holds pull requests too, by number; ``statuses`` are oldest first.

    ``web_commits`` are the shas of commits that were made through the API or a page (``committedViaWeb``);
    ``pushed_dates`` says when a sha first arrived.
    """

    id: int
    node_id: str
    owner: Account
    name: str
    git: GitStore
    created_at: datetime
    updated_at: datetime
    pushed_at: datetime
    default_branch: str = "main"
    visibility: Literal["public", "private", "internal"] = "public"
    description: str | None = None
    homepage: str | None = None
    archived: bool = False
    parent: Repository | None = None
    topics: list[str] = field(default_factory=list)
    allow_merge_commit: bool = True
    allow_squash_merge: bool = True
    allow_rebase_merge: bool = True
    allow_auto_merge: bool = False
    allow_update_branch: bool = False
    delete_branch_on_merge: bool = False
    collaborators: dict[int, Permission] = field(default_factory=dict)
    protections: list[BranchProtection] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    issues: dict[int, Issue] = field(default_factory=dict)
    check_suites: list[CheckSuite] = field(default_factory=list)
    statuses: dict[str, list[Status]] = field(default_factory=dict)
    workflow_runs: list[WorkflowRun] = field(default_factory=list)
    deployments: list[Deployment] = field(default_factory=list)
    releases: list[Release] = field(default_factory=list)
    web_commits: set[str] = field(default_factory=set)
    verifications: dict[str, Verification] = field(default_factory=dict)
    pushed_dates: dict[str, datetime] = field(default_factory=dict)
    # Which pull requests a commit is or was part of, by number.
    pulls_by_commit: dict[str, set[int]] = field(default_factory=dict)
    _suites: dict[str, list[CheckSuite]] = field(default_factory=dict)

    @property
    def full_name(self) -> str:
        return f"{self.owner.login}/{self.name}"

    @property
    def private(self) -> bool:
        return self.visibility != "public"

    @property
    def fork(self) -> bool:
        return self.parent is not None

    @property
    def pulls(self) -> list[PullRequest]:
        """All pull requests, oldest first."""
        return [issue for issue in list(self.issues.values()) if isinstance(issue, PullRequest)]

    def pull(self, number: int) -> PullRequest | None:
        found = self.issues.get(number)
        return found if isinstance(found, PullRequest) else None

    def label(self, name: str) -> Label | None:
        return next((label for label in self.labels if label.name.lower() == name.lower()), None)

    def protection(self, branch: str) -> BranchProtection | None:
        """The rules of one branch; an exact name wins over a glob."""
        matching = [rule for rule in self.protections if rule.matches(branch)]
        return min(matching, key=lambda rule: rule.pattern != branch, default=None)

    def add_suite(self, suite: CheckSuite) -> None:
        self.check_suites.append(suite)
        self._suites.setdefault(suite.head_sha, []).append(suite)

    def suites_of(self, sha: str) -> list[CheckSuite]:
        return list(self._suites.get(sha, ()))

    def latest_statuses(self, sha: str) -> list[Status]:
        """The newest status of each context, newest first."""
        newest = {status.context: status for status in list(self.statuses.get(sha, ()))}
        return sorted(newest.values(), key=lambda status: -status.id)


@dataclass(slots=True, eq=False)
class Issue:
    """An issue. ``id``/``node_id`` are the issue's; a pull request has its own as well."""

    id: int
    node_id: str
    repository: Repository
    number: int
    title: str
    user: User
    created_at: datetime
    updated_at: datetime
    body: str | None = None
    state: Literal["open", "closed"] = "open"
    state_reason: str | None = None
    closed_at: datetime | None = None
    closed_by: User | None = None
    last_edited_at: datetime | None = None
    editor: User | None = None
    locked: bool = False
    labels: list[Label] = field(default_factory=list)
    assignees: list[User] = field(default_factory=list)
    comments: list[IssueComment] = field(default_factory=list)
    reactions: list[Reaction] = field(default_factory=list)
    events: list[TimelineEvent] = field(default_factory=list)
    performed_via_app: App | None = None


@dataclass(slots=True, eq=False)
class IssueComment:
    """A comment on an issue or on a pull request's conversation. ``last_edited_at`` is None until the body changes.

    ``minimized_reason`` is set while the comment is hidden: abuse, off-topic, outdated, resolved, duplicate or spam.
    """

    id: int
    node_id: str
    issue: Issue
    user: User
    body: str
    created_at: datetime
    updated_at: datetime
    last_edited_at: datetime | None = None
    editor: User | None = None
    performed_via_app: App | None = None
    minimized_reason: str | None = None
    reactions: list[Reaction] = field(default_factory=list)


@dataclass(slots=True, eq=False, kw_only=True)
class PullRequest(Issue):
    """A pull request. ``head_repository`` is None once the fork is deleted; shas are kept up to date on push."""

    pull_id: int
    pull_node_id: str
    head_repository: Repository | None
    head_owner: str
    head_ref: str
    head_sha: str
    base_ref: str
    base_sha: str
    draft: bool = False
    merged_at: datetime | None = None
    merged_by: User | None = None
    merge_commit_sha: str | None = None
    maintainer_can_modify: bool = False
    requested_reviewers: list[User] = field(default_factory=list)
    requested_teams: list[Team] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)
    review_comments: list[ReviewComment] = field(default_factory=list)
    head_pushes: list[HeadPush] = field(default_factory=list)
    auto_merge: AutoMerge | None = None
    # Whether it merges cleanly, and for which (base, head) that was found out.
    mergeable: bool | None = None
    mergeable_for: tuple[str, str] | None = None

    @property
    def merged(self) -> bool:
        return self.merged_at is not None

    @property
    def is_cross_repository(self) -> bool:
        return self.head_repository is not self.repository


@dataclass(slots=True, eq=False)
class Review:
    """A review. ``commit_id`` is the head it was given on; ``on_behalf_of`` the requested teams it answers for."""

    id: int
    node_id: str
    pull: PullRequest
    user: User
    body: str
    state: ReviewState
    commit_id: str
    created_at: datetime
    updated_at: datetime
    submitted_at: datetime | None = None
    last_edited_at: datetime | None = None
    editor: User | None = None
    on_behalf_of: list[Team] = field(default_factory=list)
    minimized_reason: str | None = None
    reactions: list[Reaction] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class ReviewComment:
    """A comment on a line of the diff; part of ``review``."""

    id: int
    node_id: str
    pull: PullRequest
    review: Review
    user: User
    body: str
    path: str
    commit_id: str
    original_commit_id: str
    diff_hunk: str
    created_at: datetime
    updated_at: datetime
    line: int | None = None
    original_line: int | None = None
    side: str = "RIGHT"
    start_line: int | None = None
    start_side: str | None = None
    subject_type: str = "line"
    in_reply_to_id: int | None = None
    last_edited_at: datetime | None = None
    editor: User | None = None
    minimized_reason: str | None = None
    reactions: list[Reaction] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class CheckSuite:
    """All check runs of one app on one commit. Made by the forge on push, for every app with ``checks: write``."""

    id: int
    node_id: str
    repository: Repository
    app: App
    head_sha: str
    head_branch: str | None
    created_at: datetime
    updated_at: datetime
    before: str | None = None
    after: str | None = None
    runs: list[CheckRun] = field(default_factory=list)

    def latest_runs(self) -> list[CheckRun]:
        """The newest run of each name, which is what GitHub judges by."""
        return list({run.name: run for run in list(self.runs)}.values())

    @property
    def status(self) -> str:
        runs = self.latest_runs()
        if not runs:
            return "queued"
        if all(run.status == "completed" for run in runs):
            return "completed"
        return "queued" if all(run.status == "queued" for run in runs) else "in_progress"

    @property
    def conclusion(self) -> str | None:
        if self.status != "completed":
            return None
        return min((run.conclusion or "neutral" for run in self.latest_runs()), key=CONCLUSIONS.index)


@dataclass(slots=True, eq=False)
class CheckRun:
    """A check run. ``status`` is ``queued``, ``in_progress`` or ``completed``; ``conclusion`` only when completed."""

    id: int
    node_id: str
    repository: Repository
    suite: CheckSuite
    name: str
    head_sha: str
    started_at: datetime | None
    status: str = "queued"
    conclusion: str | None = None
    completed_at: datetime | None = None
    details_url: str | None = None
    external_id: str = ""
    title: str | None = None
    summary: str | None = None
    text: str | None = None
    annotations: list[Annotation] = field(default_factory=list)
    actions: list[dict[str, str]] = field(default_factory=list)

    @property
    def app(self) -> App:
        return self.suite.app


@dataclass(slots=True, eq=False)
class WorkflowRun:
    """A run of a GitHub Actions workflow. The forge runs none: tests and people put them there."""

    id: int
    node_id: str
    repository: Repository
    name: str
    path: str
    head_sha: str
    head_branch: str
    event: str
    actor: User
    created_at: datetime
    updated_at: datetime
    status: str = "queued"
    conclusion: str | None = None
    run_number: int = 1
    run_attempt: int = 1
    workflow_id: int = 1
    check_suite_id: int = 0


@dataclass(slots=True, eq=False)
class Deployment:
    """A request to deploy ``sha`` to ``environment``; ``statuses`` oldest first."""

    id: int
    node_id: str
    repository: Repository
    sha: str
    ref: str
    task: str
    environment: str
    creator: User
    created_at: datetime
    updated_at: datetime
    payload: Any = field(default_factory=dict)
    description: str | None = None
    original_environment: str = ""
    transient_environment: bool = False
    production_environment: bool = False
    statuses: list[DeploymentStatus] = field(default_factory=list)
    app: App | None = None
