"""GraphQL over HTTP: credentials, status codes, the rate limit's headers and its price."""

from __future__ import annotations

from collections.abc import Iterator

import jwt
import pytest
import requests

VIEWER = {"query": "query { viewer { login } }"}


@pytest.fixture
def url(world) -> Iterator[str]:
    world.forge.start()
    yield world.forge.graphql_url


def post(url: str, token: str | None, body: dict) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return requests.post(url, json=body, headers=headers, timeout=10)


def test_an_installation_and_a_person_each_ask_as_themselves(world, url):
    token = world.forge.installation_token(world.installation)
    assert post(url, token, VIEWER).json() == {"data": {"viewer": {"login": "ghapp[bot]"}}}
    assert post(url, world.forge.user_token("carol"), VIEWER).json() == {"data": {"viewer": {"login": "carol"}}}


def test_errors_of_the_query_are_still_200(world, url):
    answer = post(url, world.forge.user_token("mallory"), {"query": '{ repository(owner: "acme", name: "x") { id } }'})
    assert answer.status_code == 200
    assert answer.json()["errors"][0]["type"] == "NOT_FOUND"


@pytest.mark.parametrize("token", [None, "ghs_wrong"])
def test_nobody_is_refused(url, token):
    assert post(url, token, VIEWER).status_code == 401


def test_an_app_itself_is_refused(world, url):
    now = int(world.at.timestamp())
    claims = {"iss": str(world.app.id), "iat": now, "exp": now + 300}
    assert post(url, jwt.encode(claims, world.app.private_key, "RS256"), VIEWER).status_code == 401


def test_what_is_no_json_object_is_refused(world, url):
    token = world.forge.user_token("carol")
    answer = requests.post(url, data=b"{", headers={"Authorization": f"Bearer {token}"}, timeout=10)
    assert answer.status_code == 400


def test_a_query_takes_its_price_from_a_budget_of_its_own(world, url):
    token = world.forge.installation_token(world.installation)
    query = """{ repository(owner: "acme", name: "guestbook") { pullRequests(first: 100) { nodes {
        commits(first: 10) { nodes { commit { parents(first: 3) { nodes { oid } } } } } } } } rateLimit { cost } }"""
    answer = post(url, token, {"query": query})
    assert answer.json()["data"]["rateLimit"]["cost"] == 11  # 1 + 100 + 1,000 connections, a hundred of them a point
    assert answer.headers["X-RateLimit-Resource"] == "graphql"
    assert answer.headers["X-RateLimit-Used"] == "11"
    again = post(url, token, VIEWER)
    assert again.headers["X-RateLimit-Used"] == "12"
    world.forge.limits.exhaust(f"installation:{world.installation.id}", "graphql")
    assert post(url, token, VIEWER).status_code in (403, 429)
