"""Check runs and suites."""

from __future__ import annotations

from typing import Any

from ghapp.sandbox.forge.model import CheckRun, CheckSuite
from ghapp.sandbox.forge.operations import checks as operations
from ghapp.sandbox.forge.operations import suites
from ghapp.sandbox.forge.rest import finding
from ghapp.sandbox.forge.serialize import checks
from ghapp.sandbox.forge.web.call import Call, Reply
from ghapp.sandbox.forge.web.routing import Route


def _create(call: Call) -> Reply:
    app = finding.app_or_refusal(call)
    run = operations.create(call.state, call.repository, app, call.body)
    return Reply(checks.check_run(call.state, run), 201)


def _run(call: Call) -> CheckRun:
    return finding.record(call, "CR", CheckRun, "check_run_id")


def _suite(call: Call) -> CheckSuite:
    return finding.record(call, "CS", CheckSuite, "check_suite_id")


def _update(call: Call) -> dict[str, Any]:
    run = _run(call)
    operations.update(call.state, run, finding.app_or_refusal(call), call.body)
    return checks.check_run(call.state, run)


def _get(call: Call) -> dict[str, Any]:
    return checks.check_run(call.state, _run(call))


def _annotations(call: Call) -> Reply:
    run = _run(call)
    return call.page(run.annotations, lambda a: checks.annotation(call.state, run, a))


def _rerequest(call: Call) -> Reply:
    operations.rerequest(call.state, _run(call), call.actor.person)
    return Reply({}, 201)


def _filtered(call: Call, of: list[CheckSuite]) -> Reply:
    """Check runs of suites, newest first; the latest of each name unless ``filter=all``."""
    query = call.query
    everything = query.get("filter") == "all"
    runs = [run for suite in of for run in (list(suite.runs) if everything else suite.latest_runs())]
    wanted_app = query.get("app_id")
    found = [
        run
        for run in sorted(runs, key=lambda run: -run.id)
        if query.get("check_name") in (None, run.name)
        and query.get("status") in (None, run.status)
        and wanted_app in (None, str(run.app.id))
    ]
    return call.page(found, lambda run: checks.check_run(call.state, run), "check_runs")


def _of_commit(call: Call) -> Reply:
    return _filtered(call, call.repository.suites_of(finding.sha(call, call.params["ref"])))


def _of_suite(call: Call) -> Reply:
    return _filtered(call, [_suite(call)])


def _suites_of_commit(call: Call) -> Reply:
    wanted_app, name = call.query.get("app_id"), call.query.get("check_name")
    found = [
        suite
        for suite in call.repository.suites_of(finding.sha(call, call.params["ref"]))
        if wanted_app in (None, str(suite.app.id)) and (name is None or any(r.name == name for r in suite.runs))
    ]
    return call.page(found, lambda suite: checks.check_suite(call.state, suite), "check_suites")


def _create_suite(call: Call) -> Reply:
    app = finding.app_or_refusal(call)
    commit = finding.commit(call, call.body.required("head_sha"))
    suite, new = suites.find_or_create(call.state, call.repository, app, commit.sha, None)
    if new:
        suites.requested(call.state, suite, "requested", call.actor.person)
    return Reply(checks.check_suite(call.state, suite), 201 if new else 200)


def _get_suite(call: Call) -> dict[str, Any]:
    return checks.check_suite(call.state, _suite(call))


def _rerequest_suite(call: Call) -> Reply:
    operations.rerequest_suite(call.state, _suite(call), call.actor.person)
    return Reply({}, 201)


_REPO = "/repos/{owner}/{repo}"
_RUN, _SUITE = f"{_REPO}/check-runs/{{check_run_id}}", f"{_REPO}/check-suites/{{check_suite_id}}"

ROUTES = [
    Route("POST", f"{_REPO}/check-runs", _create, "checks:write"),
    Route("GET", _RUN, _get, "checks:read"),
    Route("PATCH", _RUN, _update, "checks:write"),
    Route("GET", f"{_RUN}/annotations", _annotations, "checks:read"),
    Route("POST", f"{_RUN}/rerequest", _rerequest, "checks:write"),
    Route("POST", f"{_REPO}/check-suites", _create_suite, "checks:write"),
    Route("GET", _SUITE, _get_suite, "checks:read"),
    Route("GET", f"{_SUITE}/check-runs", _of_suite, "checks:read"),
    Route("POST", f"{_SUITE}/rerequest", _rerequest_suite, "checks:write"),
    Route("GET", f"{_REPO}/commits/{{ref}}/check-runs", _of_commit, "checks:read"),
    Route("GET", f"{_REPO}/commits/{{ref}}/check-suites", _suites_of_commit, "checks:read"),
]
