"""Organisations, teams, search, and what is said and felt about comments."""

from __future__ import annotations

from ghapp.sandbox.forge.operations import (
    accounts,
    issues,
)


def test_teams_and_their_members(world):
    parent = accounts.create_team(world.state, world.acme, "Engineering", members=[world.alice])
    accounts.create_team(world.state, world.acme, "Platform", members=[world.bob], parent=parent)
    query = """query { organization(login: "acme") {
        team(slug: "engineering") { combinedSlug childTeams(first: 5) { nodes { slug } }
            all: members(first: 5) { nodes { login } }
            own: members(first: 5, membership: IMMEDIATE) { nodes { login } } }
        none: team(slug: "none") { slug }
        teams(first: 5, userLogins: ["bob"]) { nodes { slug } }
        membersWithRole(first: 5) { edges { role node { login } } } } }"""
    found = world.data(query)["organization"]
    assert found["team"] == {
        "combinedSlug": "acme/engineering",
        "childTeams": {"nodes": [{"slug": "platform"}]},
        "all": {"nodes": [{"login": "alice"}, {"login": "bob"}]},
        "own": {"nodes": [{"login": "alice"}]},
    }
    assert found["none"] is None
    assert [team["slug"] for team in found["teams"]["nodes"]] == ["engineering", "platform"]
    assert [(edge["node"]["login"], edge["role"]) for edge in found["membersWithRole"]["edges"]] == [
        ("alice", "ADMIN"),
        ("bob", "MEMBER"),
        ("carol", "MEMBER"),
    ]


def test_search_finds_pull_requests_by_qualifiers(world):
    pull = world.pull(title="Sign in ink")
    issues.add_labels(world.state, pull, world.bob, ["needs review"])

    def found(query: str) -> int:
        text = """query($q: String!) { search(query: $q, type: ISSUE, first: 5) {
            issueCount nodes { ... on PullRequest { number } } } }"""
        return world.data(text, q=query)["search"]["issueCount"]

    assert found("repo:acme/guestbook is:pr is:open author:bob ink") == 1
    assert found('label:"needs review" base:main head:feature') == 1
    assert found(f"sha:{pull.head_sha[:10]}") == 1
    assert found("is:pr is:merged") == 0
    assert found("is:pr -author:bob") == 0
    assert found("unheard:of") == 0


def test_reactions_and_edits_of_a_comment(world):
    pull = world.pull()
    comment = issues.add_comment(world.state, pull, world.carol, "*well*")
    issues.react(world.state, comment, world.bob, "rocket")
    query = """query($id: ID!) { node(id: $id) { ... on IssueComment { bodyHTML bodyText authorAssociation
        reactions(first: 5) { nodes { content user { login } } }
        reactionGroups { content reactors(first: 5) { totalCount } } url } } }"""
    found = world.data(query, id=comment.node_id)["node"]
    assert found["bodyHTML"] == "<p><em>well</em></p>\n" and found["bodyText"] == "well"
    assert found["authorAssociation"] == "MEMBER"
    assert found["reactions"]["nodes"] == [{"content": "ROCKET", "user": {"login": "bob"}}]
    assert {g["content"]: g["reactors"]["totalCount"] for g in found["reactionGroups"]}["ROCKET"] == 1
    assert len(found["reactionGroups"]) == 8
    assert found["url"] == f"http://forge.test/acme/guestbook/pull/1#issuecomment-{comment.id}"
