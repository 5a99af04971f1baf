"""Pull requests: state, files, reviews, threads, and the timeline of what happened to them."""

from __future__ import annotations

from ghapp.sandbox.forge.model import BranchProtection, RequiredReviews
from ghapp.sandbox.forge.operations import (
    issues,
    merging,
    pulls,
    reviews,
)


def test_a_pull_request_from_a_fork(world):
    world.commit("main", {"README.md": "x\n"})
    fork = world.fork(world.bob)
    world.commit("patch", {"README.md": "y\n"}, by=world.bob, repository=fork)
    pulls.open_pull(world.state, world.guestbook, world.bob, head="bob:patch", base="main", title="From afar")
    shape = "isCrossRepository headRepositoryOwner { login } headRepository { nameWithOwner isFork } headRef { name }"
    assert world.data(world.on_pull(shape), world.bob)["repository"]["pullRequest"] == {
        "isCrossRepository": True,
        "headRepositoryOwner": {"login": "bob"},
        "headRepository": {"nameWithOwner": "bob/guestbook", "isFork": True},
        "headRef": {"name": "patch"},
    }


def test_pull_requests_by_state_branch_and_label(world):
    first = world.pull("one")
    second = world.pull("two")
    third = world.pull("three")
    issues.add_labels(world.state, second, world.bob, ["Urgent"])
    pulls.close(world.state, third, world.bob)
    merging.merge(world.state, first, world.alice)

    def numbers(arguments: str) -> list[int]:
        found = world.data(world.on_repository(f"pullRequests(first: 9, {arguments}) {{ nodes {{ number }} }}"))
        return [node["number"] for node in found["repository"]["pullRequests"]["nodes"]]

    assert numbers("states: [OPEN]") == [2]
    assert numbers("states: [MERGED]") == [1]
    assert numbers("states: [CLOSED]") == [3]
    assert numbers('headRefName: "two", baseRefName: "main"') == [2]
    assert numbers('baseRefName: "other"') == []
    assert numbers('labels: ["urgent"]') == [2]
    assert numbers("orderBy: {field: CREATED_AT, direction: DESC}") == [3, 2, 1]


def test_a_merged_one(world):
    pull = world.pull()
    merging.merge(world.state, pull, world.alice)
    shape = "state merged mergedBy { login } mergeCommit { oid parents(first: 3) { totalCount } } mergeable closed"
    assert world.data(world.on_pull(shape))["repository"]["pullRequest"] == {
        "state": "MERGED",
        "merged": True,
        "mergedBy": {"login": "alice"},
        "mergeCommit": {"oid": pull.merge_commit_sha, "parents": {"totalCount": 2}},
        "mergeable": "UNKNOWN",
        "closed": True,
    }


def test_files_and_whether_it_merges(world):
    world.pull()
    world.commit("feature", {"README.md": "# Ours\n", "new": "1\n2\n"}, by=world.bob)
    shape = """additions deletions changedFiles mergeable mergeStateStatus
        files(first: 9) { nodes { path additions deletions changeType } }"""
    found = world.data(world.on_pull(shape))["repository"]["pullRequest"]
    assert found["files"]["nodes"] == [
        {"path": "README.md", "additions": 1, "deletions": 1, "changeType": "MODIFIED"},
        {"path": "app.py", "additions": 1, "deletions": 0, "changeType": "ADDED"},
        {"path": "new", "additions": 2, "deletions": 0, "changeType": "ADDED"},
    ]
    assert (found["additions"], found["deletions"], found["changedFiles"]) == (4, 1, 3)
    assert (found["mergeable"], found["mergeStateStatus"]) == ("MERGEABLE", "CLEAN")
    world.commit("main", {"README.md": "# Theirs\n"})
    found = world.data(world.on_pull(shape))["repository"]["pullRequest"]
    assert (found["mergeable"], found["mergeStateStatus"]) == ("CONFLICTING", "DIRTY")


def test_review_decisions_and_latest_reviews(world):
    pull = world.pull()
    rule = BranchProtection(1, "BPR_1", "main", required_reviews=RequiredReviews())
    world.guestbook.protections.append(rule)
    shape = """reviewDecision latestReviews(first: 9) { nodes { state author { login } } }
        latestOpinionatedReviews(first: 9) { nodes { state } }"""

    def asked() -> tuple[str, list[str], list[str]]:
        found = world.data(world.on_pull(shape))["repository"]["pullRequest"]
        latest = [node["state"] for node in found["latestReviews"]["nodes"]]
        return found["reviewDecision"], latest, [n["state"] for n in found["latestOpinionatedReviews"]["nodes"]]

    assert asked() == ("REVIEW_REQUIRED", [], [])
    reviews.create(world.state, pull, world.carol, event="APPROVE")
    assert asked() == ("REVIEW_REQUIRED", ["APPROVED"], ["APPROVED"])
    reviews.create(world.state, pull, world.alice, event="REQUEST_CHANGES", body="no")
    assert asked()[0] == "CHANGES_REQUESTED"
    reviews.create(world.state, pull, world.alice, event="APPROVE")
    reviews.create(world.state, pull, world.alice, event="COMMENT", body="well done")
    assert asked() == ("APPROVED", ["APPROVED", "COMMENTED"], ["APPROVED", "APPROVED"])


def test_threads_on_lines(world):
    pull = world.pull()
    first = reviews.add_comment(world.state, pull, world.carol, body="why?", path="app.py", line=1)
    reviews.add_comment(world.state, pull, world.bob, body="because", path="app.py", line=1, in_reply_to=first)
    shape = """reviewThreads(first: 9) { nodes {
        path line isResolved comments(first: 9) { nodes { body replyTo { id } } } } }"""
    assert world.data(world.on_pull(shape))["repository"]["pullRequest"]["reviewThreads"]["nodes"] == [
        {
            "path": "app.py",
            "line": 1,
            "isResolved": False,
            "comments": {
                "nodes": [{"body": "why?", "replyTo": None}, {"body": "because", "replyTo": {"id": first.node_id}}]
            },
        }
    ]


def test_the_timeline_tells_what_happened_in_order(world):
    pull = world.pull()
    issues.add_labels(world.state, pull, world.carol, ["urgent"])
    world.pass_time()
    issues.add_comment(world.state, pull, world.carol, "soon, please")
    world.pass_time()
    reviews.create(world.state, pull, world.carol, event="APPROVE")
    world.pass_time()
    pulls.edit(world.state, pull, world.bob, title="Sign in ink")
    world.pass_time()
    before = pull.head_sha
    forced = world.commit("feature", {"app.py": "print('he')\n"}, by=world.bob, parents=(pull.base_sha,))
    world.pass_time()
    pulls.set_draft(world.state, pull, world.bob, True)
    pulls.set_draft(world.state, pull, world.bob, False)
    merging.merge(world.state, pull, world.alice)
    shape = """timelineItems(first: 50) { nodes { __typename
        ... on LabeledEvent { label { name } actor { login } }
        ... on RenamedTitleEvent { previousTitle currentTitle }
        ... on HeadRefForcePushedEvent { beforeCommit { oid } afterCommit { oid } ref { name } }
        ... on MergedEvent { commit { oid } mergeRefName } } }"""
    found = world.data(world.on_pull(shape))["repository"]["pullRequest"]["timelineItems"]["nodes"]
    assert [node["__typename"] for node in found] == [
        "LabeledEvent",
        "IssueComment",
        "PullRequestReview",
        "RenamedTitleEvent",
        "PullRequestCommit",
        "HeadRefForcePushedEvent",
        "ConvertToDraftEvent",
        "ReadyForReviewEvent",
        "MergedEvent",
        "ClosedEvent",
    ]
    by_type = {node["__typename"]: node for node in found}
    assert by_type["LabeledEvent"]["label"] == {"name": "urgent"}
    assert by_type["RenamedTitleEvent"]["previousTitle"] == "Sign in colours"
    assert by_type["HeadRefForcePushedEvent"]["beforeCommit"] == {"oid": before}
    assert by_type["HeadRefForcePushedEvent"]["afterCommit"] == {"oid": forced}
    assert by_type["MergedEvent"]["commit"] == {"oid": pull.merge_commit_sha}
    only = world.data(world.on_pull("timelineItems(first: 9, itemTypes: [MERGED_EVENT, LABELED_EVENT]) { totalCount }"))
    assert only["repository"]["pullRequest"]["timelineItems"]["totalCount"] == 2


def test_a_dismissed_review_says_why(world):
    pull = world.pull()
    review = reviews.create(world.state, pull, world.carol, event="APPROVE")
    reviews.dismiss(world.state, review, world.alice, "It was Friday.")
    shape = """timelineItems(first: 9, itemTypes: [REVIEW_DISMISSED_EVENT]) { nodes { ... on ReviewDismissedEvent {
        actor { login } dismissalMessage previousReviewState review { id } } } }"""
    assert world.data(world.on_pull(shape))["repository"]["pullRequest"]["timelineItems"]["nodes"] == [
        {
            "actor": {"login": "alice"},
            "dismissalMessage": "It was Friday.",
            "previousReviewState": "APPROVED",
            "review": {"id": review.node_id},
        }
    ]
