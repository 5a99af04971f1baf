"""What palantir/policy-bot asks of GitHub, in the shape in which its client sends it, is answered completely.

Its client repeats a query until no page is left, and passes the last cursor once more to the lists that are through.
"""

from __future__ import annotations

from typing import Any

import pytest

from ghapp.sandbox.forge.operations import accounts, issues, pulls, reviews

ACTOR = "__typename,login"
PAGE = "pageInfo{endCursor,hasNextPage}"

LOCATOR = f"""query($name:String!$number:Int!$owner:String!){{repository(owner: $owner, name: $name){{
  pullRequest(number: $number){{author{{{ACTOR}}},title,createdAt,state,isCrossRepository,isDraft,headRefOid,
    headRefName,headRepository{{name,owner{{{ACTOR}}}}},baseRefName,baseRepository{{databaseId}}}}}}}}"""

BODY = f"""query($name:String!$number:Int!$owner:String!){{repository(owner: $owner, name: $name){{
  pullRequest(number: $number){{author{{{ACTOR}}},createdAt,lastEditedAt,body}}}}}}"""

TALK = f"""query($commentCursor:String$name:String!$number:Int!$owner:String!$reviewCursor:String){{
  repository(owner: $owner, name: $name){{pullRequest(number: $number){{
    comments(first: 100, after: $commentCursor){{{PAGE},nodes{{author{{{ACTOR}}},body,createdAt,lastEditedAt}}}},
    reviews(first: 100, after: $reviewCursor, states: [APPROVED, CHANGES_REQUESTED, COMMENTED]){{{PAGE},nodes{{
      id,author{{{ACTOR}}},state,body,submittedAt,lastEditedAt,commit{{oid}},
      onBehalfOf(first: 15){{nodes{{slug}}}}}}}}}}}}}}"""

SIGNATURE = f"email,isValid,payload,signature,signer{{{ACTOR}}},state,wasSignedByGitHub"
COMMITS = f"""query($cursor:String$name:String!$number:Int!$owner:String!){{
  repository(owner: $owner, name: $name){{pullRequest(number: $number){{
    commits(first: 100, after: $cursor){{{PAGE},nodes{{commit{{oid,author{{user{{{ACTOR}}}}},
      committer{{user{{{ACTOR}}}}},committedViaWeb,parents(first: 3){{nodes{{oid}}}},signature{{__typename,
        ... on GpgSignature{{{SIGNATURE},keyId}},... on SmimeSignature{{{SIGNATURE}}},
        ... on SshSignature{{{SIGNATURE},keyFingerprint}}}}}}}}}}}}}}}}"""

COLLABORATORS = f"""query($allCursor:String$directCursor:String$name:String!$owner:String!){{
  repository(owner: $owner, name: $name){{
    direct: collaborators(affiliation: DIRECT, first: 100, after: $directCursor){{
      {PAGE},edges{{permission}},nodes{{{ACTOR}}}}},
    all: collaborators(affiliation: ALL, first: 100, after: $allCursor){{
      {PAGE},edges{{permission}},nodes{{{ACTOR}}}}}}}}}"""

ONE_COLLABORATOR = f"""query($cursor:String$name:String!$owner:String!$user:String!){{
  repository(owner: $owner, name: $name){{
    collaborators(query: $user, first: 100, after: $cursor){{{PAGE},edges{{permission}},nodes{{{ACTOR}}}}}}}}}"""

REVIEWER = f"... on User{{{ACTOR}}},... on Team{{slug}}"
REVIEWERS = f"""query($name:String!$number:Int!$owner:String!$requestCursor:String$timelineCursor:String){{
  repository(owner: $owner, name: $name){{pullRequest(number: $number){{
    reviewRequests(first: 100, after: $requestCursor){{{PAGE},nodes{{requestedReviewer{{{REVIEWER}}}}}}},
    timelineItems(first: 100, after: $timelineCursor, itemTypes: [REVIEW_REQUEST_REMOVED_EVENT]){{{PAGE},nodes{{
      ... on ReviewRequestRemovedEvent{{actor{{{ACTOR}}},requestedReviewer{{{REVIEWER}}}}}}}}}}}}}}}"""

DISMISS = """mutation($input:DismissPullRequestReviewInput!){
  dismissPullRequestReview(input: $input){clientMutationId}}"""


@pytest.fixture
def pull(world):
    return world.pull(body="Please sign.")


def variables(pull, **cursors: Any) -> dict[str, Any]:
    return {"owner": "acme", "name": "guestbook", "number": pull.number, **cursors}


def everything(world, query: str, pull, cursors: dict[str, str]) -> dict[str, list[dict[str, Any]]]:
    """All nodes of each connection (by its name in the query), fetched as the client does it."""
    given = variables(pull, **dict.fromkeys(cursors.values()))
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in cursors}
    for _ in range(20):
        answer = world.data(query, **given)["repository"]["pullRequest"]
        complete = 0
        for name, variable in cursors.items():
            found[name] += answer[name]["nodes"]
            info = answer[name]["pageInfo"]
            if info["endCursor"] is not None:
                given[variable] = info["endCursor"]
            complete += not (info["hasNextPage"] and info["endCursor"] is not None)
        if complete == len(cursors):
            return found
    raise AssertionError("the pages never end")


def test_the_pull_request_itself(world, pull):
    found = world.data(LOCATOR, **variables(pull))["repository"]["pullRequest"]
    assert found == {
        "author": {"__typename": "User", "login": "bob"},
        "title": "Sign in colours",
        "createdAt": "2026-01-05T09:03:00Z",
        "state": "OPEN",
        "isCrossRepository": False,
        "isDraft": False,
        "headRefOid": pull.head_sha,
        "headRefName": "feature",
        "headRepository": {"name": "guestbook", "owner": {"__typename": "Organization", "login": "acme"}},
        "baseRefName": "main",
        "baseRepository": {"databaseId": world.guestbook.id},
    }


def test_a_bot_is_named_without_its_suffix_and_told_apart_by_its_type(world):
    pull = world.pull(by=world.app.bot)
    found = world.data(LOCATOR, **variables(pull))["repository"]["pullRequest"]
    assert found["author"] == {"__typename": "Bot", "login": "ghapp"}


def test_the_body_and_when_it_was_edited(world, pull):
    query = world.data(BODY, **variables(pull))["repository"]["pullRequest"]
    assert (query["body"], query["lastEditedAt"]) == ("Please sign.", None)
    world.pass_time(30)
    pulls.edit(world.state, pull, world.bob, body="Please sign here.")
    query = world.data(BODY, **variables(pull))["repository"]["pullRequest"]
    assert (query["body"], query["lastEditedAt"]) == ("Please sign here.", "2026-01-05T09:33:00Z")


def test_comments_and_reviews_over_several_pages_of_unequal_length(world, pull):
    team = accounts.create_team(world.state, world.acme, "Owners", members=[world.carol])
    for number in range(230):
        issues.add_comment(world.state, pull, world.carol, f"comment {number}")
    issues.edit_comment(world.state, pull.comments[7], world.carol, "comment 7, mended")
    pulls.request_reviewers(world.state, pull, world.bob, [], [team])
    reviews.create(world.state, pull, world.carol, event="APPROVE", body=":+1:")
    for number in range(104):
        reviews.create(world.state, pull, world.alice, event="COMMENT", body=f"remark {number}")
    reviews.create(world.state, pull, world.mallory, body="not submitted yet")
    head = world.commit("feature", by=world.bob)
    reviews.create(world.state, pull, world.alice, event="REQUEST_CHANGES", body="no")

    found = everything(world, TALK, pull, {"comments": "commentCursor", "reviews": "reviewCursor"})

    assert [c["body"] for c in found["comments"]] == [
        f"comment {n}" + (", mended" if n == 7 else "") for n in range(230)
    ]
    assert [n for n, c in enumerate(found["comments"]) if c["lastEditedAt"]] == [7]
    assert [r["state"] for r in found["reviews"]] == ["APPROVED", *["COMMENTED"] * 104, "CHANGES_REQUESTED"]
    first, last = found["reviews"][0], found["reviews"][-1]
    assert first["author"] == {"__typename": "User", "login": "carol"}
    assert first["onBehalfOf"] == {"nodes": [{"slug": "owners"}]}
    assert first["commit"]["oid"] != head == last["commit"]["oid"]
    assert first["submittedAt"] and first["lastEditedAt"] is None
    assert len({r["id"] for r in found["reviews"]}) == 106


def test_commits_over_several_pages_oldest_first(world, pull):
    shas = [pull.head_sha, *world.commits("feature", 120, by=world.bob)]
    found = everything(world, COMMITS, pull, {"commits": "cursor"})["commits"]
    assert [c["commit"]["oid"] for c in found] == shas
    for parent, node in zip(shas, found[1:], strict=False):
        assert node["commit"]["parents"]["nodes"] == [{"oid": parent}]


def test_who_made_a_commit_and_how(world, pull):
    base = world.guestbook.git.branch("main")
    before = pull.head_sha
    merge = world.commit("feature", by=world.carol, parents=(before, base), message="Merge main")
    world.guestbook.web_commits.add(merge)
    stranger = world.commit("feature", by=world.bob, message="By nobody we know")
    world.bob.email = "elsewhere@example.com"
    listed = everything(world, COMMITS, pull, {"commits": "cursor"})["commits"]
    found = {node["commit"]["oid"]: node["commit"] for node in listed}
    assert found[merge]["author"]["user"] == {"__typename": "User", "login": "carol"}
    assert (found[merge]["committedViaWeb"], found[stranger]["committedViaWeb"]) == (True, False)
    assert [p["oid"] for p in found[merge]["parents"]["nodes"]] == [before, base]
    assert found[stranger]["author"]["user"] is None
    assert found[merge]["signature"]["__typename"] == "GpgSignature"
    assert found[merge]["signature"]["signer"]["login"] == "web-flow"
    assert (found[merge]["signature"]["isValid"], found[merge]["signature"]["wasSignedByGitHub"]) == (True, True)
    assert found[merge]["signature"]["keyId"] == "B5690EEEBB952194"
    assert found[stranger]["signature"] is None


def test_collaborators_with_permissions_direct_and_all(world):
    platform = accounts.create_team(world.state, world.acme, "Platform", members=[world.carol])
    platform.repositories[world.guestbook.id] = "maintain"
    world.guestbook.collaborators[world.mallory.id] = "triage"
    given = {"owner": "acme", "name": "guestbook", "directCursor": None, "allCursor": None}
    found = world.data(COLLABORATORS, **given)["repository"]

    def rated(connection):
        pairs = zip(connection["nodes"], connection["edges"], strict=True)
        return {node["login"]: edge["permission"] for node, edge in pairs}

    assert rated(found["direct"]) == {"bob": "WRITE", "mallory": "TRIAGE"}
    assert rated(found["all"]) == {"alice": "ADMIN", "bob": "WRITE", "carol": "MAINTAIN", "mallory": "TRIAGE"}


def test_one_collaborator_is_found_among_those_who_are_called_alike(world):
    bobby = accounts.create_user(world.state, "bobby")
    world.guestbook.collaborators[bobby.id] = "read"
    given = {"owner": "acme", "name": "guestbook", "cursor": None}
    found = world.data(ONE_COLLABORATOR, user="bob", **given)["repository"]["collaborators"]
    assert [node["login"] for node in found["nodes"]] == ["bob", "bobby"]
    assert [edge["permission"] for edge in found["edges"]] == ["WRITE", "READ"]
    nobody = world.data(ONE_COLLABORATOR, user="mallory", **given)["repository"]["collaborators"]
    assert (nobody["nodes"], nobody["pageInfo"]) == ([], {"endCursor": None, "hasNextPage": False})


def test_requested_reviewers_and_those_who_were_removed(world, pull):
    owners = accounts.create_team(world.state, world.acme, "Owners", members=[world.carol])
    pulls.request_reviewers(world.state, pull, world.bob, [world.alice, world.carol], [owners])
    pulls.unrequest_reviewers(world.state, pull, world.alice, [world.carol], [owners])
    found = everything(world, REVIEWERS, pull, {"reviewRequests": "requestCursor", "timelineItems": "timelineCursor"})
    assert found["reviewRequests"] == [{"requestedReviewer": {"__typename": "User", "login": "alice"}}]
    assert found["timelineItems"] == [
        {
            "actor": {"__typename": "User", "login": "alice"},
            "requestedReviewer": {"__typename": "User", "login": "carol"},
        },
        {"actor": {"__typename": "User", "login": "alice"}, "requestedReviewer": {"slug": "owners"}},
    ]


def test_a_review_is_dismissed_by_the_id_that_was_listed(world, pull):
    reviews.create(world.state, pull, world.alice, event="APPROVE")
    listed = everything(world, TALK, pull, {"comments": "commentCursor", "reviews": "reviewCursor"})["reviews"]
    said = {"pullRequestReviewId": listed[0]["id"], "message": "The policy no longer counts it."}
    assert world.data(DISMISS, input=said) == {"dismissPullRequestReview": {"clientMutationId": None}}
    assert pull.reviews[0].state == "DISMISSED"
    assert everything(world, TALK, pull, {"comments": "commentCursor", "reviews": "reviewCursor"})["reviews"] == []
