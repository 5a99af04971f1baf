"""Who sees what: private repositories, installations' scope and permissions, and refusals in GitHub's shape."""

from __future__ import annotations

import pytest

from ghapp.sandbox.forge.operations import issues
from ghapp.sandbox.forge.web.actor import Actor

REPOSITORY = 'query { repository(owner: "acme", name: "guestbook") { name } }'
MEMBERS = (
    'query { organization(login: "acme") { team(slug: "owners") { slug } membersWithRole(first: 5) { totalCount } } }'
)


def test_a_private_repository_does_not_exist_for_a_stranger(world):
    response = world.ask(REPOSITORY, world.mallory)
    assert response == {
        "data": {"repository": None},
        "errors": [
            {
                "type": "NOT_FOUND",
                "path": ["repository"],
                "locations": [{"line": 1, "column": 9}],
                "message": "Could not resolve to a Repository with the name 'acme/guestbook'.",
            }
        ],
    }


@pytest.mark.parametrize("login", ["alice", "bob", "carol"])
def test_it_does_for_those_who_may_read_it(world, login):
    assert world.data(REPOSITORY, getattr(world, login)) == {"repository": {"name": "guestbook"}}


def test_a_token_narrowed_to_other_repositories_does_not_see_it(world):
    other = world.repository("other", private=True)
    narrowed = world.as_app(repositories=[other])
    assert world.ask(REPOSITORY, narrowed)["errors"][0]["type"] == "NOT_FOUND"
    assert world.data('query { repository(owner: "acme", name: "other") { name } }', narrowed)


def test_a_node_of_a_repository_out_of_sight_cannot_be_reached_by_its_id(world):
    pull = world.pull()
    comment = issues.add_comment(world.state, pull, world.bob, "secret")
    for node_id in (pull.pull_node_id, comment.node_id, world.guestbook.node_id):
        response = world.ask("query($id: ID!) { node(id: $id) { id } }", world.mallory, id=node_id)
        assert response["data"] == {"node": None}
        assert response["errors"][0]["type"] == "NOT_FOUND"
        assert response["errors"][0]["message"] == f"Could not resolve to a node with the global id of '{node_id}'."
        assert world.data("query($id: ID!) { node(id: $id) { id } }", id=node_id)["node"]["id"] == node_id


@pytest.mark.parametrize(
    ("missing", "selection"),
    [
        ("pull_requests", "pullRequests(first: 1) { totalCount }"),
        ("contents", 'object(expression: "main") { oid }'),
        ("contents", 'refs(refPrefix: "refs/heads/", first: 1) { totalCount }'),
        ("deployments", "deployments(first: 1) { totalCount }"),
        ("issues", "issues(first: 1) { totalCount }"),
        ("administration", "branchProtectionRules(first: 1) { totalCount }"),
    ],
)
def test_an_app_without_the_permission_is_told_so_at_the_field(world, missing, selection):
    held = {name: "read" for name in world.app.permissions if name != missing}
    query = f'query {{ repository(owner: "acme", name: "guestbook") {{ {selection} }} }}'
    error = world.ask(query, world.as_app(permissions=held))["errors"][0]
    assert (error["type"], error["message"]) == ("FORBIDDEN", "Resource not accessible by integration")
    assert error["path"][0] == "repository" and len(error["path"]) == 2
    world.data(query, world.as_app())


def test_an_app_without_checks_is_not_shown_check_suites_however_deep(world):
    world.pull()
    query = """query { repository(owner: "acme", name: "guestbook") { pullRequest(number: 1) {
        commits(last: 1) { nodes { commit { checkSuites(first: 1) { totalCount } } } } } } }"""
    held = {"pull_requests": "read", "contents": "read"}
    assert world.ask(query, world.as_app(permissions=held))["errors"][0]["type"] == "FORBIDDEN"


def test_an_organisations_people_take_the_members_permission(world):
    without = {name: level for name, level in world.app.permissions.items() if name != "members"}
    assert world.ask(MEMBERS, world.as_app(permissions=without))["errors"][0]["type"] == "FORBIDDEN"
    assert world.ask(MEMBERS, world.mallory)["errors"][0]["type"] == "FORBIDDEN"
    assert world.data(MEMBERS, world.carol)["organization"]["membersWithRole"]["totalCount"] == 2


def test_people_below_write_do_not_see_collaborators(world):
    query = 'query { repository(owner: "acme", name: "guestbook") { collaborators(first: 9) { nodes { login } } } }'
    response = world.ask(query, world.carol)
    assert response["data"]["repository"]["collaborators"] is None
    assert response["errors"][0]["message"] == "You do not have permission to view repository collaborators."
    assert world.data(query, world.bob)["repository"]["collaborators"]["nodes"]


def test_the_viewer_is_who_asks(world):
    assert world.data("query { viewer { login } }", world.carol) == {"viewer": {"login": "carol"}}
    assert world.data("query { viewer { login } }") == {"viewer": {"login": "ghapp[bot]"}}


@pytest.mark.parametrize("role", ["carol", "mallory"])
def test_a_mutation_takes_the_role_that_rest_asks_for(world, role):
    world.guestbook.visibility = "public"
    pull = world.pull()
    merge = "mutation($id: ID!) { mergePullRequest(input: {pullRequestId: $id}) { pullRequest { merged } } }"
    error = world.ask(merge, getattr(world, role), id=pull.pull_node_id)["errors"][0]
    assert error["type"] == "FORBIDDEN"
    assert error["message"] == f"{role} does not have the correct permissions to execute `MergePullRequest`"
    assert not pull.merged


def test_a_mutation_takes_the_apps_permission_to_write(world):
    pull = world.pull()
    comment = 'mutation($id: ID!) { addComment(input: {subjectId: $id, body: "hi"}) { subject { id } } }'
    reader = world.as_app(permissions={"pull_requests": "read", "issues": "read"})
    error = world.ask(comment, reader, id=pull.pull_node_id)["errors"][0]
    assert (error["type"], error["path"]) == ("FORBIDDEN", ["addComment"])
    assert pull.comments == []


def test_an_archived_repository_is_read_only(world):
    pull = world.pull()
    world.guestbook.archived = True
    comment = 'mutation($id: ID!) { addComment(input: {subjectId: $id, body: "hi"}) { subject { id } } }'
    error = world.ask(comment, world.alice, id=pull.pull_node_id)["errors"][0]
    assert error["message"] == "Repository was archived so is read-only."


def test_an_app_elsewhere_reads_what_is_public_and_writes_nothing(world):
    world.state.installations.clear()
    public = world.repository("public")
    issue = issues.open_issue(world.state, public, world.bob, "A question", None)
    other = world.installation
    other.account = world.mallory
    world.state.installations[other.id] = other
    outsider = world.as_app()
    query = 'query { repository(owner: "acme", name: "public") { issues(first: 1) { totalCount } } }'
    assert world.data(query, outsider)["repository"]["issues"]["totalCount"] == 1
    comment = 'mutation($id: ID!) { addComment(input: {subjectId: $id, body: "hi"}) { subject { id } } }'
    assert world.ask(comment, outsider, id=issue.node_id)["errors"][0]["type"] == "FORBIDDEN"


def test_nobody_in_particular_sees_what_is_public(world):
    world.repository("public")
    found = world.data('query { repository(owner: "acme", name: "public") { name } }', Actor())
    assert found == {"repository": {"name": "public"}}
