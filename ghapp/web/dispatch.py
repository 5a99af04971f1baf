"""``POST /dispatch/<owner>/<name>/<app>``: start a pipeline from elsewhere, with a secret and its declared inputs.

Whoever cannot show the secret learns nothing: an unknown repository, app or secret is the same 404. The call only asks
for a look; what runs is decided by the commit's reconcile.
"""

from __future__ import annotations

import hmac
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from flask import Blueprint, abort, jsonify, request
from flask.typing import ResponseReturnValue

from ghapp import names
from ghapp.config import AppFile, parse, parse_app
from ghapp.github import contents
from ghapp.github.client import RepositoryClient
from ghapp.github.errors import GitHubError
from ghapp.web.app import connections
from jobs import subjects
from jobs.pipeline import inputs
from jobs.pipeline.secrets import MissingSecret, Secrets
from jobs.queue import Queue
from policies.yamltext import Problems

blueprint = Blueprint("dispatch", __name__)

_MOST_FILES = 200  # of a monorepo, that are looked through


@blueprint.post("/dispatch/<owner>/<name>/<app>")
def call(owner: str, name: str, app: str) -> ResponseReturnValue:
    here = connections()
    body = request.get_json(silent=True)
    if not isinstance(body, dict) or not isinstance(body.get("inputs", {}), dict):
        abort(400, 'The body must be JSON like {"branch": "main", "inputs": {}}.')
    try:
        client = here.github.for_repository(f"{owner}/{name}")
        branch = str(body.get("branch") or client.get("")["default_branch"])
        file = _file(client, branch, app)
    except (GitHubError, ValueError):
        file = None
    declared = file.app.pipeline.on.dispatch if file else None
    if file is None or declared is None or not _knows(client, declared.secret):
        abort(404, "There is no such pipeline, or this secret does not start it.")
    try:
        given = inputs.read(declared.inputs, body.get("inputs", {}))
    except inputs.BadInputs as e:
        abort(400, f"{e}.")
    data = {"branch": branch, "client_payload": {"app": app, "inputs": given}}
    ask = subjects.Ask("dispatch", "call", "", uuid4().hex, data)
    Queue(here.redis).enqueue(subjects.repository(client.id), ask=ask, reason=f"a call for {app}")
    return jsonify(app=app, branch=branch, inputs=given), 202


def _knows(client: RepositoryClient, secret: str) -> bool:
    """Whether the caller shows the secret that the pipeline names. A pipeline that names none cannot be called."""
    shown = request.headers.get("X-Ghapp-Secret", "")
    try:
        right = Secrets(connections().settings.secrets_dir, client.full_name).read(secret) if secret else ""
    except (MissingSecret, ValueError):
        right = ""
    return bool(right) and hmac.compare_digest(shown.encode("utf-8", "replace"), right.encode("utf-8", "replace"))


def _file(client: RepositoryClient, branch: str, app: str) -> AppFile | None:
    """The app's file on a branch, by GitHub's API. Raises ``GitHubError`` and ``Problems``."""
    text = contents.read(client, names.CONFIG_FILE, branch)
    if text is None:
        return None
    root = parse(text, path=names.CONFIG_FILE)
    if isinstance(root, AppFile):
        return root if root.app.app == app else None
    tree: Any = client.get(f"git/trees/{quote(branch, safe='')}", recursive=1)
    paths = [e["path"] for e in tree["tree"] if any(fnmatchcase(e["path"], glob) for glob in root.globs)]
    for path in paths[:_MOST_FILES]:
        try:
            member = parse_app(contents.read(client, path, branch) or b"", path=path)
        except Problems:
            continue
        if member.app.app == app:
            return member
    return None
