"""Check runs and suites within GitHub's limits, commit statuses, and runs of GitHub Actions."""

from __future__ import annotations

from typing import Any

import pytest

from ghapp.sandbox.forge.operations import checks

RUNS = "/repos/acme/app/check-runs"


@pytest.fixture
def sha(world: Any) -> str:
    return str(world.seed())


@pytest.fixture
def app(world: Any) -> Any:
    return world.as_installation(world.installation)


def test_from_queued_to_completed(app: Any, sha: str) -> None:
    run = app.post(RUNS, json={"name": "build", "head_sha": sha, "external_id": "7"}).json()
    assert (run["status"], run["conclusion"], run["external_id"], run["app"]["slug"]) == ("queued", None, "7", "robot")
    one = f"{RUNS}/{run['id']}"
    begun = app.patch(one, json={"status": "in_progress"}).json()
    assert (begun["status"], begun["started_at"] is not None) == ("in_progress", True)
    output = {"title": "Built", "summary": "*fast*", "text": "log"}
    done = app.patch(one, json={"conclusion": "success", "output": output}).json()
    assert (done["status"], done["conclusion"], done["output"]["title"]) == ("completed", "success", "Built")
    assert done["completed_at"] is not None
    again = app.patch(one, json={"status": "in_progress"}).json()
    assert (again["conclusion"], again["completed_at"]) == (None, None)
    assert app.get(one).json()["id"] == run["id"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "x", "head_sha": None},
        {"name": "x", "head_sha": "0" * 40},
        {"name": "x", "status": "done"},
        {"name": "x", "status": "completed"},
        {"name": "x", "conclusion": "great"},
        {"name": "x", "output": {"title": "only"}},
        {"name": "x", "output": {"title": "t", "summary": "s" * 65536}},
        {"name": "x", "output": {"title": "t", "summary": "s", "text": "é" * 32768}},
        {"name": "x", "actions": [{"label": "a", "description": "b", "identifier": "c"}] * 4},
        {"name": "x", "actions": [{"label": "a" * 21, "description": "b", "identifier": "c"}]},
    ],
)
def test_what_github_would_not_take(app: Any, sha: str, body: dict[str, Any]) -> None:
    assert app.post(RUNS, json={"head_sha": sha, **body}).status_code == 422
    assert app.get(f"/repos/acme/app/commits/{sha}/check-runs").json()["total_count"] == 0


def annotation(line: int) -> dict[str, Any]:
    return {"path": "a", "start_line": line, "end_line": line, "annotation_level": "warning", "message": str(line)}


def test_fifty_annotations_at_a_time_which_add_up(app: Any, sha: str) -> None:
    output = {"title": "t", "summary": "s", "annotations": [annotation(n) for n in range(1, 51)]}
    run = app.post(RUNS, json={"name": "lint", "head_sha": sha, "output": output}).json()
    one = f"{RUNS}/{run['id']}"
    more = {**output, "annotations": [annotation(51)]}
    assert app.patch(one, json={"output": more}).json()["output"]["annotations_count"] == 51
    too_many = {**output, "annotations": [annotation(n) for n in range(51)]}
    assert app.patch(one, json={"output": too_many}).status_code == 422
    page = app.get(f"{one}/annotations", params={"per_page": 50, "page": 2}).json()
    assert [a["message"] for a in page] == ["51"]
    wrong = {**output, "annotations": [{**annotation(1), "annotation_level": "bad"}]}
    assert app.patch(one, json={"output": wrong}).status_code == 422


def test_only_its_own_app_may_touch_a_run(world: Any, app: Any, sha: str) -> None:
    run = app.post(RUNS, json={"name": "build", "head_sha": sha}).json()
    other = world.forge.create_app("other", {"checks": "write"})
    stranger = world.as_installation(world.forge.install(other, "acme"))
    assert stranger.patch(f"{RUNS}/{run['id']}", json={"conclusion": "success"}).status_code == 403
    assert world.as_user("ada").post(RUNS, json={"name": "x", "head_sha": sha}).status_code == 403


def test_lists_show_the_latest_of_each_name(app: Any, sha: str) -> None:
    first = app.post(RUNS, json={"name": "build", "head_sha": sha, "conclusion": "failure"}).json()
    second = app.post(RUNS, json={"name": "build", "head_sha": sha, "conclusion": "success"}).json()
    app.post(RUNS, json={"name": "lint", "head_sha": sha})
    path = f"/repos/acme/app/commits/{sha}/check-runs"

    def names(**query: Any) -> list[int]:
        return [run["id"] for run in app.get(path, params=query).json()["check_runs"]]

    assert names(check_name="build") == [second["id"]]
    assert names(check_name="build", filter="all") == [second["id"], first["id"]]
    assert len(names()) == 2
    assert len(names(status="queued")) == 1
    assert names(app_id=1) == []
    by_branch = app.get("/repos/acme/app/commits/main/check-runs").json()
    assert by_branch["total_count"] == 2


def test_suites_are_made_on_push_and_sum_up(world: Any, app: Any, sha: str) -> None:
    sha = world.seed({"after-install": "x"})
    path = f"/repos/acme/app/commits/{sha}/check-suites"
    (suite,) = app.get(path).json()["check_suites"]
    assert (suite["status"], suite["conclusion"], suite["head_branch"]) == ("queued", None, "main")
    app.post(RUNS, json={"name": "a", "head_sha": sha, "conclusion": "success"})
    app.post(RUNS, json={"name": "b", "head_sha": sha, "conclusion": "failure"})
    done = app.get(f"/repos/acme/app/check-suites/{suite['id']}").json()
    assert (done["status"], done["conclusion"], done["latest_check_runs_count"]) == ("completed", "failure", 2)
    assert app.get(f"/repos/acme/app/check-suites/{suite['id']}/check-runs").json()["total_count"] == 2
    assert app.post("/repos/acme/app/check-suites", json={"head_sha": sha}).status_code == 200


def test_rerequests_and_buttons_reach_the_app(world: Any, heard: Any) -> None:
    sha = world.seed()
    app = world.as_installation(world.installation)
    action = {"label": "Fix", "description": "Fix it", "identifier": "fix"}
    run = app.post(RUNS, json={"name": "a", "head_sha": sha, "conclusion": "neutral", "actions": [action]}).json()
    bob = world.as_user("bob")
    assert bob.post(f"{RUNS}/{run['id']}/rerequest").status_code == 201
    suite = run["check_suite"]["id"]
    assert bob.post(f"/repos/acme/app/check-suites/{suite}/rerequest").status_code == 201
    state = world.forge.state
    with state.lock:
        checks.request_action(state, state.find("CR", run["id"]), "fix", state.user("bob"))
    got = heard()
    assert got.bodies("check_run", "rerequested")[0]["sender"]["login"] == "bob"
    assert got.bodies("check_run", "requested_action")[0]["requested_action"] == {"identifier": "fix"}
    assert len(got.bodies("check_suite", "rerequested")) == 1
    assert len(got.bodies("check_suite", "completed")) == 1


# Statuses and workflow runs -------------------------------------------------------------------------------------------


def test_the_newest_status_of_each_context_counts(world: Any, app: Any, sha: str) -> None:
    path = f"/repos/acme/app/statuses/{sha}"
    combined = f"/repos/acme/app/commits/{sha}/status"
    assert app.get(combined).json()["state"] == "pending"
    app.post(path, json={"state": "pending", "context": "ci", "description": "d", "target_url": "https://x.example"})
    app.post(path, json={"state": "success", "context": "ci"})
    assert app.get(combined).json()["state"] == "success"
    world.as_user("bob").post(path, json={"state": "error", "context": "other"})
    whole = app.get(combined).json()
    assert (whole["state"], whole["total_count"]) == ("failure", 2)
    every = app.get(f"/repos/acme/app/commits/{sha}/statuses").json()
    assert [s["state"] for s in every] == ["error", "success", "pending"]
    assert every[0]["creator"]["login"] == "bob"


@pytest.mark.parametrize("body", [{}, {"state": "great"}, {"state": "success", "description": "x" * 141}])
def test_statuses_that_github_would_not_take(app: Any, sha: str, body: dict[str, Any]) -> None:
    assert app.post(f"/repos/acme/app/statuses/{sha}", json=body).status_code == 422
    assert app.post(f"/repos/acme/app/statuses/{'0' * 40}", json={"state": "success"}).status_code == 422


def test_workflow_runs_are_listed(world: Any, app: Any, sha: str) -> None:
    world.forge.record_workflow_run("acme/app", "bob", name="CI", head_sha=sha, head_branch="main")
    world.forge.record_workflow_run(
        "acme/app", "bob", name="CI", head_sha=sha, head_branch="topic", status="in_progress", conclusion=None
    )
    path = "/repos/acme/app/actions/runs"
    assert app.get(path).json()["total_count"] == 2
    assert app.get(path, params={"branch": "main", "head_sha": sha, "status": "success"}).json()["total_count"] == 1
    (run,) = app.get(path, params={"status": "in_progress"}).json()["workflow_runs"]
    assert app.get(f"{path}/{run['id']}").json()["head_branch"] == "topic"
