"""Check runs: our own only, in place, nothing re-sent that is the same, everything within GitHub's sizes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ghapp.github import checks
from ghapp.github.app import GitHubApp
from ghapp.github.checks import Annotation, Button, Check
from ghapp.github.client import RepositoryClient

from .conftest import Answer, Asked, Scripted

SHA = "b" * 40
RUNS = f"GET /repos/acme/web/commits/{SHA}/check-runs"
CREATE = "POST /repos/acme/web/check-runs"
CHECK = Check(
    "ghapp / web / before", "2 steps passed", "All is well.", "log", conclusion="success", external_id="run-1"
)


class Kept:
    """Check runs as GitHub keeps them."""

    def __init__(self, github: Scripted) -> None:
        self.runs: list[dict[str, Any]] = []
        self._github = github
        github.on(RUNS, lambda _: Answer({"total_count": len(self.runs), "check_runs": self.runs}))
        github.on(CREATE, self.create)

    def create(self, asked: Asked) -> Answer:
        run = {"id": len(self.runs) + 1, "app": {"id": 1}, "conclusion": None, "annotations": []}
        self.runs.append(run)
        self._github.on(f"PATCH /repos/acme/web/check-runs/{run['id']}", lambda asked: self.change(run, asked, 200))
        return self.change(run, asked, 201)

    def change(self, run: dict[str, Any], asked: Asked, status: int) -> Answer:
        sent = dict(asked.body)
        output = dict(sent.pop("output", {}))
        run["annotations"] = run["annotations"] + output.pop("annotations", [])
        run |= sent
        run["output"] = {**run.get("output", {}), **output, "annotations_count": len(run["annotations"])}
        return Answer({k: v for k, v in run.items() if k != "annotations"}, status)


@pytest.fixture
def kept(github: Scripted) -> Kept:
    return Kept(github)


@pytest.fixture
def client(app: GitHubApp, github: Scripted) -> RepositoryClient:
    made = app.for_repository("acme/web")
    made.get("")
    return made


def writes(github: Scripted) -> int:
    return sum("check-runs" in asked.path and asked.method != "GET" for asked in github.asked)


def put(client: RepositoryClient, check: Check) -> Any:
    return checks.put(client, SHA, check, checks.ours(client, SHA).get(check.name))


def test_made_once_then_updated_in_place_then_left_alone(
    client: RepositoryClient, github: Scripted, kept: Kept
) -> None:
    running = Check(CHECK.name, "running", "step 1", status="in_progress", external_id="run-1")
    for check in (running, running, CHECK, CHECK, CHECK):
        put(client, check)
    assert len(kept.runs) == 1
    assert writes(github) == 2
    assert put(client, CHECK) is None
    assert (kept.runs[0]["status"], kept.runs[0]["conclusion"]) == ("completed", "success")


@pytest.mark.parametrize(
    "change",
    [
        {"conclusion": "failure"},
        {"title": "3 steps passed"},
        {"summary": "All is well now."},
        {"text": "another log"},
        {"external_id": "run-2"},
        {"details_url": "https://ghapp.example.com/runs/2"},
    ],
)
def test_every_change_is_sent(client: RepositoryClient, github: Scripted, kept: Kept, change: dict[str, Any]) -> None:
    from dataclasses import replace

    put(client, CHECK)
    assert put(client, replace(CHECK, **change)) is not None
    assert len(kept.runs) == 1


def test_a_completed_run_that_runs_again_is_a_new_one(client: RepositoryClient, github: Scripted, kept: Kept) -> None:
    put(client, CHECK)
    put(client, Check(CHECK.name, "running", "again", status="in_progress"))
    assert [run["status"] for run in kept.runs] == ["completed", "in_progress"]
    assert checks.ours(client, SHA)[CHECK.name].id == 2


def test_another_apps_run_of_the_same_name_is_not_ours(client: RepositoryClient, github: Scripted, kept: Kept) -> None:
    kept.runs.append({"id": 99, "name": CHECK.name, "status": "completed", "app": {"id": 2}, "conclusion": "success"})
    assert checks.ours(client, SHA) == {}
    put(client, CHECK)
    assert kept.runs[0] == {
        "id": 99,
        "name": CHECK.name,
        "status": "completed",
        "app": {"id": 2},
        "conclusion": "success",
    }
    assert len(kept.runs) == 2


@pytest.mark.parametrize(("count", "requests"), [(0, 1), (1, 1), (49, 1), (50, 1), (51, 2), (100, 2), (101, 3)])
def test_annotations_go_fifty_at_a_time(
    client: RepositoryClient, github: Scripted, kept: Kept, count: int, requests: int
) -> None:
    from dataclasses import replace

    remarks = [Annotation("src/a.py", n, n, "failure", f"remark {n}") for n in range(1, count + 1)]
    check = replace(CHECK, annotations=remarks)
    put(client, check)
    assert writes(github) == requests
    assert [remark["start_line"] for remark in kept.runs[0]["annotations"]] == list(range(1, count + 1))
    assert kept.runs[0]["output"]["text"] == "log"
    assert put(client, check) is None


def test_later_annotations_are_added_and_none_is_sent_twice(
    client: RepositoryClient, github: Scripted, kept: Kept
) -> None:
    from dataclasses import replace

    remarks = [Annotation("a", n, n, "notice", "x") for n in range(1, 81)]
    put(client, replace(CHECK, annotations=remarks[:30]))
    put(client, replace(CHECK, annotations=remarks))
    assert [remark["start_line"] for remark in kept.runs[0]["annotations"]] == list(range(1, 81))


def test_every_field_keeps_to_githubs_sizes(client: RepositoryClient, github: Scripted, kept: Kept) -> None:
    remark = Annotation("a", 5, 1, "warning", "ü" * 70_000, "t" * 300, "d" * 70_000)
    button = Button("l" * 30, "d" * 60, "i" * 30)
    put(
        client,
        Check(
            "n",
            "t" * 300,
            "s" * 70_000,
            "€" * 70_000,
            conclusion="failure",
            annotations=[remark],
            buttons=[button] * 5,
            completed_at=datetime(2026, 3, 1, tzinfo=UTC),
        ),
    )
    sent = github.last(CREATE).body
    output = sent["output"]
    assert len(output["title"]) == 255
    assert max(len(output["summary"].encode()), len(output["text"].encode())) <= 65_535
    annotation = output["annotations"][0]
    assert len(annotation["message"].encode()) <= 65_535
    assert (annotation["start_line"], annotation["end_line"], len(annotation["title"])) == (5, 5, 255)
    assert sent["actions"] == [{"label": "l" * 20, "description": "d" * 40, "identifier": "i" * 20}] * 3
    assert sent["completed_at"] == "2026-03-01T00:00:00Z"
