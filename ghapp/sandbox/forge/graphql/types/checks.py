"""Check suites and runs, statuses, and what they amount to for a commit."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from ghapp.sandbox.forge.graphql import gitnodes
from ghapp.sandbox.forge.graphql.connections import Connection
from ghapp.sandbox.forge.graphql.context import Context
from ghapp.sandbox.forge.graphql.gitnodes import Commit
from ghapp.sandbox.forge.graphql.registry import Fields
from ghapp.sandbox.forge.graphql.selection import pulls_where
from ghapp.sandbox.forge.model import Annotation, CheckRun, CheckSuite, PullRequest, Repository, Status, ids

COMMIT = Fields("Commit")
SUITE = Fields("CheckSuite", record=CheckSuite)
RUN = Fields("CheckRun", record=CheckRun)
ANNOTATION = Fields("CheckAnnotation", record=Annotation)
STATUS = Fields("Status")
CONTEXT = Fields("StatusContext", record=Status)
ROLLUP = Fields("StatusCheckRollup")
CONTEXTS = Fields("StatusCheckRollupContextConnection")

_GOOD = ("success", "neutral", "skipped")

# Suites ---------------------------------------------------------------------------------------------------------------


@COMMIT.connection("checkSuites")
def check_suites(commit: Commit, ctx: Context, filter_by: dict[str, Any] | None = None) -> list[CheckSuite]:
    ctx.need(commit.repository, "checks")
    wanted = filter_by or {}
    name = wanted.get("check_name")
    return [
        suite
        for suite in commit.repository.suites_of(commit.oid)
        if wanted.get("app_id") in (None, suite.app.id) and (name is None or any(r.name == name for r in suite.runs))
    ]


SUITE.same("app", "createdAt", "updatedAt", "repository")
SUITE.renamed(id="node_id", databaseId="id")
SUITE.constant(creator=None)
Fields("CheckSuite", "CheckRun")("status")(lambda record, _ctx: record.status.upper())
Fields("CheckSuite", "CheckRun")("conclusion")(
    lambda record, _ctx: record.conclusion.upper() if record.conclusion else None
)
SUITE("commit")(lambda suite, _ctx: gitnodes.commit(suite.repository, suite.head_sha))


@SUITE("branch")
def branch(suite: CheckSuite, _ctx: Context) -> gitnodes.Ref | None:
    return gitnodes.ref(suite.repository, f"refs/heads/{suite.head_branch}") if suite.head_branch else None


@SUITE("resourcePath")
def suite_path(suite: CheckSuite, ctx: Context) -> str:
    return f"{ctx.path(suite.repository)}/commit/{suite.head_sha}/checks"


@SUITE("url")
def suite_url(suite: CheckSuite, ctx: Context) -> str:
    return ctx.url(suite_path(suite, ctx))


@SUITE.connection("matchingPullRequests")
def matching_pulls(suite: CheckSuite, _ctx: Context, **wanted: Any) -> list[PullRequest]:
    return pulls_where([pull for pull in suite.repository.pulls if pull.head_sha == suite.head_sha], **wanted)


@SUITE.connection("checkRuns")
def check_runs(suite: CheckSuite, _ctx: Context, filter_by: dict[str, Any] | None = None) -> list[CheckRun]:
    """Newest first; of each name only the newest, unless ``checkType: ALL``."""
    wanted = filter_by or {}
    statuses = wanted.get("statuses") or ([wanted["status"]] if wanted.get("status") else None)
    runs = list(suite.runs) if wanted.get("check_type") == "ALL" else suite.latest_runs()
    return [
        run
        for run in reversed(runs)
        if wanted.get("app_id") in (None, run.app.id)
        and wanted.get("check_name") in (None, run.name)
        and (statuses is None or run.status.upper() in statuses)
        and (not wanted.get("conclusions") or (run.conclusion or "").upper() in wanted["conclusions"])
    ]


# Runs -----------------------------------------------------------------------------------------------------------------

RUN.same("name", "repository", "startedAt", "completedAt", "detailsUrl", "externalId", "title", "summary", "text")
RUN.renamed(id="node_id", databaseId="id", checkSuite="suite")


@RUN("resourcePath")
def run_path(run: CheckRun, ctx: Context) -> str:
    return f"{ctx.path(run.repository)}/runs/{run.id}"


@RUN("url", "permalink")
def run_url(run: CheckRun, ctx: Context) -> str:
    return ctx.url(run_path(run, ctx))


@RUN("isRequired")
@CONTEXT("isRequired")
def is_required(
    record: CheckRun | Status,
    ctx: Context,
    pull_request_id: str | None = None,
    pull_request_number: int | None = None,
) -> bool:
    """Whether the pull request's base branch may not be merged into without it."""
    repository = ctx.repository_of(record)
    pull = ctx.find(pull_request_id) if pull_request_id else repository.pull(pull_request_number or 0)
    rule = repository.protection(pull.base_ref) if isinstance(pull, PullRequest) else None
    name = record.name if isinstance(record, CheckRun) else record.context
    app = record.app.id if record.app else None
    return any(
        check.context == name and check.app_id in (None, app) for check in (rule.required_checks or [] if rule else [])
    )


@dataclass(frozen=True, slots=True)
class CheckAnnotation:
    """An annotation and the run that it is part of."""

    run: CheckRun
    facts: Annotation
    index: int

    @property
    def node_id(self) -> str:
        return f"{self.run.node_id}:{self.index}"


@RUN.connection("annotations")
def run_annotations(run: CheckRun, _ctx: Context) -> list[CheckAnnotation]:
    return [CheckAnnotation(run, annotation, i) for i, annotation in enumerate(list(run.annotations))]


ANNOTATION("annotationLevel")(lambda annotation, _ctx: annotation.facts.annotation_level.upper())
ANNOTATION("message")(lambda annotation, _ctx: annotation.facts.message)
ANNOTATION("path")(lambda annotation, _ctx: annotation.facts.path)
ANNOTATION("title")(lambda annotation, _ctx: annotation.facts.title)
ANNOTATION("rawDetails")(lambda annotation, _ctx: annotation.facts.raw_details)
ANNOTATION("databaseId")(lambda annotation, _ctx: annotation.index)


@ANNOTATION("location")
def location(annotation: CheckAnnotation, _ctx: Context) -> dict[str, dict[str, int | None]]:
    facts = annotation.facts
    return {
        "start": {"line": facts.start_line, "column": facts.start_column},
        "end": {"line": facts.end_line, "column": facts.end_column},
    }


for _side in ("start", "end"):
    Fields("CheckAnnotationSpan")(_side)(lambda span, _ctx, side=_side: span[side])
for _unit in ("line", "column"):
    Fields("CheckAnnotationPosition")(_unit)(lambda position, _ctx, unit=_unit: position[unit])


@ANNOTATION("blobUrl")
def blob_url(annotation: CheckAnnotation, ctx: Context) -> str:
    run = annotation.run
    return ctx.url(f"{ctx.path(run.repository)}/blob/{run.head_sha}/{annotation.facts.path}")


# Statuses -------------------------------------------------------------------------------------------------------------

CONTEXT.same("context", "createdAt", "creator", "description", "targetUrl")
CONTEXT.renamed(id="node_id")
CONTEXT("state")(lambda status, _ctx: status.state.upper())
CONTEXT("commit")(lambda status, ctx: gitnodes.commit(ctx.repository_of(status), status.sha))


@CONTEXT("avatarUrl")
def status_avatar(status: Status, ctx: Context, size: int | None = None) -> str:
    return ctx.avatar_url(status.creator) + (f"?s={size}" if size else "")


@dataclass(frozen=True, slots=True)
class CombinedStatus:
    """The newest status of each context on a commit, and what they amount to."""

    commit: Commit
    contexts: tuple[Status, ...]

    @property
    def node_id(self) -> str:
        return ids.node_id("SC", self.commit.repository.id, self.commit.oid)


@COMMIT("status")
def status(commit: Commit, ctx: Context) -> CombinedStatus | None:
    """Null for a commit without statuses."""
    ctx.need(commit.repository, "statuses")
    latest = commit.repository.latest_statuses(commit.oid)
    return CombinedStatus(commit, tuple(latest)) if latest else None


STATUS.renamed(id="node_id")
STATUS.same("commit", "contexts")
STATUS("state")(lambda status, _ctx: _worst([context.state for context in status.contexts]))
STATUS("context")(lambda status, _ctx, name: next((c for c in status.contexts if c.context == name), None))
STATUS.connection("combinedContexts")(lambda status, _ctx: [*status.contexts, *_runs(status.commit)])

# Both together --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rollup:
    """All checks and statuses of a commit."""

    commit: Commit
    contexts: tuple[CheckRun | Status, ...]

    @property
    def node_id(self) -> str:
        return ids.node_id("SCR", self.commit.repository.id, self.commit.oid)


def _runs(commit: Commit) -> list[CheckRun]:
    return [run for suite in commit.repository.suites_of(commit.oid) for run in suite.latest_runs()]


def _rollup(repository: Repository, ctx: Context, commit: Commit | None) -> Rollup | None:
    if commit is None:
        return None
    ctx.need(repository, "checks", "statuses")
    runs = _runs(commit) if ctx.may(repository, "checks") else []
    statuses = repository.latest_statuses(commit.oid) if ctx.may(repository, "statuses") else []
    return Rollup(commit, (*runs, *statuses)) if runs or statuses else None


@COMMIT("statusCheckRollup")
def commit_rollup(commit: Commit, ctx: Context) -> Rollup | None:
    """Null for a commit that nothing was said about."""
    return _rollup(commit.repository, ctx, commit)


@Fields("PullRequest")("statusCheckRollup")
def pull_rollup(pull: PullRequest, ctx: Context) -> Rollup | None:
    return _rollup(pull.repository, ctx, gitnodes.commit(pull.repository, pull.head_sha))


ROLLUP.renamed(id="node_id")
ROLLUP.same("commit")
ROLLUP.connection("contexts")(lambda rollup, _ctx: rollup.contexts)


@ROLLUP("state")
def rollup_state(rollup: Rollup, _ctx: Context) -> str:
    return _worst([_as_status(context) for context in rollup.contexts])


def _as_status(context: CheckRun | Status) -> str:
    """A check run as if it were a status."""
    if isinstance(context, Status):
        return context.state
    if context.status != "completed":
        return "pending"
    return "success" if context.conclusion in _GOOD else "failure"


def _worst(states: list[str]) -> str:
    return next((state.upper() for state in ("error", "failure", "pending", "expected") if state in states), "SUCCESS")


def _states(page: Connection, kind: type) -> list[str]:
    found: list[Any] = [context for context in page.everything if isinstance(context, kind)]
    return [(c.state if isinstance(c, Status) else c.conclusion or c.status).upper() for c in found]


def _counted(page: Connection, kind: type) -> list[dict[str, Any]]:
    return [{"state": state, "count": count} for state, count in Counter(_states(page, kind)).items()]


CONTEXTS("checkRunCount")(lambda page, _ctx: len(_states(page, CheckRun)))
CONTEXTS("statusContextCount")(lambda page, _ctx: len(_states(page, Status)))
CONTEXTS("checkRunCountsByState")(lambda page, _ctx: _counted(page, CheckRun))
CONTEXTS("statusContextCountsByState")(lambda page, _ctx: _counted(page, Status))
for _name in ("state", "count"):
    Fields("CheckRunStateCount", "StatusContextStateCount")(_name)(lambda counted, _ctx, name=_name: counted[name])
