"""Check runs: made once per name and commit, updated in place, not sent again when nothing changed.

Only this app's own check runs are ever found or changed; another app's run of the same name is not ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from ghapp.github.client import RepositoryClient
from ghapp.github.text import clip

Status = Literal["queued", "in_progress", "completed"]
Conclusion = Literal["success", "failure", "neutral", "cancelled", "skipped", "timed_out", "action_required"]

ANNOTATIONS_A_REQUEST = 50
_MESSAGE_BYTES = 65_535  # 64 KB a message, raw_details likewise; a title has 255 characters


@dataclass(frozen=True, slots=True)
class Annotation:
    """One remark at a file's lines (1-based)."""

    path: str
    start_line: int
    end_line: int
    level: Literal["notice", "warning", "failure"]
    message: str
    title: str = ""
    raw_details: str = ""

    def as_json(self) -> dict[str, Any]:
        data: dict[str, Any] = {
            "path": self.path,
            "start_line": self.start_line,
            "end_line": max(self.start_line, self.end_line),
            "annotation_level": self.level,
            "message": clip(self.message, _MESSAGE_BYTES) or "(no message)",
        }
        if self.title:
            data["title"] = self.title[:255]
        if self.raw_details:
            data["raw_details"] = clip(self.raw_details, _MESSAGE_BYTES)
        return data


@dataclass(frozen=True, slots=True)
class Button:
    """A requested action: at most three a check run; 20, 40 and 20 characters."""

    label: str
    description: str
    identifier: str

    def as_json(self) -> dict[str, str]:
        return {"label": self.label[:20], "description": self.description[:40], "identifier": self.identifier[:20]}


@dataclass(frozen=True, slots=True)
class Check:
    """What a check run should look like. ``conclusion`` makes it completed; times are in UTC."""

    name: str
    title: str
    summary: str
    text: str = ""
    status: Status = "completed"
    conclusion: Conclusion | None = None
    external_id: str = ""
    details_url: str = ""
    started_at: datetime | None = None
    completed_at: datetime | None = None
    annotations: Sequence[Annotation] = field(default=())
    buttons: Sequence[Button] = field(default=())


@dataclass(frozen=True, slots=True)
class CheckRun:
    """A check run of this app as GitHub has it."""

    id: int
    name: str
    status: str
    conclusion: str | None
    title: str
    summary: str
    text: str
    external_id: str
    details_url: str
    annotations: int
    html_url: str
    suite: int

    def shows(self, check: Check) -> bool:
        """Whether it already says what ``check`` says; annotations are compared by their number."""
        output = _output(check)
        return (
            (self.status, self.conclusion) == (check.status, check.conclusion)
            and self.title.strip() == output["title"].strip()
            and self.summary.strip() == output["summary"].strip()
            and self.text.strip() == output.get("text", "").strip()
            and self.external_id == check.external_id
            and (not check.details_url or self.details_url == check.details_url)
            and self.annotations == len(check.annotations)
        )


def ours(client: RepositoryClient, sha: str, name: str = "") -> dict[str, CheckRun]:
    """This app's newest check run of each name (or of ``name`` alone) on a commit; one call."""
    runs = client.paginate(
        f"commits/{sha}/check-runs", key="check_runs", app_id=client.app_id, check_name=name or None, filter="latest"
    )
    mine = [_check_run(run) for run in runs if (run.get("app") or {}).get("id") == client.app_id]
    return {run.name: run for run in sorted(mine, key=lambda run: run.id)}


def put(client: RepositoryClient, sha: str, check: Check, present: CheckRun | None) -> CheckRun | None:
    """Make GitHub show ``check`` on ``sha``: no call when ``present`` already does, else an update, else a new run.

    ``present`` is what :func:`ours` found under this name (``None``: there is none). A completed run whose check is now
    queued or running again gets a new run, because GitHub does not reopen one. Returns the run, ``None`` if unchanged.
    """
    if present is not None and present.shows(check):
        return None
    reopened = present is not None and present.status == "completed" and check.status != "completed"
    body = _body(check)
    first, rest = _chunks(check.annotations, already=present.annotations if present and not reopened else 0)
    body["output"]["annotations"] = first
    if present is None or reopened:
        data = client.post("check-runs", {"name": check.name, "head_sha": sha, **body})
    else:
        data = client.patch(f"check-runs/{present.id}", body)
    for chunk in rest:
        # Annotations of later requests are added to those of the earlier ones.
        output = {"title": body["output"]["title"], "summary": body["output"]["summary"], "annotations": chunk}
        data = client.patch(f"check-runs/{data['id']}", {"output": {**output, **_text(body)}})
    return _check_run(data)


def _chunks(annotations: Sequence[Annotation], *, already: int) -> tuple[list[Any], list[list[Any]]]:
    """Annotations in requests of 50. GitHub only ever adds, so those that it already has are not sent again."""
    todo = [annotation.as_json() for annotation in annotations[already:]]
    chunks = [todo[i : i + ANNOTATIONS_A_REQUEST] for i in range(0, len(todo), ANNOTATIONS_A_REQUEST)]
    return (chunks[0], chunks[1:]) if chunks else ([], [])


def _output(check: Check) -> dict[str, Any]:
    output: dict[str, Any] = {"title": check.title[:255], "summary": clip(check.summary)}
    if check.text:
        output["text"] = clip(check.text)
    return output


def _text(body: dict[str, Any]) -> dict[str, str]:
    return {"text": body["output"]["text"]} if "text" in body["output"] else {}


def _body(check: Check) -> dict[str, Any]:
    body: dict[str, Any] = {"status": check.status, "output": _output(check)}
    if check.conclusion:
        body["conclusion"] = check.conclusion
    if check.external_id:
        body["external_id"] = check.external_id
    if check.details_url:
        body["details_url"] = check.details_url
    if check.started_at:
        body["started_at"] = check.started_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    if check.completed_at:
        body["completed_at"] = check.completed_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    if check.buttons:
        body["actions"] = [button.as_json() for button in check.buttons[:3]]
    return body


def _check_run(data: dict[str, Any]) -> CheckRun:
    output = data.get("output") or {}
    return CheckRun(
        id=int(data["id"]),
        name=str(data["name"]),
        status=str(data["status"]),
        conclusion=data.get("conclusion"),
        title=output.get("title") or "",
        summary=output.get("summary") or "",
        text=output.get("text") or "",
        external_id=data.get("external_id") or "",
        details_url=data.get("details_url") or "",
        annotations=int(output.get("annotations_count") or 0),
        html_url=data.get("html_url") or "",
        suite=int((data.get("check_suite") or {}).get("id") or 0),
    )
