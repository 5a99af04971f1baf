"""The page of a run: its steps, their whole logs while they are written, its findings and artifacts.

Read by whoever followed the check run's link, or by a GitHub token that can read the repository; to anybody else there
is no such run. Everything shown was written by code of strangers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
from flask import Blueprint, Response, abort, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from ghapp import links
from ghapp.store import Store, store
from ghapp.web.app import connections
from jobs.pipeline import record
from jobs.pipeline.matchers import strip_escapes
from jobs.pipeline.order import parse_run
from policies.finding import Finding, distinct

blueprint = Blueprint("runs", __name__)

_SHOWN = 200_000  # bytes of a log's end on the page; the whole is one click away
_CHUNK = 1 << 18


@blueprint.get("/runs/<run>")
def page(run: str) -> ResponseReturnValue:
    data, kept = _open(run)
    logs = {step["log"]: _tail(kept, step["log"]) for stage in data["stages"] for step in stage["steps"] if step["log"]}
    running = data.get("running") or {}
    if running.get("log"):
        logs[running["log"]] = _tail(kept, running["log"])
    findings = distinct(
        Finding.from_json(f) for stage in data["stages"] for step in stage["steps"] for f in step["findings"]
    )
    web = connections().settings.github_web_url
    return render_template(
        "run.html", run=data, logs=logs, findings=findings, web=web, key=request.args.get("key", ""), name=_name
    )


@blueprint.get("/runs/<run>/record")
def as_json(run: str) -> ResponseReturnValue:
    """The run as JSON."""
    return jsonify(_open(run)[0])


@blueprint.get("/runs/<run>/logs/<name>")
def log(run: str, name: str) -> ResponseReturnValue:
    """A step's whole log as plain text; with ``from``, what comes after that many bytes."""
    _, kept = _open(run)
    key = f"runs/{run}/{name}.log"
    try:
        size = kept.size(key)
    except ValueError:
        abort(404)
    if size is None:
        abort(404, "There is no such log, or it is older than logs are kept.")
    start = request.args.get("from", 0, type=int)
    headers = {"X-Ghapp-Size": str(size), "Content-Type": "text/plain; charset=utf-8"}
    if start > 0:
        return Response(kept.read(key, start=min(start, size), most=4 * _CHUNK) or b"", headers=headers)
    return Response(_chunks(kept, key), headers=headers)


@blueprint.get("/runs/<run>/artifacts/<int:number>")
def artifact(run: str, number: int) -> ResponseReturnValue:
    """One file that a step has kept."""
    data, kept = _open(run)
    found = next((a for a in data["artifacts"] if a["key"] == f"runs/{run}/artifacts/{number}"), None)
    if found is None or kept.size(found["key"]) is None:
        abort(404, "There is no such artifact, or its time is over.")
    file = quote(found["path"].rpartition("/")[2], safe="")
    headers = {
        "Content-Type": "application/octet-stream",
        "Content-Disposition": f"attachment; filename*=UTF-8''{file}",
        "Content-Length": str(kept.size(found["key"])),
    }
    return Response(_chunks(kept, found["key"]), headers=headers)


def _open(run: str) -> tuple[dict[str, Any], Store]:
    """The record of a run that the caller may read; to others it does not exist."""
    settings = connections().settings
    if parse_run(run) is None:
        abort(404)
    kept = store(settings.store)
    data = record.read(kept, run)
    if not links.opens(settings, run, request.args.get("key", "")) and not (data and _may_read(data["full_name"])):
        abort(404, "There is no such run, or this link does not open it: follow the one on its check run.")
    if data is None:
        abort(404, "This run has not begun yet, or it is older than runs are kept.")
    return data, kept


def _may_read(full_name: str) -> bool:
    """Whether the caller's own GitHub token can read the repository; the token is asked about and forgotten."""
    authorization = request.headers.get("Authorization", "")
    if not authorization.startswith(("Bearer ", "token ")) or len(authorization) > 1_000:
        return False
    settings = connections().settings
    verify: Any = str(settings.github_ca_bundle) if settings.github_ca_bundle else True
    try:
        url = f"{settings.github_api_url}/repos/{quote(full_name)}"
        answer = httpx.get(url, headers={"Authorization": authorization}, timeout=10, verify=verify)
    except httpx.HTTPError:
        return False
    return answer.status_code == 200


def _tail(kept: Store, key: str) -> str:
    size = kept.size(key) or 0
    data = kept.read(key, start=max(0, size - _SHOWN)) or b""
    return strip_escapes(data.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n"))


def _chunks(kept: Store, key: str) -> Iterator[bytes]:
    yield from kept.chunks(key)


def _name(key: str) -> str:
    """The name of a log in addresses."""
    return key.rpartition("/")[2].removesuffix(".log")
