"""Deployments, their statuses, and what a success does to those before it."""

from __future__ import annotations

from typing import Any

import pytest

ALL = "/repos/acme/app/deployments"


@pytest.fixture
def app(world: Any) -> Any:
    world.seed()
    return world.as_installation(world.installation)


def deploy(app: Any, environment: str = "dev", **more: Any) -> dict[str, Any]:
    body = {"ref": "main", "environment": environment, "auto_merge": False, "required_contexts": [], **more}
    answer = app.post(ALL, json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def states(app: Any, deployment: dict[str, Any]) -> list[str]:
    return [s["state"] for s in app.get(f"{ALL}/{deployment['id']}/statuses").json()]


def test_created_listed_and_followed(app: Any) -> None:
    made = deploy(app, payload={"release": "r1"}, description="first", task="deploy:web")
    assert (made["payload"], made["creator"]["login"]) == ({"release": "r1"}, "robot[bot]")
    deploy(app, "staging")
    assert [d["id"] for d in app.get(ALL, params={"environment": "dev"}).json()] == [made["id"]]
    assert [d["id"] for d in app.get(ALL, params={"task": "deploy:web"}).json()] == [made["id"]]
    assert len(app.get(ALL).json()) == 2
    assert app.get(f"{ALL}/{made['id']}").json()["description"] == "first"
    path = f"{ALL}/{made['id']}/statuses"
    body = {"state": "in_progress", "description": "on it", "log_url": "https://log.example"}
    status = app.post(path, json=body).json()
    assert (status["state"], status["log_url"], status["environment"]) == ("in_progress", "https://log.example", "dev")
    assert app.get(f"{path}/{status['id']}").json()["id"] == status["id"]
    assert [e["name"] for e in app.get("/repos/acme/app/environments").json()["environments"]] == ["dev", "staging"]
    assert app.get("/repos/acme/app/environments/dev").json()["name"] == "dev"
    assert app.get("/repos/acme/app/environments/none").status_code == 404


def test_a_success_retires_the_older_ones_of_its_environment(app: Any) -> None:
    first, elsewhere, second = deploy(app), deploy(app, "staging"), deploy(app)
    for deployment in (first, elsewhere, second):
        app.post(f"{ALL}/{deployment['id']}/statuses", json={"state": "success"})
    assert states(app, first) == ["inactive", "success"]
    assert states(app, elsewhere) == ["success"]
    third = deploy(app)
    app.post(f"{ALL}/{third['id']}/statuses", json={"state": "success", "auto_inactive": False})
    assert states(app, second) == ["success"]


def test_production_and_transient_ones_are_left_alone(app: Any) -> None:
    first = deploy(app, "production")
    assert first["production_environment"] is True
    app.post(f"{ALL}/{first['id']}/statuses", json={"state": "success"})
    app.post(f"{ALL}/{deploy(app, 'production')['id']}/statuses", json={"state": "success"})
    assert states(app, first) == ["success"]


def test_contexts_must_be_good(world: Any, app: Any) -> None:
    sha = world.repository.git.branch("main")
    app.post(f"/repos/acme/app/statuses/{sha}", json={"state": "pending", "context": "ci"})
    body = {"ref": "main", "auto_merge": False}
    answer = app.post(ALL, json=body)
    assert (answer.status_code, answer.json()["message"]) == (
        409,
        "Conflict: Commit statuses checks failed for main.",
    )
    assert app.post(ALL, json={**body, "required_contexts": ["ci"]}).status_code == 409
    app.post(f"/repos/acme/app/statuses/{sha}", json={"state": "success", "context": "ci"})
    assert app.post(ALL, json={**body, "required_contexts": ["ci"]}).status_code == 201


def test_nonsense(app: Any) -> None:
    assert app.post(ALL, json={"ref": "absent"}).status_code == 422
    made = deploy(app)
    assert app.post(f"{ALL}/{made['id']}/statuses", json={"state": "great"}).status_code == 422
    assert (
        app.post(f"{ALL}/{made['id']}/statuses", json={"state": "error", "description": "x" * 141}).status_code == 422
    )
    assert app.get(f"{ALL}/1").status_code == 404


def test_only_inactive_ones_can_be_deleted(app: Any) -> None:
    first, _ = deploy(app), deploy(app, "staging")
    app.post(f"{ALL}/{first['id']}/statuses", json={"state": "success"})
    assert app.delete(f"{ALL}/{first['id']}").status_code == 422
    app.post(f"{ALL}/{first['id']}/statuses", json={"state": "inactive"})
    assert app.delete(f"{ALL}/{first['id']}").status_code == 204


def test_inactive_is_told_to_nobody(world: Any, heard: Any) -> None:
    world.seed()
    app = world.as_installation(world.installation)
    for _ in range(2):
        app.post(f"{ALL}/{deploy(app)['id']}/statuses", json={"state": "success"})
    got = heard()
    assert len(got.bodies("deployment", "created")) == 2
    assert [b["deployment_status"]["state"] for b in got.bodies("deployment_status")] == ["success", "success"]
