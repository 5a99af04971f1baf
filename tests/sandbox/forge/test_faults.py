"""The switches that make the forge misbehave, its rate limits, and what is counted."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import httpx
import orjson
import pytest

REPO = "/repos/acme/app"


def test_limits_are_counted_told_and_kept_to(world: Any) -> None:
    client = world.as_installation(world.installation)
    first = client.get(REPO)
    assert (first.headers["X-RateLimit-Limit"], first.headers["X-RateLimit-Remaining"]) == ("5000", "4999")
    assert first.headers["X-RateLimit-Resource"] == "core"
    key = f"installation:{world.installation.id}"
    world.forge.limits.exhaust(key, reset_in=600)
    refused = client.get(REPO)
    assert (refused.status_code, refused.headers["X-RateLimit-Remaining"]) == (403, "0")
    assert "API rate limit exceeded" in refused.json()["message"]
    told = client.get("/rate_limit").json()
    assert told["resources"]["core"]["remaining"] == 0
    assert world.as_user("bob").get(REPO).status_code == 200
    world.forge.advance(601)
    assert world.as_installation(world.installation).get(REPO).status_code == 200


def test_nobody_in_particular_gets_sixty(world: Any) -> None:
    client = world.client()
    assert client.get("/users/ada").headers["X-RateLimit-Limit"] == "60"


def test_what_has_not_changed_costs_nothing(world: Any) -> None:
    client = world.as_user("bob")
    first = client.get(REPO)
    again = client.get(REPO, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["X-RateLimit-Used"] == "1"
    world.as_user("ada").patch(REPO, json={"description": "new"})
    changed = client.get(REPO, headers={"If-None-Match": first.headers["ETag"]})
    assert (changed.status_code, changed.headers["X-RateLimit-Used"]) == (200, "2")


def test_pages_lead_to_each_other(world: Any) -> None:
    client = world.as_user("bob")
    for number in range(5):
        client.post(f"{REPO}/labels", json={"name": f"l{number}"})
    middle = client.get(f"{REPO}/labels", params={"per_page": 2, "page": 2})
    assert [item["name"] for item in middle.json()] == ["l2", "l3"]
    pages = {rel: httpx.URL(link["url"]).params["page"] for rel, link in middle.links.items()}
    assert pages == {"prev": "1", "next": "3", "first": "1", "last": "3"}
    last = client.get(middle.links["last"]["url"])
    assert set(last.links) == {"prev", "first"}
    assert client.get(f"{REPO}/labels", params={"page": 9}).json() == []
    assert len(client.get(f"{REPO}/labels", params={"per_page": 1000, "page": "x"}).json()) == 5


def test_a_page_is_never_longer_than_a_hundred(world: Any) -> None:
    client = world.as_user("bob")
    for number in range(101):
        client.post(f"{REPO}/labels", json={"name": f"l{number}"})
    assert len(client.get(f"{REPO}/labels", params={"per_page": 200}).json()) == 100


def test_requests_are_counted_by_who_and_what(world: Any) -> None:
    client = world.as_installation(world.installation)
    world.forge.requests.reset()
    client.get(REPO)
    client.get(f"{REPO}/labels")
    world.as_user("bob").get(REPO)
    log = world.forge.requests
    assert log.count(route="/repos/{owner}/{repo}") == 2
    assert log.count(actor="user:bob") == 1
    assert [r.route for r in log.by(app="robot")] == ["GET /repos/{owner}/{repo}", "GET /repos/{owner}/{repo}/labels"]
    log.reset()
    assert log.records == []


def test_the_next_requests_fail_before_or_after_their_effect(world: Any) -> None:
    client, faults = world.as_user("bob"), world.forge.faults
    faults.fail_next(2, 503, method="POST", path="/labels$")
    assert client.get(f"{REPO}/labels").status_code == 200
    assert [client.post(f"{REPO}/labels", json={"name": "a"}).status_code for _ in range(3)] == [503, 503, 201]
    faults.fail_next(1, 502, method="POST", after_effect=True)
    assert client.post(f"{REPO}/labels", json={"name": "b"}).status_code == 502
    assert [label.name for label in world.repository.labels] == ["a", "b"]
    faults.error_rate = 1.0
    assert client.get(REPO).status_code == 502
    faults.clear()
    assert client.get(REPO).status_code == 200


@pytest.mark.parametrize("status", [403, 429])
def test_a_secondary_limit_says_how_long(world: Any, status: int) -> None:
    client = world.as_user("bob")
    world.forge.faults.secondary_limit_next(1, retry_after=7, status=status)
    answer = client.get(REPO)
    assert (answer.status_code, answer.headers["Retry-After"]) == (status, "7")
    assert "secondary rate limit" in answer.json()["message"]
    assert client.get(REPO).status_code == 200


def test_away_and_back_at_the_same_address(world: Any) -> None:
    client = world.as_user("bob")
    assert client.get(REPO).status_code == 200
    world.forge.pause()
    with pytest.raises(httpx.TransportError):
        client.get(REPO)
    world.forge.resume()
    assert client.get(REPO).status_code == 200


def test_deliveries_get_lost_doubled_and_reordered(world: Any, heard: Any, receiver: Any) -> None:
    heard()
    receiver.received.clear()
    faults = world.forge.faults
    client = world.as_user("bob")

    def label(name: str) -> None:
        client.post(f"{REPO}/issues", json={"title": name})

    def titles() -> list[str]:
        world.judge_deliveries()
        return [orjson.loads(body)["issue"]["title"] for _, body in receiver.received]

    faults.lose = 1
    label("lost")
    assert titles() == []
    assert world.forge.deliveries[-1].status_code == 504
    faults.double = 1
    label("double")
    assert titles() == ["double", "double"]
    assert len({h["x-github-delivery"] for h, _ in receiver.received}) == 1
    faults.reorder = 1
    label("late")
    label("early")
    assert titles()[2:] == ["early", "late"]
    faults.reorder = 1
    label("alone")
    assert titles()[4:] == ["alone"]


def test_connections_are_kept_and_unread_bodies_do_no_harm(world: Any) -> None:
    client = world.as_user("bob")
    for _ in range(3):
        assert client.post("/no/such", content=b"x" * 200_000).status_code == 404
        assert client.get(REPO).status_code == 200
    pool = client._transport._pool  # type: ignore[attr-defined]
    assert len(pool.connections) == 1


def test_a_forge_of_its_own_is_filled_and_broken_over_http() -> None:
    command = [sys.executable, "-m", "ghapp.sandbox.forge"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            said = orjson.loads(process.stdout.readline())
            with httpx.Client(base_url=said["admin_url"], trust_env=False, verify=False) as admin:

                def call(name: str, /, **arguments: Any) -> Any:
                    answer = admin.post(name, json=arguments)
                    assert answer.status_code == 200, answer.text
                    return answer.json()

                assert "create_user" in admin.get("").json()
                call("create_user", login="ada")
                call("create_org", login="acme", admin="ada")
                assert call("create_repository", owner="acme", name="app")["full_name"] == "acme/app"
                app = call("create_app", slug="robot", permissions={"contents": "read"}, events=["push"])
                assert app["private_key"].startswith("-----BEGIN RSA PRIVATE KEY-----")
                call("install", app="robot", owner="acme", repositories=["app"])
                assert call("set_webhook", app="robot", url="http://127.0.0.1:9/")["webhook_url"]
                call("protect", repository="acme/app", branch="main", required_checks=["ci"], required_reviews=1)
                token = call("user_token", login="ada")
                headers = {"Authorization": f"token {token}"}
                api = httpx.Client(base_url=said["api_url"], headers=headers, trust_env=False, verify=False)
                assert api.get("/user").json()["login"] == "ada"
                call("fail_next", times=1, status=500)
                assert api.get("/user").status_code == 500
                assert [r["route"] for r in call("requests", reset=True)] == ["GET /user", "GET /user"]
                assert call("set_faults", latency=0.01)["latency"] == 0.01
                assert call("clear_faults")["latency"] == 0
                assert call("wait_for_deliveries") is True
                assert [d["event"] for d in call("deliveries")] == ["installation"]
                assert admin.post("create_user", json={"login": "ada"}).status_code == 422
                assert admin.post("create_user", json={"nonsense": 1}).status_code == 422
                assert admin.post("set_faults", json={"nonsense": 1}).status_code == 422
                assert admin.post("nonsense").status_code == 404
                api.close()
        finally:
            process.terminate()
        assert process.wait(10) == 0
