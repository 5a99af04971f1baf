"""Who is let in where: permissions of installations by endpoint, roles of people, and the errors for everybody else."""

from __future__ import annotations

from typing import Any

import pytest

from ghapp.sandbox.forge.web.admission import LEVELS

READS = [
    ("/repos/acme/app/contents/README.md", "contents=read"),
    ("/repos/acme/app/pulls", "pull_requests=read"),
    ("/repos/acme/app/commits/main/check-runs", "checks=read"),
    ("/repos/acme/app/commits/main/status", "statuses=read"),
    ("/repos/acme/app/deployments", "deployments=read"),
    ("/repos/acme/app/branches/main/protection", "administration=read"),
    ("/repos/acme/app/actions/runs", "actions=read"),
    ("/orgs/acme/members", "members=read"),
    ("/repos/acme/app/issues/1/comments", "issues=read; pull_requests=read"),
]


@pytest.mark.parametrize(("path", "accepted"), READS)
def test_an_installation_needs_the_permission_that_the_answer_names(world: Any, path: str, accepted: str) -> None:
    world.pull()
    app = world.forge.create_app("bare", {})
    installation = world.forge.install(app, "acme")
    answer = world.as_installation(installation).get(path)
    assert answer.status_code == 403
    assert answer.json()["message"] == "Resource not accessible by integration"
    assert answer.headers["X-Accepted-GitHub-Permissions"] == accepted
    name = accepted.split(";")[0].split("=")[0]
    installation.permissions[name] = "read"
    assert world.as_installation(installation).get(path).status_code in (200, 404)


def test_reading_is_not_writing(world: Any) -> None:
    world.seed()
    app = world.forge.create_app("reader", {"contents": "read", "checks": "read"})
    client = world.as_installation(world.forge.install(app, "acme"))
    body = {"message": "x", "content": "eA==", "branch": "main"}
    assert client.put("/repos/acme/app/contents/x", json=body).status_code == 403
    assert client.post("/repos/acme/app/check-runs", json={"name": "x", "head_sha": "0" * 40}).status_code == 403


def test_public_repositories_of_others_can_be_read_but_not_written(world: Any) -> None:
    world.forge.create_repository("mallory", "open")
    client = world.as_installation(world.installation)
    assert client.get("/repos/mallory/open").status_code == 200
    assert client.post("/repos/mallory/open/labels", json={"name": "x"}).status_code == 403


def test_a_private_repository_does_not_exist_for_strangers(world: Any) -> None:
    for client in (world.as_user("mallory"), world.client()):
        answer = client.get("/repos/acme/app")
        assert answer.status_code == 404
        assert answer.json()["message"] == "Not Found"
    assert world.as_user("carol").get("/repos/acme/app").status_code == 200


def test_people_are_judged_by_their_role(world: Any) -> None:
    world.seed()
    label = {"name": "new"}
    assert world.as_user("carol").post("/repos/acme/app/labels", json=label).status_code == 403
    assert world.as_user("bob").post("/repos/acme/app/labels", json=label).status_code == 201
    assert world.as_user("bob").patch("/repos/acme/app", json={"description": "x"}).status_code == 403
    assert world.as_user("ada").patch("/repos/acme/app", json={"description": "x"}).json()["description"] == "x"


def test_wrong_credentials_are_told_so(world: Any) -> None:
    for wrong in ("token nonsense", "Bearer ghs_nonsense", "Digest x"):
        answer = world.client(wrong).get("/user")
        assert (answer.status_code, answer.json()["message"]) == (401, "Bad credentials")
    assert world.client().get("/user").json()["message"] == "Requires authentication"


def test_nonsense_is_refused_in_githubs_words(world: Any) -> None:
    client = world.as_user("bob")
    broken = client.post("/repos/acme/app/labels", content=b"{")
    assert (broken.status_code, broken.json()["message"]) == (400, "Problems parsing JSON")
    listed = client.post("/repos/acme/app/labels", content=b"[]")
    assert (listed.status_code, listed.json()["message"]) == (400, "Body should be a JSON object")
    assert client.post("/repos/acme/app/labels", json={}).status_code == 422
    assert client.post("/repos/acme/app/labels", json={"name": 7}).status_code == 422
    assert client.get("/no/such/thing").status_code == 404


def test_an_archived_repository_is_read_only(world: Any) -> None:
    world.seed()
    ada = world.as_user("ada")
    assert ada.patch("/repos/acme/app", json={"archived": True}).json()["archived"] is True
    for client in (ada, world.as_installation(world.installation)):
        answer = client.post("/repos/acme/app/labels", json={"name": "x"})
        assert (answer.status_code, answer.json()["message"]) == (403, "Repository was archived so is read-only.")
    assert ada.get("/repos/acme/app/labels").status_code == 200
    assert ada.patch("/repos/acme/app", json={"archived": False}).json()["archived"] is False


def test_every_route_needs_permissions_that_exist(forge: Any) -> None:
    known = {
        "actions",
        "administration",
        "checks",
        "contents",
        "deployments",
        "issues",
        "members",
        "metadata",
        "organization_administration",
        "pull_requests",
        "security_events",
        "statuses",
    }
    for route in forge.application.router.routes:
        for name, level in route.alternatives:
            assert name in known, route
            assert level in LEVELS, route
        if route.method != "GET" and route.template.startswith("/repos/"):
            assert route.alternatives, f"{route.method} {route.template} is open to everybody"


def test_graphql_is_for_those_who_say_who_they_are(world: Any) -> None:
    url, body = world.forge.graphql_url, {"query": "{ viewer { login } rateLimit { remaining } }"}
    client = world.as_installation(world.installation)
    answer = client.post(url, json=body)
    assert answer.json()["data"]["viewer"]["login"] == "robot[bot]"
    assert answer.headers["X-RateLimit-Resource"] == "graphql"
    assert world.client().post(url, json=body).status_code == 401
    assert client.get("/rate_limit").json()["resources"]["graphql"]["used"] == 1
    assert world.forge.requests.count(actor=f"installation:{world.installation.id}", route="/api/graphql") == 1
