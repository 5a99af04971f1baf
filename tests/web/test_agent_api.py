"""What agents may ask: a read-only token for their own repository, a wait, a report; nothing without a credential."""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from flask.testing import FlaskClient
from redis import Redis

from ghapp.settings import load
from ghapp.web import create_app
from jobs import branches

if TYPE_CHECKING:
    from tests.conftest import Place

ISSUER, SUBJECT = "https://cluster.example.com", "system:serviceaccount:ghapp:agent"
KEY = rsa.generate_private_key(65537, 2048)
BEARER = {"Authorization": "Bearer k3y"}


@pytest.fixture
def agent(place: Place, tmp_path: Path) -> FlaskClient:
    jwk = {**jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key(), as_dict=True), "kid": "k1", "use": "sig"}
    (tmp_path / "jwks.json").write_text(json.dumps({"keys": [jwk]}))
    agents = [{"name": "prod", "key": "k3y", "repositories": ["acme/web"]}]
    cluster = {"name": "eu", "issuer": ISSUER, "subject": SUBJECT, "jwks": str(tmp_path / "jwks.json")}
    environ = {
        **place.environ,
        "GHAPP_AGENT_KEYS": json.dumps(agents),
        "GHAPP_AGENT_CLUSTERS": json.dumps([{**cluster, "repositories": ["acme/*"]}]),
        "GHAPP_PUBLIC_URL": "https://ghapp.example.com",
    }
    return create_app(load(environ)).test_client()


def service_account(**changes: Any) -> dict[str, str]:
    claims = {"iss": ISSUER, "sub": SUBJECT, "aud": "https://ghapp.example.com", "exp": time.time() + 600, **changes}
    key = changes.pop("key", KEY)
    claims.pop("key", None)
    return {"Authorization": f"Bearer {jwt.encode(claims, key, algorithm='RS256', headers={'kid': 'k1'})}"}


# --- tokens ----------------------------------------------------------------------------------------
def test_a_known_agent_gets_a_token_that_reads_its_repository_and_no_more(agent: FlaskClient, place: Place) -> None:
    place.push(README="one")
    place.forge.create_repository("acme", "secret", private=True)
    for headers in (BEARER, service_account()):
        answer = agent.post("/agent/v1/token", json={"repository": "acme/web"}, headers=headers)
        assert answer.status_code == 200
        assert answer.json["repository"] == "acme/web"
        assert datetime.fromisoformat(answer.json["expires_at"]) > datetime.now(UTC)
        mine = {"Authorization": f"token {answer.json['token']}"}
        api = place.forge.api_url
        assert httpx.get(f"{api}/repos/acme/web/contents/README", headers=mine).status_code == 200
        assert httpx.get(f"{api}/repos/acme/secret", headers=mine).status_code == 404
        written = httpx.put(f"{api}/repos/acme/web/contents/x", headers=mine, json={"message": "m", "content": "eA=="})
        assert written.status_code == 403


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({}, "no bearer credential"),
        ({"Authorization": "Basic a2V5"}, "no bearer credential"),
        ({"Authorization": "Bearer wrong"}, "no key of an agent"),
        (service_account(iss="https://other.example.com"), "No cluster is set up"),
        (service_account(sub="system:serviceaccount:default:default"), "No cluster is set up"),
        (service_account(aud="https://other.example.com"), "not accepted"),
        (service_account(exp=1), "not accepted"),
        (service_account(key=rsa.generate_private_key(65537, 2048)), "not accepted"),
        (
            {"Authorization": f"Bearer {jwt.encode({'iss': ISSUER, 'sub': SUBJECT}, None, algorithm='none')}"},
            "not accepted",
        ),
    ],
)
def test_nobody_else_gets_anything(agent: FlaskClient, headers: dict[str, str], said: str) -> None:
    for call in (
        agent.post("/agent/v1/token", json={"repository": "acme/web"}, headers=headers),
        agent.get("/agent/v1/wait?repository=acme/web&branch=env/prod", headers=headers),
        agent.post("/agent/v1/report", json={"repository": "acme/web"}, headers=headers),
    ):
        assert call.status_code == 401
        assert said in call.json["message"]


@pytest.mark.parametrize(
    ("repository", "status"),
    [("acme/other", 403), ("evil/web", 403), ("acme/web/../other", 400), ("", 400), (None, 400), (7, 400)],
)
def test_an_agent_reads_only_what_it_was_set_up_for(agent: FlaskClient, repository: Any, status: int) -> None:
    answer = agent.post("/agent/v1/token", json={"repository": repository}, headers=BEARER)
    assert answer.status_code == status


def test_a_repository_without_the_app_is_not_found(agent: FlaskClient) -> None:
    answer = agent.post("/agent/v1/token", json={"repository": "acme/nothing"}, headers=service_account())
    assert (answer.status_code, answer.json["message"]) == (404, "The app is not installed on acme/nothing.")


def test_github_away_is_not_the_agents_fault(agent: FlaskClient, place: Place) -> None:
    place.forge.pause()
    answer = agent.post("/agent/v1/token", json={"repository": "acme/web"}, headers=BEARER)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]


# --- waiting ---------------------------------------------------------------------------------------
def wait(agent: FlaskClient, sha: str, timeout: float = 0) -> tuple[int, str]:
    query = {"repository": "acme/web", "branch": "env/prod", "sha": sha, "timeout": str(timeout)}
    answer = agent.get("/agent/v1/wait", query_string=query, headers=BEARER)
    return answer.status_code, (answer.json or {}).get("sha", "")


def test_a_branch_that_has_moved_is_said_at_once(agent: FlaskClient, place: Place, redis: Redis) -> None:
    sha = place.push("env/prod", README="one")
    assert wait(agent, "", 30) == (200, sha)
    assert wait(agent, "a" * 40, 30) == (200, sha)
    assert wait(agent, sha) == (204, "")


def test_a_merge_is_heard_of_within_a_moment(agent: FlaskClient, place: Place, redis: Redis) -> None:
    sha = place.push("env/prod", README="one")
    assert wait(agent, sha) == (204, "")
    timer = threading.Timer(0.3, branches.moved, (redis, "Acme/Web", "env/prod", "c" * 40))
    timer.start()
    began = time.monotonic()
    assert wait(agent, sha, 30) == (200, "c" * 40)
    assert time.monotonic() - began < 10


def test_a_branch_that_is_not_there_is_waited_for(agent: FlaskClient, place: Place, redis: Redis) -> None:
    place.push(README="one")
    assert wait(agent, "") == (204, "")
    branches.moved(redis, "acme/web", "env/prod", "0" * 40)  # deleted
    assert wait(agent, "") == (204, "")
    assert wait(agent, "a" * 40) == (200, "")


@pytest.mark.parametrize("branch", ["main", "env/", "env/../main", "", "env/a b"])
def test_only_environments_can_be_waited_for(agent: FlaskClient, branch: str) -> None:
    query = {"repository": "acme/web", "branch": branch, "timeout": "0"}
    assert agent.get("/agent/v1/wait", query_string=query, headers=BEARER).status_code in (400, 404)


# --- reports ---------------------------------------------------------------------------------------
def report(agent: FlaskClient, sha: Any, state: str, environment: Any = "prod") -> int:
    app = {"app": "shop", "state": state, "description": f"it is {state}", "release": "r1", "source_commit": "d" * 40}
    body = {"repository": "acme/web", "branch": "env/prod", "environment": environment, "sha": sha, "state": state}
    answer = agent.post("/agent/v1/report", json={**body, "description": "d", "apps": [app]}, headers=BEARER)
    return answer.status_code


def test_a_report_becomes_deployment_statuses_once_each(agent: FlaskClient, place: Place) -> None:
    sha = place.push("env/prod", README="one")
    for state in ("in_progress", "in_progress", "success", "success"):
        assert report(agent, sha, state) == 202
    listed: Any = place.call("alice", "GET", "/repos/acme/web/deployments?environment=prod")
    (deployment,) = listed
    assert (deployment["task"], deployment["sha"]) == ("deploy:shop", sha)
    assert deployment["payload"] == {"app": "shop", "release": "r1", "source_commit": "d" * 40}
    path = f"/repos/acme/web/deployments/{deployment['id']}/statuses"
    statuses: Any = place.call("alice", "GET", path)
    assert [status["state"] for status in statuses] == ["success", "in_progress"]
    combined: Any = place.call("alice", "GET", f"/repos/acme/web/commits/{sha}/status")
    assert [(s["context"], s["state"]) for s in combined["statuses"]] == [("ghapp / agent / prod", "success")]


def test_an_old_release_is_not_reported_onto_a_new_deployment(agent: FlaskClient, place: Place) -> None:
    sha = place.push("env/prod", README="one")
    body = {"ref": sha, "environment": "prod", "task": "deploy:shop", "payload": {"app": "shop", "release": "r2"}}
    body |= {"auto_merge": False, "required_contexts": []}
    newer: Any = place.call("alice", "POST", "/repos/acme/web/deployments", body)
    assert report(agent, sha, "success") == 202
    statuses: Any = place.call("alice", "GET", f"/repos/acme/web/deployments/{newer['id']}/statuses")
    assert statuses == []


def test_a_release_that_is_back_is_reported_for_the_merge_that_brought_it_back(
    agent: FlaskClient, place: Place
) -> None:
    place.push("env/prod", README="one")

    def merge(app: str, release: str) -> str:
        body = {"message": f"Deploy\n\nGhapp-App: {app}\nGhapp-Release: {release}", "content": "eA=="}
        path = f"/repos/acme/web/contents/{app}-{len(merged)}"
        made: Any = place.call("alice", "PUT", path, {**body, "branch": "env/prod"})
        return str(made["commit"]["sha"])

    merged: list[str] = []
    for app, release in (("shop", "r1"), ("shop", "r2"), ("shop", "r1"), ("blog", "b1")):
        merged.append(merge(app, release))
    assert report(agent, merged[0], "success") == 202
    assert report(agent, merged[3], "success") == 202
    listed: Any = place.call("alice", "GET", "/repos/acme/web/deployments?environment=prod")
    assert [d["sha"] for d in listed] == [merged[2], merged[0]]


def test_a_report_without_form_is_refused(agent: FlaskClient) -> None:
    assert report(agent, "a" * 40, "great") == 400
    assert report(agent, "a" * 40, "success", environment=None) == 400
    assert report(agent, 5, "success") == 400
