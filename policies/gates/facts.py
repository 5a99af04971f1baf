"""What a promotion is judged by: everything that the gates may know, as plain frozen data.

What is not here does not exist for a gate. Nothing here decides; nothing here is read from anywhere. Shapes only, so
that last month's facts, written as JSON, can be judged again by a changed policy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from policies.approval.facts import Facts as PullRequest
from policies.evidence import Evidence
from policies.scope import Place


class Kind(StrEnum):
    """What a promotion is: the usual road, back to an earlier release, or past environments in between."""

    PROMOTION = "promotion"
    ROLLBACK = "rollback"
    HOTFIX = "hotfix"


class Strategy(StrEnum):
    LATEST = "latest"
    QUEUE = "queue"
    MATCH = "match"
    MANUAL = "manual"


class Order(StrEnum):
    """Where the release that an upstream runs stands, seen from the one that is judged."""

    OLDER = "older"
    SAME = "same"
    NEWER = "newer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A source commit. A login is GitHub's, ``None`` where GitHub knows no user for the address.

    ``co_authors`` holds one entry for each ``Co-authored-by:`` trailer, ``None`` likewise.
    """

    sha: str
    author: str | None
    committer: str | None = None
    committed_via_web: bool = False
    co_authors: tuple[str | None, ...] = ()
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What would be deployed. ``images`` maps a repository to its digest (``sha256:…``); ``tags`` are image tags.

    ``commits`` are those that this release brings to the environment: reachable from its source commit and not from
    that of what is deployed there. ``commits_complete`` is false where the list had to be cut. ``built_by`` is who
    pushed or started the build; ``evidence`` all statements on the source commit and the images.
    """

    id: str
    commit: str
    created_at: datetime
    images: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    ref: str = ""
    commits: tuple[Commit, ...] = ()
    commits_complete: bool = True
    built_by: str | None = None
    evidence: tuple[Evidence, ...] = ()
    rejected: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """An environment as ``.ghapp.yml`` declares it. ``after`` are its upstreams; ``after_any``: one of them is enough.

    ``gates`` are the entries under ``gates:`` and ``checks`` those under ``checks:``, as written (plain data); ``file``
    and ``line`` are where it is declared.
    """

    name: str
    after: tuple[str, ...] = ()
    after_any: bool = False
    strategy: Strategy = Strategy.LATEST
    approvals: int = 0
    rollback_approvals: int = 0
    filter: str = ""
    checks: tuple[object, ...] = ()
    gates: tuple[Mapping[str, object], ...] = ()
    file: str = ".ghapp.yml"
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """An environment that has to go first. ``release`` is what it runs (``None``: nothing), ``order`` seen from ours.

    ``healthy_since`` is when *its present release* last became healthy there, ``None`` while it is not; ``state`` is a
    GitHub Deployment's (``success``, ``failure``, ``in_progress`` …) or ``""`` before the first report. ``soak`` is
    how long it has to stay healthy. ``no_op``: our release changes nothing there, and so was recorded, not deployed.
    """

    environment: str
    release: str | None = None
    order: Order | None = None
    healthy_since: datetime | None = None
    state: str = ""
    soak: timedelta = timedelta()
    message: str = ""
    no_op: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A review of the promotion's pull request; ``state`` as GitHub writes it (``APPROVED``, ``DISMISSED`` …)."""

    author: str | None
    state: str
    commit: str
    submitted_at: datetime
    body: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A check run or commit status on ``commit``. ``conclusion`` is empty while it runs.

    ``app_id`` and ``app`` (the slug) are those of the App that made the run; a status has neither but a ``creator``.
    """

    name: str
    commit: str
    conclusion: str = ""
    app_id: int | None = None
    app: str = ""
    creator: str = ""
    url: str = ""
    summary: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Someone has said: not now. ``what`` says how (a label, ``/hold``, a rollback)."""

    by: str | None
    since: datetime | None = None
    reason: str = ""
    what: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """An emergency stop. ``environment`` and ``app`` are empty where it means all of them."""

    by: str | None
    since: datetime | None = None
    reason: str = ""
    environment: str = ""
    app: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a job recorded of one http, job or metric gate, for this release in this environment.

    ``status`` is the HTTP status, or the exit status of a Kubernetes Job (``None`` while it runs); ``samples`` are a
    metric's values with their times, oldest first; ``error`` why there is no answer. ``host`` is whom was asked, after
    redirects. ``since`` is when it was first asked for this head.
    """

    gate: str
    at: datetime
    since: datetime | None = None
    status: int | None = None
    body: str = ""
    samples: tuple[tuple[datetime, float], ...] = ()
    error: str = ""
    host: str = ""
    head_sha: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """One promotion at one moment: ``release`` of ``app`` into ``environment``, proposed at ``head_sha``.

    ``evidence`` is about the rendered manifests at ``head_sha`` (the release's own evidence stands in the release).
    ``permissions`` maps a login to ``read``, ``triage``, ``write``, ``maintain`` or ``admin``; absent: none.
    ``team_members`` maps ``organisation/team`` to logins; a team that could not be read is absent.
    ``requested_by`` is who asked for it by a command, ``None`` where it came by itself. ``skipped`` are the
    environments that a hotfix passes by. ``break_glass`` is the reason given with the label of that name.
    ``pull_request`` is what approval policies may ask of it; ``None``: made of the rest, without its comments.
    ``automatic``: merged by ghapp once every gate passes, else by a person. ``allowed_hosts`` are those that http and
    metric gates may ask, globs, from the installation's settings.
    """

    repository: str
    app: str
    environment: Environment
    release: Release
    head_sha: str
    kind: Kind = Kind.PROMOTION
    number: int = 0
    requested_by: str | None = None
    reason: str = ""
    break_glass: str = ""
    skipped: tuple[str, ...] = ()
    upstreams: tuple[Upstream, ...] = ()
    reviews: tuple[Review, ...] = ()
    permissions: Mapping[str, str] = field(default_factory=dict)
    team_members: Mapping[str, frozenset[str]] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    labels: frozenset[str] = frozenset()
    holds: tuple[Hold, ...] = ()
    stops: tuple[Stop, ...] = ()
    results: tuple[Result, ...] = ()
    pull_request: PullRequest | None = None
    automatic: bool = True
    allowed_hosts: tuple[str, ...] = ()

    @property
    def place(self) -> Place:
        branch = self.release.ref.removeprefix("refs/heads/") if self.release.ref.startswith("refs/heads/") else ""
        return Place(self.repository, self.app, self.environment.name, branch)
