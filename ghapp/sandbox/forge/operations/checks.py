"""Check runs: created and updated by the app they belong to, within GitHub's limits, and asked for again by people."""

from __future__ import annotations

from typing import Any

from ghapp.sandbox.forge.model import Annotation, App, CheckRun, CheckSuite, Event, Repository, State, User
from ghapp.sandbox.forge.operations import suites
from ghapp.sandbox.forge.serialize import checks
from ghapp.sandbox.forge.web.call import Body
from ghapp.sandbox.forge.web.errors import ApiError, unprocessable

STATUSES = ("queued", "in_progress", "completed", "waiting", "requested", "pending")
CONCLUSIONS = ("action_required", "cancelled", "failure", "neutral", "success", "skipped", "stale", "timed_out")
LEVELS = ("notice", "warning", "failure")

TEXT_LIMIT = 65535
ANNOTATION_LIMIT = 50
_ANNOTATION_MESSAGE_LIMIT = 64 * 1024
_ACTION_LIMITS = {"label": 20, "description": 40, "identifier": 20}


def announce(state: State, run: CheckRun, action: str, sender: User, **more: Any) -> None:
    """Publish a ``check_run`` event; what asks the app for something goes to that app alone."""
    own = action in ("rerequested", "requested_action")

    def payload() -> dict[str, Any]:
        described = checks.check_run(state, run)
        return {"check_run": {**described, "check_suite": checks.check_suite(state, run.suite)}, **more}

    app = run.app if own else None
    state.publish(Event("check_run", action, sender, payload, run.repository, app=app, unsolicited=own))


def create(state: State, repository: Repository, app: App, body: Body) -> CheckRun:
    """A new run of ``app`` from a REST body."""
    name, sha = body.required("name"), body.required("head_sha")
    if repository.git.commit(sha) is None:
        raise unprocessable(f"No commit found for SHA: {sha}")
    branch = _branch_at(repository, sha)
    suite, _ = suites.find_or_create(state, repository, app, sha, branch)
    number, node_id = state.new_id("CR")
    run = CheckRun(number, node_id, repository, suite, name, sha, body.moment("started_at") or state.now())
    _apply(state, run, body)
    suite.runs.append(run)
    state.register(node_id, run)
    announce(state, run, "created", app.bot)
    _finished(state, run, app.bot)
    return run


def _branch_at(repository: Repository, sha: str) -> str | None:
    """A branch whose tip is the commit, through the pull requests and suites that know it."""
    for suite in repository.suites_of(sha):
        if suite.head_branch is not None:
            return suite.head_branch
    default = repository.default_branch
    if repository.git.branch(default) == sha:
        return default
    return next((p.head_ref for p in repository.pulls if p.head_sha == sha and p.head_repository is repository), None)


def update(state: State, run: CheckRun, app: App, body: Body) -> None:
    """Change a run; only its own app may."""
    if run.app is not app:
        raise ApiError(
            403, f"Invalid app_id `{app.id}` - check run can only be modified by the GitHub App that created it."
        )
    was_completed = run.status == "completed"
    _apply(state, run, body)
    run.suite.updated_at = state.now()
    if not was_completed:
        _finished(state, run, app.bot)


def _finished(state: State, run: CheckRun, sender: User) -> None:
    if run.status != "completed":
        return
    announce(state, run, "completed", sender)
    suite = run.suite
    if suite.status == "completed":
        state.publish(
            Event(
                "check_suite",
                "completed",
                sender,
                lambda: {"check_suite": checks.check_suite(state, suite)},
                suite.repository,
            )
        )


def _apply(state: State, run: CheckRun, body: Body) -> None:
    """Set what the body names, having looked at all of it first."""
    status = body.choice("status", STATUSES, run.status)
    conclusion = body.optional_text("conclusion")
    if conclusion is not None:
        body.choice("conclusion", CONCLUSIONS, "")
        status = "completed"
    if status == "completed" and conclusion is None:
        if run.conclusion is None or "status" in body:
            raise unprocessable('Invalid request.\n\nMissing required keys "conclusion".')
        conclusion = run.conclusion
    actions = _actions(body) if "actions" in body else run.actions
    output = body.mapping("output")
    annotations = _output(output) if output else []
    run.name = body.text("name", run.name) or run.name
    run.external_id = body.text("external_id", run.external_id)
    run.details_url = body.text("details_url", run.details_url or "") or None
    run.started_at = body.moment("started_at") or run.started_at
    run.status = status
    run.conclusion = conclusion if status == "completed" else None
    run.completed_at = None
    if status == "completed":
        run.completed_at = body.moment("completed_at") or run.completed_at or state.now()
    run.actions = actions
    if output:
        run.title, run.summary = output.get("title", run.title), output.get("summary", run.summary)
        run.text = output.get("text", run.text)
        run.annotations.extend(annotations)


def _output(output: dict[str, Any]) -> list[Annotation]:
    """The new annotations of an output, all of which is checked against GitHub's limits."""
    for name in ("title", "summary"):
        if not isinstance(output.get(name), str):
            raise unprocessable(f"Invalid request.\n\nFor 'properties/output', \"{name}\" wasn't supplied.")
    for name in ("title", "summary", "text"):
        value = output.get(name)
        if isinstance(value, str) and len(value.encode()) > TEXT_LIMIT:
            raise unprocessable(
                f"Invalid request.\n\nOnly {TEXT_LIMIT} characters are allowed; {len(value.encode())} were supplied."
            )
    listed = Body(output).objects("annotations")
    if len(listed) > ANNOTATION_LIMIT:
        raise unprocessable(
            f"Invalid request.\n\nNo more than {ANNOTATION_LIMIT} items are allowed; {len(listed)} were supplied."
        )
    return [_annotation(item) for item in listed]


def _annotation(fields: Body) -> Annotation:
    start, end = fields.optional_integer("start_line"), fields.optional_integer("end_line")
    if start is None or end is None:
        raise unprocessable('Invalid request.\n\n"start_line" and "end_line" weren\'t supplied.')
    columns = (fields.optional_integer("start_column"), fields.optional_integer("end_column"))
    if start != end and columns != (None, None):
        raise unprocessable("Invalid request.\n\nstart_column and end_column are only for annotations of one line.")
    message = fields.required("message")
    if len(message.encode()) > _ANNOTATION_MESSAGE_LIMIT:
        raise unprocessable("Invalid request.\n\nAn annotation's message is limited to 64 KB.")
    return Annotation(
        path=fields.required("path"),
        start_line=start,
        end_line=end,
        annotation_level=fields.choice("annotation_level", LEVELS, ""),
        message=message,
        start_column=columns[0],
        end_column=columns[1],
        title=fields.optional_text("title"),
        raw_details=fields.optional_text("raw_details"),
    )


def _actions(body: Body) -> list[dict[str, str]]:
    actions = [action.fields for action in body.objects("actions")]
    if len(actions) > 3:
        raise unprocessable(f"Invalid request.\n\nNo more than 3 items are allowed; {len(actions)} were supplied.")
    for action in actions:
        for name, limit in _ACTION_LIMITS.items():
            if not isinstance(action.get(name), str) or len(action[name]) > limit:
                raise unprocessable(f"Invalid request.\n\nactions: {name} is required and at most {limit} characters.")
    return [{name: action[name] for name in _ACTION_LIMITS} for action in actions]


def rerequest(state: State, run: CheckRun, sender: User) -> None:
    """Ask a run's app to run it again."""
    announce(state, run, "rerequested", sender)


def rerequest_suite(state: State, suite: CheckSuite, sender: User) -> None:
    """Ask a suite's app to run all of it again."""
    suites.requested(state, suite, "rerequested", sender)


def request_action(state: State, run: CheckRun, identifier: str, sender: User) -> None:
    """Press one of a run's buttons."""
    if not any(action["identifier"] == identifier for action in run.actions):
        raise unprocessable(f"This check run has no action {identifier}.")
    announce(state, run, "requested_action", sender, requested_action={"identifier": identifier})
