"""The query language and its errors: fragments, prices, and what is not there, in GitHub's shape."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ghapp.sandbox.forge.operations import (
    repositories,
)


def test_aliases_fragments_variables_and_directives(world):
    pull = world.pull()
    query = """
      query Both($owner: String!, $with: Boolean = false) {
        one: repository(owner: $owner, name: "guestbook") { ...facts }
        two: repository(owner: $owner, name: "guestbook") { ...facts isPrivate @include(if: $with) }
      }
      fragment facts on Repository { pulls: pullRequests(first: 5, states: OPEN) { nodes { id ... on Node { id } } } }
      query Other { viewer { login } }"""
    undecided = world.ask(query, None, owner="acme")
    assert undecided == {"errors": [{"message": "An operation name is required"}]}
    single = query.replace("query Other { viewer { login } }", "")
    expected = {"pulls": {"nodes": [{"id": pull.pull_node_id}]}}
    assert world.data(single, None, owner="acme") == {"one": expected, "two": expected}
    assert world.data(single, None, owner="acme", **{"with": True})["two"]["isPrivate"] is True


def test_what_the_schema_does_not_have_is_refused_with_its_place(world):
    response = world.ask("query { viewer { login sorrow } }")
    assert "data" not in response
    assert response["errors"][0]["locations"] == [{"line": 1, "column": 24}]
    assert "sorrow" in response["errors"][0]["message"]
    assert "errors" in world.ask("query {")
    assert "errors" in world.ask("")


def test_a_query_for_more_nodes_than_github_allows_is_refused(world):
    query = world.on_repository(
        """pullRequests(first: 100) { nodes { commits(first: 100) { nodes { commit {
            parents(first: 100) { nodes { oid } } } } } } }"""
    )
    assert world.ask(query)["errors"] == [
        {
            "message": "This query requests up to 1,010,100 possible nodes which exceeds the maximum limit of 500,000.",
        }
    ]


def test_a_short_text_that_would_make_a_long_answer_is_refused(world):
    def fragment(n: int) -> str:
        return f"fragment f{n} on User {{ a{n}: login ...f{n + 1} b{n}: login ...f{n + 1} }}"

    bomb = "query { viewer { ...f0 } } " + " ".join(map(fragment, range(16))) + " fragment f16 on User { id }"
    assert "which exceeds the maximum" in world.ask(bomb)["errors"][0]["message"]
    deep = "query { viewer " + "{ ... on User " * 6000 + "{ id }" + " }" * 6000 + " }"
    assert "errors" in world.ask(deep)


def test_the_rate_limit_tells_the_price(world):
    query = """query($n: Int!) { rateLimit { cost limit nodeCount remaining used resetAt }
      repository(owner: "acme", name: "guestbook") { pullRequests(first: $n) {
        nodes { files(first: 10) { totalCount } } } } }"""
    assert world.data(query, n=100)["rateLimit"] == {
        "cost": 1,
        "limit": 5000,
        "nodeCount": 1100,
        "remaining": 4989,
        "used": 11,
        "resetAt": (world.at + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ('user(login: "nobody") { id }', "Could not resolve to a User with the login of 'nobody'."),
        ('user(login: "acme") { id }', "Could not resolve to a User with the login of 'acme'."),
        ('organization(login: "bob") { id }', "Could not resolve to an Organization with the login of 'bob'."),
        ('node(id: "PR_nonsense") { id }', "Could not resolve to a node with the global id of 'PR_nonsense'."),
    ],
)
def test_what_is_not_there_is_null_with_githubs_sentence(world, query, message):
    response = world.ask(f"query {{ {query} }}")
    assert list(response["data"].values()) == [None]
    assert (response["errors"][0]["type"], response["errors"][0]["message"]) == ("NOT_FOUND", message)


def test_missing_numbers_and_missing_nodes_among_others(world):
    pull = world.pull()
    response = world.ask(world.on_repository("pullRequest(number: 7) { id } issue(number: 1) { id }"))
    assert [error["message"] for error in response["errors"]] == [
        "Could not resolve to a PullRequest with the number of 7.",
        "Could not resolve to an Issue with the number of 1.",
    ]
    response = world.ask("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=["nope", pull.pull_node_id])
    assert response["data"]["nodes"] == [None, {"id": pull.pull_node_id}]
    assert response["errors"][0]["path"] == ["nodes", 0]


def test_former_names_lead_to_a_repository_unless_told_not_to(world):
    repositories.rename(world.state, world.guestbook, "visitors")
    assert world.data(world.on_repository("nameWithOwner"))["repository"] == {"nameWithOwner": "acme/visitors"}
    strict = 'query { repository(owner: "acme", name: "guestbook", followRenames: false) { id } }'
    assert world.ask(strict)["errors"][0]["type"] == "NOT_FOUND"


def test_a_fault_inside_is_not_spelled_out(world):
    world.pull()
    world.guestbook.git.commit = None
    response = world.ask(world.on_pull("commits(first: 1) { totalCount }"))
    assert response["errors"][0]["message"].startswith("Something went wrong while executing your query.")
