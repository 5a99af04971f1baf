"""The three calls of an agent: a token for one repository, a wait for a branch to move, a report.

The wire format is described in ``ghapp/agent/server.py``. An agent gets a read-only token for a repository that it was
set up for, and nothing else.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from ghapp import names
from ghapp.github import deployments, errors
from ghapp.github.client import RepositoryClient
from ghapp.github.pulls import ref_sha
from ghapp.github.tokens import READ_CODE
from ghapp.web.agent_identity import Agent, Unknown, identify
from ghapp.web.app import Connections, connections
from jobs import branches

blueprint = Blueprint("agent_api", __name__, url_prefix="/agent/v1")

MAX_WAIT = 60.0  # seconds
MAX_WAITING = 96  # in one process; one more is answered at once and comes back
_POLL = 0.5
_FULL_NAME = re.compile(r"[A-Za-z0-9-]{1,39}/[A-Za-z0-9._-]{1,100}\Z")
_BRANCH = re.compile(r"env/[A-Za-z0-9][A-Za-z0-9._/-]{0,200}\Z")
_STATES: tuple[deployments.State, ...] = ("in_progress", "success", "failure", "error")
_REPORT = {"deployments": "write", "statuses": "write", "contents": "read", "metadata": "read"}

_waiting = threading.BoundedSemaphore(MAX_WAITING)


class _Refused(Exception):
    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence = status, sentence


@blueprint.errorhandler(_Refused)
def _refused(e: _Refused) -> ResponseReturnValue:
    return jsonify(message=e.sentence), e.status


@blueprint.errorhandler(errors.GitHubError)
def _github_failed(e: errors.GitHubError) -> ResponseReturnValue:
    if isinstance(e, errors.NotInstalled | errors.NotFound):
        return jsonify(message=e.sentence), 404
    return jsonify(message=e.sentence), 503, {"Retry-After": "10"}


def _repository(here: Connections, name: Any) -> str:
    """The repository that the caller asks about, once it is known that the caller may read it."""
    try:
        agent: Agent = identify(here.settings, request.headers.get("Authorization", ""))
    except Unknown as e:
        raise _Refused(401, str(e)) from None
    if not isinstance(name, str) or not _FULL_NAME.match(name):
        raise _Refused(400, "`repository` must be written as owner/name.")
    if not agent.may_read(name):
        raise _Refused(
            403, f"The agent {agent.name} may not read {name}; see GHAPP_AGENT_KEYS or GHAPP_AGENT_CLUSTERS."
        )
    return name


def _body() -> Mapping[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise _Refused(400, "The body must be a JSON object.")
    return body


@blueprint.post("/token")
def token() -> ResponseReturnValue:
    here = connections()
    name = _repository(here, _body().get("repository"))
    client = here.github.for_repository(name, READ_CODE)
    minted = client.minted()
    expires = datetime.fromtimestamp(minted.expires, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return jsonify(token=minted.value, expires_at=expires, repository=client.full_name)


@blueprint.get("/wait")
def wait() -> ResponseReturnValue:
    here = connections()
    name = _repository(here, request.args.get("repository"))
    branch, sha = request.args.get("branch", ""), request.args.get("sha", "")
    if not _BRANCH.match(branch):
        raise _Refused(400, "`branch` must be an environment branch, as env/prod.")
    seconds = min(MAX_WAIT, max(0.0, request.args.get("timeout", MAX_WAIT, type=float)))
    if not _waiting.acquire(blocking=False):
        return "", 204, {"Retry-After": "5"}
    try:
        give_up = time.monotonic() + seconds
        while True:
            now_at = _where(here, name, branch)
            if now_at != sha:
                return jsonify(sha=now_at)
            if time.monotonic() >= give_up:
                return "", 204
            time.sleep(min(_POLL, max(0.0, give_up - time.monotonic())))
    finally:
        _waiting.release()


def _where(here: Connections, name: str, branch: str) -> str:
    """Where a branch is, empty where it is not: as last heard of, or else as GitHub says now."""
    known = branches.seen(here.redis, name, branch)
    if known is None:
        known = ref_sha(here.github.for_repository(name, READ_CODE), f"heads/{branch}") or ""
        branches.moved(here.redis, name, branch, known)
    return "" if known.strip("0") == "" else known


@blueprint.post("/report")
def report() -> ResponseReturnValue:
    here, body = connections(), _body()
    name = _repository(here, body.get("repository"))
    environment, sha = body.get("environment"), body.get("sha")
    if not isinstance(environment, str) or not isinstance(sha, str) or body.get("state") not in _STATES:
        raise _Refused(
            400, "`environment`, `sha` and `state` are required; state is one of " + ", ".join(_STATES) + "."
        )
    client = here.github.for_repository(name, _REPORT)
    apps = body.get("apps")
    for app in apps if isinstance(apps, list) else []:
        if isinstance(app, dict) and app.get("app") and app.get("state") in _STATES:
            _report_app(client, environment, sha, app)
    if sha:
        state = {"in_progress": "pending"}.get(body["state"], body["state"])
        context = names.agent_status(environment)
        description = str(body.get("description") or "")[:140]
        client.post(f"statuses/{sha}", {"state": state, "context": context, "description": description})
    return jsonify(message="reported"), 202


def _report_app(client: RepositoryClient, environment: str, sha: str, app: Mapping[str, Any]) -> None:
    """Add a status to the app's GitHub Deployment of what was applied, unless it says so already."""
    name, state, said = str(app["app"]), app["state"], str(app.get("description") or "")[:140]
    facts = {key: str(app[key]) for key in ("release", "source_commit") if app.get(key)}
    merge = _merge_of(client, sha, name, facts.get("release", ""))
    found = deployments.one(
        client, environment=environment, sha=merge, task=f"deploy:{name}", payload={"app": name, **facts}
    )
    if (found.get("payload") or {}).get("release", "") != facts.get("release", ""):
        return  # the commit has another release of the app: what is reported has been replaced
    number = int(found["id"])
    last = client.get(f"deployments/{number}/statuses", per_page=1)
    if not last or (last[0]["state"], last[0].get("description") or "") != (state, said):
        deployments.report(client, number, state, said)


def _merge_of(client: RepositoryClient, sha: str, app: str, release: str) -> str:
    """The merge by which ``sha``, a commit of an environment branch, has this release of an app; else ``sha`` itself.

    A release that was deployed before, and is again after a rollback, has two; the newest counts. One call.
    """
    wanted = {f"{names.TRAILER_APP}: {app}", f"{names.TRAILER_RELEASE}: {release}"}
    listed = {c["sha"]: c for c in client.get("commits", sha=sha, per_page=100)}
    at = sha
    while at in listed:
        if wanted <= set(listed[at]["commit"]["message"].splitlines()):
            return at
        at = next((str(parent["sha"]) for parent in listed[at]["parents"]), "")
    return sha
