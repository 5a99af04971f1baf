"""What can be changed through GraphQL, and that it ends in the same records and events as the REST call."""

from __future__ import annotations

import base64

import pytest

from ghapp.sandbox.forge.model import BranchProtection, RequiredReviews
from ghapp.sandbox.forge.operations import accounts, issues, reviews

# (mutation, selection of its payload)
PULL = "pullRequest { state isDraft merged title baseRefName }"


def mutation(name: str, payload: str) -> str:
    kind = name[0].upper() + name[1:] + "Input"
    return f"mutation($input: {kind}!) {{ {name}(input: $input) {{ clientMutationId {payload} }} }}"


@pytest.fixture
def pull(world):
    made = world.pull()
    world.events.clear()
    return made


def change(world, name: str, payload: str, viewer=None, /, **fields):
    """The payload of a mutation that succeeds."""
    return world.data(mutation(name, payload), viewer, input=fields)[name]


def refusal(world, name: str, payload: str, viewer=None, /, **fields) -> tuple[str, str]:
    """(type, message) of a mutation that is refused."""
    response = world.ask(mutation(name, payload), viewer, input=fields)
    assert response["data"] == {name: None}
    assert response["errors"][0]["path"] == [name]
    return response["errors"][0]["type"], response["errors"][0]["message"]


def test_a_comment_from_its_first_word_to_its_last(world, pull):
    shape = "commentEdge { cursor node { id body author { login } } } subject { id }"
    added = change(world, "addComment", shape, subjectId=pull.pull_node_id, body="hello", clientMutationId="mine")
    assert added["clientMutationId"] == "mine"
    assert added["subject"] == {"id": pull.pull_node_id}
    node = added["commentEdge"]["node"]
    assert (node["body"], node["author"]["login"]) == ("hello", "ghapp")

    edited = change(world, "updateIssueComment", "issueComment { body lastEditedAt }", id=node["id"], body="hello!")
    assert edited["issueComment"]["body"] == "hello!" and edited["issueComment"]["lastEditedAt"]

    hidden = "minimizedComment { isMinimized minimizedReason }"
    minimized = change(world, "minimizeComment", hidden, subjectId=node["id"], classifier="OFF_TOPIC")
    assert minimized["minimizedComment"] == {"isMinimized": True, "minimizedReason": "off-topic"}
    shown = change(world, "unminimizeComment", "unminimizedComment { isMinimized }", subjectId=node["id"])
    assert shown["unminimizedComment"] == {"isMinimized": False}

    reaction = {"subjectId": node["id"], "content": "EYES"}
    assert change(world, "addReaction", "reaction { content user { login } }", **reaction)["reaction"] == {
        "content": "EYES",
        "user": {"login": "ghapp[bot]"},
    }
    change(world, "removeReaction", "subject { id }", **reaction)
    assert pull.comments[0].reactions == []

    change(world, "deleteIssueComment", "", id=node["id"])
    assert pull.comments == []
    assert world.events == [("issue_comment", "created"), ("issue_comment", "edited"), ("issue_comment", "deleted")]


def test_others_comments_are_not_for_everybody_to_change(world, pull):
    comment = issues.add_comment(world.state, pull, world.alice, "mine")
    kind, message = refusal(
        world, "updateIssueComment", "issueComment { id }", world.carol, id=comment.node_id, body="x"
    )
    assert (kind, message) == (
        "FORBIDDEN",
        "carol does not have the correct permissions to execute `UpdateIssueComment`",
    )
    assert comment.body == "mine"


def test_labels(world, pull):
    label = issues.create_label(world.state, world.guestbook, "hold")
    fields = {"labelableId": pull.pull_node_id, "labelIds": [label.node_id]}
    shape = "labelable { labels(first: 5) { nodes { name } } }"
    assert change(world, "addLabelsToLabelable", shape, **fields)["labelable"]["labels"]["nodes"] == [{"name": "hold"}]
    assert change(world, "removeLabelsFromLabelable", shape, **fields)["labelable"]["labels"]["nodes"] == []
    assert world.events == [("pull_request", "labeled"), ("pull_request", "unlabeled")]


def test_a_pull_request_opened_edited_drafted_closed_and_merged(world):
    world.commit("main", {"README.md": "x\n"})
    world.commit("feature", {"app.py": "y\n"})
    world.commit("release", {"README.md": "x\n"}, message="Branch off")
    opened = change(
        world,
        "createPullRequest",
        "pullRequest { id number isDraft author { login } }",
        repositoryId=world.guestbook.node_id,
        baseRefName="main",
        headRefName="feature",
        title="New",
        draft=True,
    )["pullRequest"]
    pull = world.guestbook.pull(opened.pop("number"))
    node_id = opened.pop("id")
    assert opened == {"isDraft": True, "author": {"login": "ghapp"}}

    ready = change(world, "markPullRequestReadyForReview", PULL, pullRequestId=node_id)
    assert ready["pullRequest"]["isDraft"] is False
    drafted = change(world, "convertPullRequestToDraft", PULL, pullRequestId=node_id)
    assert drafted["pullRequest"]["isDraft"] is True
    assert refusal(world, "mergePullRequest", PULL, pullRequestId=node_id)[1] == "Pull Request is still a draft"
    change(world, "markPullRequestReadyForReview", PULL, pullRequestId=node_id)

    edited = change(world, "updatePullRequest", PULL, pullRequestId=node_id, title="Newer", baseRefName="release")
    assert (edited["pullRequest"]["title"], edited["pullRequest"]["baseRefName"]) == ("Newer", "release")
    assert change(world, "closePullRequest", PULL, pullRequestId=node_id)["pullRequest"]["state"] == "CLOSED"
    assert change(world, "reopenPullRequest", PULL, pullRequestId=node_id)["pullRequest"]["state"] == "OPEN"

    stale = refusal(world, "mergePullRequest", PULL, pullRequestId=node_id, expectedHeadOid="0" * 40)
    assert stale == ("UNPROCESSABLE", "Head branch was modified. Review and try the merge again.")
    merged = change(
        world, "mergePullRequest", PULL, pullRequestId=node_id, mergeMethod="SQUASH", expectedHeadOid=pull.head_sha
    )
    assert merged["pullRequest"]["state"] == "MERGED"
    assert world.guestbook.git.branch("release") == pull.merge_commit_sha


def test_the_author_may_close_without_any_role(world, pull):
    del world.guestbook.collaborators[world.bob.id]
    accounts.set_membership(world.state, world.acme, world.bob, "member")
    assert change(world, "closePullRequest", PULL, world.bob, pullRequestId=pull.pull_node_id)
    assert refusal(world, "reopenPullRequest", PULL, world.carol, pullRequestId=pull.pull_node_id)[0] == "FORBIDDEN"


def test_auto_merge_waits_for_what_is_required(world, pull):
    world.guestbook.allow_auto_merge = True
    world.guestbook.protections.append(BranchProtection(1, "BPR_1", "main", required_reviews=RequiredReviews()))
    shape = "actor { login } pullRequest { autoMergeRequest { mergeMethod enabledBy { login } commitHeadline } }"
    fields = {"pullRequestId": pull.pull_node_id, "mergeMethod": "SQUASH", "commitHeadline": "At last"}
    assert change(world, "enablePullRequestAutoMerge", shape, world.bob, **fields) == {
        "clientMutationId": None,
        "actor": {"login": "bob"},
        "pullRequest": {
            "autoMergeRequest": {"mergeMethod": "SQUASH", "enabledBy": {"login": "bob"}, "commitHeadline": "At last"}
        },
    }
    disabled = change(world, "disablePullRequestAutoMerge", shape, pullRequestId=pull.pull_node_id)
    assert disabled["pullRequest"] == {"autoMergeRequest": None}


def test_a_pull_request_in_the_merge_queue(world, pull):
    shape = "mergeQueueEntry { position state headCommit { oid parents(first: 2) { nodes { oid } } } }"
    fields = {"pullRequestId": pull.pull_node_id, "expectedHeadOid": pull.head_sha}
    entry = change(world, "enqueuePullRequest", shape, **fields)["mergeQueueEntry"]
    base = world.guestbook.git.branch("main")
    assert entry["headCommit"]["parents"]["nodes"] == [{"oid": base}, {"oid": pull.head_sha}]
    assert (entry["position"], entry["state"]) == (1, "AWAITING_CHECKS")
    assert ("merge_group", "checks_requested") in world.events
    assert world.data(world.on_pull("isInMergeQueue"))["repository"]["pullRequest"]["isInMergeQueue"] is True


def test_reviews_given_with_threads_asked_for_and_dismissed(world, pull):
    given = change(
        world,
        "addPullRequestReview",
        "pullRequestReview { id state body commit { oid } comments(first: 5) { nodes { path line body } } }",
        world.carol,
        pullRequestId=pull.pull_node_id,
        event="REQUEST_CHANGES",
        body="hm",
        commitOID=pull.head_sha,
        threads=[{"path": "app.py", "line": 1, "body": "this"}],
    )["pullRequestReview"]
    node_id = given.pop("id")
    assert given == {
        "state": "CHANGES_REQUESTED",
        "body": "hm",
        "commit": {"oid": pull.head_sha},
        "comments": {"nodes": [{"path": "app.py", "line": 1, "body": "this"}]},
    }
    dismissed = change(
        world, "dismissPullRequestReview", "pullRequestReview { state }", pullRequestReviewId=node_id, message="settled"
    )
    assert dismissed["pullRequestReview"] == {"state": "DISMISSED"}
    own = refusal(
        world,
        "addPullRequestReview",
        "pullRequestReview { id }",
        world.bob,
        pullRequestId=pull.pull_node_id,
        event="APPROVE",
    )
    assert own == ("UNPROCESSABLE", "Review Can not approve your own pull request")
    assert [review.state for review in pull.reviews] == ["DISMISSED"]


def test_a_pending_review_is_its_authors_alone_until_it_is_submitted(world, pull):
    shape = "pullRequestReview { state }"
    pending = change(world, "addPullRequestReview", shape, world.carol, pullRequestId=pull.pull_node_id, body="so far")
    assert pending["pullRequestReview"] == {"state": "PENDING"}
    count = world.on_pull("reviews(first: 5) { totalCount }")
    assert world.data(count)["repository"]["pullRequest"]["reviews"]["totalCount"] == 0
    assert world.data(count, world.carol)["repository"]["pullRequest"]["reviews"]["totalCount"] == 1


def test_reviewers_are_replaced_or_joined(world, pull):
    team = accounts.create_team(world.state, world.acme, "Owners")
    fields = {"pullRequestId": pull.pull_node_id}
    change(world, "requestReviews", "pullRequest { id }", userIds=[world.alice.node_id], **fields)
    change(world, "requestReviews", "pullRequest { id }", teamIds=[team.node_id], union=False, **fields)
    assert (pull.requested_reviewers, pull.requested_teams) == ([], [team])
    change(world, "requestReviews", "pullRequest { id }", userIds=[world.carol.node_id], union=True, **fields)
    change(
        world,
        "requestReviews",
        "pullRequest { id }",
        userIds=[world.alice.node_id],
        teamIds=[team.node_id],
        union=True,
        **fields,
    )
    assert pull.requested_reviewers == [world.carol, world.alice]


# Git ------------------------------------------------------------------------------------------------------------------


def committed(world, branch="main", **more):
    """The fields of a ``createCommitOnBranch`` for one file."""
    return {
        "branch": {"repositoryNameWithOwner": "acme/guestbook", "branchName": branch},
        "expectedHeadOid": world.guestbook.git.branch(branch),
        "message": {"headline": "Turn it on", "body": "It was off."},
        "fileChanges": {"additions": [{"path": "on/off.txt", "contents": base64.b64encode(b"on\n").decode()}]},
        **more,
    }


def test_a_commit_on_a_branch_is_signed_by_the_forge(world):
    parent = world.commit("main", {"README.md": "x\n", "old.txt": "y\n"})
    fields = committed(world)
    fields["fileChanges"]["deletions"] = [{"path": "old.txt"}]
    shape = """ref { name target { oid } } commit { oid message committedViaWeb author { name user { login } }
        committer { email } parents(first: 2) { nodes { oid } } changedFilesIfAvailable
        signature { isValid wasSignedByGitHub state } }"""
    made = change(world, "createCommitOnBranch", shape, **fields)
    commit = made["commit"]
    sha = commit.pop("oid")
    assert made["ref"] == {"name": "main", "target": {"oid": sha}}
    assert commit == {
        "message": "Turn it on\n\nIt was off.",
        "committedViaWeb": True,
        "author": {"name": "ghapp[bot]", "user": {"login": "ghapp[bot]"}},
        "committer": {"email": "noreply@github.com"},
        "parents": {"nodes": [{"oid": parent}]},
        "changedFilesIfAvailable": 2,
        "signature": {"isValid": True, "wasSignedByGitHub": True, "state": "VALID"},
    }
    assert world.guestbook.git.branch("main") == sha
    assert world.guestbook.git.blob(f"{sha}:on/off.txt") == b"on\n"
    assert world.guestbook.git.blob(f"{sha}:old.txt") is None
    assert ("push", None) in world.events


def test_a_commit_is_made_only_where_it_was_expected_to_be(world):
    first = world.commit("main", {"README.md": "x\n"})
    second = world.commit("main", {"README.md": "y\n"})
    refused = refusal(world, "createCommitOnBranch", "commit { oid }", **committed(world, expectedHeadOid=first))
    assert refused == (
        "STALE_DATA",
        f'Expected branch to point to "{first}" but it points to "{second}". Pull and try again.',
    )
    assert world.guestbook.git.branch("main") == second


@pytest.mark.parametrize("path", ["../up", "/root", "a//b", ".git/config", "a/.GIT/hooks", "", "a/../b"])
def test_a_commit_stays_inside_its_tree(world, path):
    before = world.commit("main", {"README.md": "x\n"})
    fields = committed(world, fileChanges={"additions": [{"path": path, "contents": "eA=="}]})
    assert refusal(world, "createCommitOnBranch", "commit { oid }", **fields)[0] == "UNPROCESSABLE"
    assert world.guestbook.git.branch("main") == before


def test_a_protected_branch_takes_no_commit_but_by_pull_request(world):
    world.commit("main", {"README.md": "x\n"})
    world.guestbook.protections.append(BranchProtection(1, "BPR_1", "main", required_reviews=RequiredReviews()))
    assert refusal(world, "createCommitOnBranch", "commit { oid }", **committed(world)) == (
        "FORBIDDEN",
        "Changes must be made through a pull request.",
    )


def test_refs_are_created_moved_and_deleted(world):
    first = world.commit("main", {"README.md": "x\n"})
    second = world.commit("main", {"README.md": "y\n"})
    fields = {"repositoryId": world.guestbook.node_id, "name": "refs/heads/side", "oid": first}
    created = change(world, "createRef", "ref { id name prefix target { oid } }", **fields)["ref"]
    ref_id = created.pop("id")
    assert created == {"name": "side", "prefix": "refs/heads/", "target": {"oid": first}}
    assert refusal(world, "createRef", "ref { id }", **fields)[1].startswith("A ref named refs/heads/side already")
    moved = change(world, "updateRef", "ref { target { oid } }", refId=ref_id, oid=second)["ref"]
    assert moved["target"] == {"oid": second}
    assert refusal(world, "updateRef", "ref { id }", refId=ref_id, oid=first)[1] == "Update is not a fast forward"
    change(world, "updateRef", "ref { id }", refId=ref_id, oid=first, force=True)
    assert world.guestbook.git.branch("side") == first
    change(world, "deleteRef", "", refId=ref_id)
    assert world.guestbook.git.branch("side") is None


def test_a_second_pending_review_is_refused_as_rest_refuses_it(world, pull):
    reviews.create(world.state, pull, world.carol, body="one")
    kind, message = refusal(
        world,
        "addPullRequestReview",
        "pullRequestReview { id }",
        world.carol,
        pullRequestId=pull.pull_node_id,
        body="two",
    )
    assert (kind, message) == ("UNPROCESSABLE", "User can only have one pending review per pull request")
