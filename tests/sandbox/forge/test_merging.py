"""Merges: three methods, what is refused and in which words, protection, updating a branch and auto-merge."""

from __future__ import annotations

from typing import Any

import pytest

from ghapp.sandbox.forge.model import RequiredReviews
from ghapp.sandbox.forge.operations import automerge

MERGE = "/repos/acme/app/pulls/1/merge"


def test_a_merge_commit(world: Any) -> None:
    pull = world.pull()
    base = world.repository.git.branch("main")
    client = world.as_user("bob")
    answer = client.put(MERGE, json={"sha": pull["head"]["sha"], "commit_title": "Promote", "commit_message": "A: b"})
    assert answer.json()["merged"] is True
    commit = world.repository.git.commit(answer.json()["sha"])
    assert commit.parents == (base, pull["head"]["sha"])
    assert commit.message == "Promote\n\nA: b"
    assert (commit.author.name, commit.committer.name) == ("Bob", "GitHub")
    assert world.repository.git.branch("main") == commit.sha
    shown = client.get("/repos/acme/app/pulls/1").json()
    assert (shown["merged"], shown["merged_by"]["login"], shown["merge_commit_sha"]) == (True, "bob", commit.sha)
    assert (shown["commits"], shown["base"]["sha"]) == (1, base)
    assert client.get(MERGE).status_code == 204
    verified = client.get(f"/repos/acme/app/commits/{commit.sha}").json()
    assert verified["commit"]["verification"]["verified"] is True
    assert verified["committer"]["login"] == "web-flow"


def test_default_messages(world: Any) -> None:
    world.pull()
    sha = world.as_user("bob").put(MERGE, json={}).json()["sha"]
    assert world.repository.git.commit(sha).message == "Merge pull request #1 from acme/topic\n\nBring topic"


def test_a_squash(world: Any) -> None:
    world.seed()
    world.branch("topic", {"a": "1", "b": "2"})
    world.pull()
    base = world.repository.git.branch("main")
    sha = world.as_user("bob").put(MERGE, json={"merge_method": "squash"}).json()["sha"]
    commit = world.repository.git.commit(sha)
    assert commit.parents == (base,)
    assert commit.message.splitlines()[0] == "Bring topic (#1)"
    assert "* Set a" in commit.message
    assert "Co-authored-by: Ada <ada@example.com>" in commit.message


def test_a_rebase(world: Any) -> None:
    world.seed()
    world.branch("topic", {"a": "1", "b": "2"})
    world.pull()
    world.seed({"elsewhere": "x"})
    base = world.repository.git.branch("main")
    sha = world.as_user("bob").put(MERGE, json={"merge_method": "rebase"}).json()["sha"]
    shas = world.repository.git.between(base, sha)
    commits = [world.repository.git.commit(s) for s in shas]
    assert [c.message for c in commits] == ["Set a", "Set b"]
    assert all(len(c.parents) == 1 for c in commits)
    assert (commits[0].author.name, commits[0].committer.name) == ("Ada", "Bob")
    for name in ("a", "b", "elsewhere"):
        assert world.repository.git.blob(f"{sha}:{name}") is not None


def test_a_head_that_moved_is_a_conflict_of_expectations(world: Any) -> None:
    world.pull()
    answer = world.as_user("bob").put(MERGE, json={"sha": "0" * 40})
    assert answer.status_code == 409
    assert answer.json()["message"] == "Head branch was modified. Review and try the merge again."


def test_conflicts_drafts_and_closed_ones_are_not_mergeable(world: Any) -> None:
    world.pull()
    client = world.as_user("bob")
    world.seed({"topic.txt": "other\n"})
    shown = client.get("/repos/acme/app/pulls/1").json()
    assert (shown["mergeable"], shown["mergeable_state"]) == (False, "dirty")
    conflict = client.put(MERGE, json={})
    assert (conflict.status_code, conflict.json()["message"]) == (405, "Pull Request is not mergeable")
    world.pull("draft", draft=True)
    assert client.get("/repos/acme/app/pulls/2").json()["mergeable_state"] == "draft"
    assert client.put("/repos/acme/app/pulls/2/merge", json={}).json()["message"] == "Pull Request is still a draft"
    client.patch("/repos/acme/app/pulls/1", json={"state": "closed"})
    assert client.put(MERGE, json={}).status_code == 405


def test_a_method_that_the_repository_forbids(world: Any) -> None:
    world.pull()
    world.as_user("ada").patch("/repos/acme/app", json={"allow_squash_merge": False})
    client = world.as_user("bob")
    answer = client.put(MERGE, json={"merge_method": "squash"})
    assert (answer.status_code, answer.json()["message"]) == (405, "Squash merges are not allowed on this repository.")
    assert client.put(MERGE, json={"merge_method": "octopus"}).status_code == 422


def test_required_checks_must_pass(world: Any) -> None:
    sha = world.pull()["head"]["sha"]
    world.forge.protect("acme/app", "main", required_checks=["ghapp / ready"])
    client, app = world.as_user("bob"), world.as_installation(world.installation)
    assert client.get("/repos/acme/app/pulls/1").json()["mergeable_state"] == "blocked"
    missing = client.put(MERGE, json={})
    assert (missing.status_code, missing.json()["message"]) == (
        405,
        'Required status check "ghapp / ready" is expected.',
    )
    run = {"name": "ghapp / ready", "head_sha": sha}
    made = app.post("/repos/acme/app/check-runs", json=run).json()
    assert "is in progress" in client.put(MERGE, json={}).json()["message"]
    path = f"/repos/acme/app/check-runs/{made['id']}"
    app.patch(path, json={"conclusion": "failure"})
    assert "is failing" in client.put(MERGE, json={}).json()["message"]
    app.patch(path, json={"conclusion": "success"})
    assert client.get("/repos/acme/app/pulls/1").json()["mergeable_state"] == "clean"
    assert client.put(MERGE, json={}).json()["merged"] is True


def test_a_required_check_of_one_app_cannot_be_spoofed(world: Any) -> None:
    sha = world.pull()["head"]["sha"]
    world.forge.protect("acme/app", "main", required_checks=[("ready", world.app)])
    other = world.forge.create_app("spoofer", {"checks": "write", "statuses": "write"})
    spoofer = world.as_installation(world.forge.install(other, "acme"))
    done = {"name": "ready", "head_sha": sha, "conclusion": "success"}
    assert spoofer.post("/repos/acme/app/check-runs", json=done).status_code == 201
    spoofer.post(f"/repos/acme/app/statuses/{sha}", json={"state": "success", "context": "ready"})
    client = world.as_user("bob")
    assert client.put(MERGE, json={}).status_code == 405
    world.as_installation(world.installation).post("/repos/acme/app/check-runs", json=done)
    assert client.put(MERGE, json={}).status_code == 200


def test_required_reviews(world: Any) -> None:
    world.pull()
    world.forge.protect("acme/app", "main", required_reviews=1)
    bob, ada, carol = (world.as_user(login) for login in ("bob", "ada", "carol"))
    assert "At least 1 approving review is required" in bob.put(MERGE, json={}).json()["message"]
    reviews = "/repos/acme/app/pulls/1/reviews"
    carol.post(reviews, json={"event": "APPROVE"})
    assert bob.put(MERGE, json={}).status_code == 405, "readers' approvals do not count"
    ada.post(reviews, json={"event": "REQUEST_CHANGES", "body": "no"})
    assert "Changes requested" in bob.put(MERGE, json={}).json()["message"]
    ada.post(reviews, json={"event": "APPROVE"})
    assert bob.put(MERGE, json={}).status_code == 200


def test_stale_approvals_are_dismissed_where_asked(world: Any) -> None:
    world.pull()
    world.forge.protect("acme/app", "main", required_reviews=RequiredReviews(1, dismiss_stale_reviews=True))
    ada = world.as_user("ada")
    ada.post("/repos/acme/app/pulls/1/reviews", json={"event": "APPROVE"})
    assert ada.get("/repos/acme/app/pulls/1").json()["mergeable_state"] == "clean"
    world.branch("topic", {"another": "1"}, start="topic")
    assert ada.get("/repos/acme/app/pulls/1").json()["mergeable_state"] == "blocked"
    assert ada.get("/repos/acme/app/pulls/1/reviews").json()[0]["state"] == "DISMISSED"


def test_administrators_are_exempt_unless_included(world: Any) -> None:
    world.pull()
    world.forge.protect("acme/app", "main", required_checks=["ci"], enforce_admins=True)
    ada = world.as_user("ada")
    assert ada.put(MERGE, json={}).status_code == 405
    world.forge.protect("acme/app", "main", required_checks=["ci"])
    assert world.as_installation(world.installation).put(MERGE, json={}).status_code == 405
    assert ada.put(MERGE, json={}).status_code == 200


def test_a_branch_that_must_be_up_to_date(world: Any) -> None:
    world.pull()
    world.seed({"later": "x"})
    world.forge.protect("acme/app", "main", required_checks=[], strict=True)
    client = world.as_user("bob")
    assert client.get("/repos/acme/app/pulls/1").json()["mergeable_state"] == "behind"
    assert client.put(MERGE, json={}).status_code == 405
    head = world.repository.git.branch("topic")
    wrong = client.put("/repos/acme/app/pulls/1/update-branch", json={"expected_head_sha": "0" * 40})
    assert wrong.status_code == 422
    assert client.put("/repos/acme/app/pulls/1/update-branch", json={"expected_head_sha": head}).status_code == 202
    assert client.get("/repos/acme/app/pulls/1").json()["mergeable_state"] == "clean"
    assert client.put("/repos/acme/app/pulls/1/update-branch", json={}).status_code == 422


def test_linear_history_wants_no_merge_commits(world: Any) -> None:
    world.pull()
    world.forge.protect("acme/app", "main", required_linear_history=True)
    client = world.as_user("bob")
    assert client.put(MERGE, json={}).status_code == 405
    assert client.put(MERGE, json={"merge_method": "squash"}).status_code == 200


def test_the_branch_goes_when_the_repository_says_so(world: Any) -> None:
    world.pull()
    world.as_user("ada").patch("/repos/acme/app", json={"delete_branch_on_merge": True})
    world.as_user("bob").put(MERGE, json={})
    assert world.repository.git.branch("topic") is None
    assert world.as_user("bob").get("/repos/acme/app/pulls/1").json()["merged"] is True


def test_unrequired_checks_make_it_unstable(world: Any) -> None:
    sha = world.pull()["head"]["sha"]
    client = world.as_user("bob")
    client.post(f"/repos/acme/app/statuses/{sha}", json={"state": "failure", "context": "nice to have"})
    assert client.get("/repos/acme/app/pulls/1").json()["mergeable_state"] == "unstable"
    assert client.put(MERGE, json={}).status_code == 200


@pytest.mark.parametrize("reader", ["carol", "mallory"])
def test_readers_do_not_merge(world: Any, reader: str) -> None:
    world.pull()
    assert world.as_user(reader).put(MERGE, json={}).status_code in (403, 404)


def test_two_branches_without_a_pull_request(world: Any) -> None:
    world.seed()
    world.branch("topic", {"a": "1"})
    client = world.as_user("bob")
    merges = "/repos/acme/app/merges"
    assert client.post(merges, json={"base": "main", "head": "topic"}).status_code == 201
    assert client.post(merges, json={"base": "main", "head": "topic"}).status_code == 204
    assert client.post(merges, json={"base": "main", "head": "absent"}).status_code == 404
    world.branch("clash", {"b": "1"})
    world.seed({"b": "2"})
    assert client.post(merges, json={"base": "main", "head": "clash"}).status_code == 409


def test_auto_merge_goes_when_nothing_stands_in_the_way(world: Any) -> None:
    sha = world.pull()["head"]["sha"]
    world.as_user("ada").patch("/repos/acme/app", json={"allow_auto_merge": True})
    world.forge.protect("acme/app", "main", required_checks=["ci"])
    state = world.forge.state
    with state.lock:
        automerge.enable(state, world.repository.pull(1), state.user("bob"), "squash")
    client = world.as_user("bob")
    assert client.get("/repos/acme/app/pulls/1").json()["auto_merge"]["merge_method"] == "squash"
    client.post(f"/repos/acme/app/statuses/{sha}", json={"state": "success", "context": "ci"})
    assert client.get("/repos/acme/app/pulls/1").json()["merged"] is True
