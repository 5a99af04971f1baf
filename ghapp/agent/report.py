"""Step 14, report: what a pass came to, in numbers and in words, for JSON, GitHub, events and people. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ghapp.agent.objects import Drift, Failure

_MOST = 20  # failures that are told one by one to GitHub


@dataclass(frozen=True)
class AppOutcome:
    """One app's part. ``state`` is GitHub's word for it."""

    app: str
    objects: int
    failures: tuple[Failure, ...] = ()
    release: str = ""
    source_commit: str = ""
    tree: str = ""
    held: bool = False

    @property
    def state(self) -> str:
        if not self.failures:
            return "success"
        return "error" if self.held else "failure"

    def as_json(self) -> dict[str, Any]:
        return {
            "app": self.app,
            "state": self.state,
            "description": described(self.failures, self.objects),
            "release": self.release,
            "source_commit": self.source_commit,
            "tree": self.tree,
            "objects": self.objects,
            "errors": [f.as_json() for f in self.failures[:_MOST]],
        }


@dataclass
class Outcome:
    """One pass over one environment.

    ``sha`` is what was tried, ``applied_sha`` the newest commit that is wholly applied. ``stopped`` says why nothing
    was tried at all (suspended, no branch, not signed); ``plan`` is the difference that ``--plan`` prints.
    """

    environment: str
    sha: str = ""
    applied_sha: str = ""
    objects: int = 0
    created: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    pruned: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    drift: list[Drift] = field(default_factory=list)
    conflicts: list[Failure] = field(default_factory=list)
    apps: list[AppOutcome] = field(default_factory=list)
    suspended: bool = False
    stopped: str = ""
    plan: str | None = None
    requests: int = 0
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        return not self.failures and not self.stopped and not self.suspended

    @property
    def state(self) -> str:
        """GitHub's word: ``error`` where nothing could be tried."""
        return "success" if self.ok else "error" if self.stopped else "failure"

    @property
    def description(self) -> str:
        if self.suspended:
            return "suspended: nothing is applied and nothing is pruned"
        return self.stopped or described(self.failures, self.objects)

    def errors(self) -> list[Failure]:
        stop = self.stopped or (self.description if self.suspended else "")
        return [*([Failure("", stop)] if stop else []), *self.failures]

    def as_json(self) -> dict[str, Any]:
        """What ``--json`` prints."""
        return {
            "ok": self.ok,
            "environment": self.environment,
            "sha": self.sha,
            "applied_sha": self.applied_sha,
            "objects": self.objects,
            "created": len(self.created),
            "changed": len(self.changed),
            "pruned": len(self.pruned),
            "kept": self.kept,
            "suspended": self.suspended,
            "errors": [f.as_json() for f in self.errors()],
            "drift": [d.as_json() for d in self.drift],
            "conflicts": [c.as_json() for c in self.conflicts],
            "apps": [a.as_json() for a in self.apps],
            "requests": self.requests,
            "seconds": round(self.seconds, 3),
            **({"plan": self.plan} if self.plan is not None else {}),
        }


def described(failures: Iterable[Failure], objects: int) -> str:
    """One line of at most 140 characters, as GitHub shows it: the first failure, or that all is well."""
    told = list(failures)
    if not told:
        return f"{objects} objects are as the branch wants them"
    first = f"{told[0].object}: {told[0].message}" if told[0].object else told[0].message
    more = f" (and {len(told) - 1} more)" if len(told) > 1 else ""
    return first[: 140 - len(more) - 1] + ("…" if len(first) > 140 - len(more) - 1 else "") + more


def body(outcome: Outcome, repository: str, branch: str) -> dict[str, Any]:
    """The report of a pass, as :mod:`ghapp.agent.server` describes it."""
    return {
        "repository": repository,
        "branch": branch,
        "environment": outcome.environment,
        "sha": outcome.sha,
        "state": outcome.state,
        "description": outcome.description[:140],
        "objects": outcome.objects,
        "created": len(outcome.created),
        "changed": len(outcome.changed),
        "pruned": len(outcome.pruned),
        "errors": [f.as_json() for f in outcome.errors()[:_MOST]],
        "drift": [d.as_json() for d in outcome.drift[:_MOST]],
        "apps": [a.as_json() for a in outcome.apps],
    }


def starting(environment: str, sha: str, apps: Iterable[AppOutcome], repository: str, branch: str) -> dict[str, Any]:
    """The report that a new commit is being applied."""
    said = body(Outcome(environment, sha=sha), repository, branch)
    waiting = {"state": "in_progress", "description": "is being applied"}
    return {**said, **waiting, "apps": [{**app.as_json(), **waiting} for app in apps]}
