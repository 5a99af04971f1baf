"""Webhooks: who is told what, signed how, in which order, and the log of what became of it."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import pytest

REPO = "/repos/acme/app"


def test_deliveries_are_signed_and_labelled(world: Any, heard: Any) -> None:
    world.seed()
    got = heard()
    headers, body = got.received[0]
    for name, algorithm in (("x-hub-signature-256", hashlib.sha256), ("x-hub-signature", hashlib.sha1)):
        digest = hmac.new(b"s3cret", body, algorithm).hexdigest()
        assert headers[name] == f"{algorithm().name}={digest}"
    assert headers["x-github-hook-installation-target-type"] == "integration"
    assert headers["x-github-hook-installation-target-id"] == str(world.app.id)
    assert headers["x-github-hook-id"] == str(world.app.hook_id)
    assert headers["content-type"] == "application/json"
    assert len({h["x-github-delivery"] for h, _ in got.received}) == len(got.received)
    sent = got.bodies("push")[0]
    assert sent["installation"]["id"] == world.installation.id
    assert (sent["repository"]["full_name"], sent["sender"]["login"], sent["organization"]["login"]) == (
        "acme/app",
        "ada",
        "acme",
    )


def test_a_push_says_what_it_brought(world: Any, heard: Any) -> None:
    work = world.clone()
    first = world.commit(work, {"a": "1", "b": "1"})
    world.push(work, "HEAD:refs/heads/main")
    second = world.commit(work, {"a": "2", "b": None, "c": "3"}, "Change\n\nwith a body")
    world.push(work, "HEAD:refs/heads/main", "HEAD:refs/heads/copy")
    world.git("commit", "-q", "--amend", "-m", "Rewritten", cwd=work)
    third = world.git("rev-parse", "HEAD", cwd=work).stdout.strip()
    world.push(work, "--force", "HEAD:refs/heads/main")
    world.push(work, ":refs/heads/copy", "HEAD:refs/tags/v1")
    pushes = {(p["ref"], p["after"]): p for p in heard().bodies("push")}
    new = pushes["refs/heads/main", first]
    assert (new["created"], new["before"], [c["id"] for c in new["commits"]]) == (True, "0" * 40, [first])
    changed = pushes["refs/heads/main", second]
    assert (changed["forced"], changed["before"], changed["pusher"]["name"]) == (False, first, "bob")
    head = changed["head_commit"]
    assert (head["added"], head["removed"], head["modified"]) == (["c"], ["b"], ["a"])
    assert head["author"] == {"name": "Bob", "email": "bob@example.com", "username": "bob"}
    assert pushes["refs/heads/copy", second]["commits"] == []
    assert pushes["refs/heads/main", third]["forced"] is True
    gone = pushes["refs/heads/copy", "0" * 40]
    assert (gone["deleted"], gone["head_commit"]) == (True, None)
    assert pushes["refs/tags/v1", third]["created"] is True
    created = [(b["ref"], b["ref_type"]) for b in heard().bodies("create")]
    assert created == [("main", "branch"), ("copy", "branch"), ("v1", "tag")]
    assert [b["ref"] for b in heard().bodies("delete")] == ["copy"]


def test_a_pull_requests_life_in_order(world: Any, heard: Any) -> None:
    world.pull()
    bob, ada = world.as_user("bob"), world.as_user("ada")
    bob.post(f"{REPO}/pulls/1/requested_reviewers", json={"reviewers": ["ada"]})
    ada.post(f"{REPO}/pulls/1/reviews", json={"event": "APPROVE"})
    ada.post(f"{REPO}/issues/1/comments", json={"body": "x"})
    ada.post(f"{REPO}/issues/1/labels", json={"labels": ["hold"]})
    before = world.repository.git.branch("topic")
    after = world.branch("topic", {"more": "1"}, start="topic")
    bob.patch(f"{REPO}/pulls/1", json={"title": "Other"})
    bob.put(f"{REPO}/pulls/1/merge", json={})
    got = heard()
    seen = [e for e in got.events if e[0] in ("pull_request", "pull_request_review", "issue_comment")]
    assert seen == [
        ("pull_request", "opened"),
        ("pull_request", "review_requested"),
        ("pull_request_review", "submitted"),
        ("issue_comment", "created"),
        ("pull_request", "labeled"),
        ("pull_request", "synchronize"),
        ("pull_request", "edited"),
        ("pull_request", "closed"),
    ]
    (moved,) = got.bodies("pull_request", "synchronize")
    assert (moved["before"], moved["after"]) == (before, after)
    assert got.bodies("pull_request", "edited")[0]["changes"] == {"title": {"from": "Bring topic"}}
    assert got.bodies("pull_request", "closed")[0]["pull_request"]["merged"] is True
    assert got.bodies("pull_request_review")[0]["review"]["state"] == "approved"


def test_checks_statuses_and_suites(world: Any, heard: Any) -> None:
    sha = world.seed()
    app = world.as_installation(world.installation)
    run = app.post(f"{REPO}/check-runs", json={"name": "a", "head_sha": sha}).json()
    app.patch(f"{REPO}/check-runs/{run['id']}", json={"conclusion": "success"})
    app.post(f"{REPO}/statuses/{sha}", json={"state": "success", "context": "ci"})
    world.forge.record_workflow_run("acme/app", "bob", name="CI", head_sha=sha, head_branch="main")
    got = heard()
    assert ("check_suite", "requested") in got.events
    assert [e for e in got.events if e[0] in ("check_run", "status")] == [
        ("check_run", "created"),
        ("check_run", "completed"),
        ("status", None),
    ]
    (status,) = got.bodies("status")
    assert (status["sha"], status["context"], [b["name"] for b in status["branches"]]) == (sha, "ci", ["main"])


def test_people_teams_and_repositories(world: Any, heard: Any) -> None:
    ada = world.as_user("ada")
    ada.put("/orgs/acme/memberships/mallory", json={})
    ada.put("/orgs/acme/teams/writeers/memberships/mallory", json={})
    ada.delete("/orgs/acme/memberships/mallory")
    ada.put("/orgs/acme/teams/writeers/repos/acme/app", json={"permission": "pull"})
    ada.put(f"{REPO}/collaborators/mallory", json={})
    ada.patch(REPO, json={"name": "web", "archived": True})
    ada.patch("/repos/acme/web", json={"archived": False})
    ada.post("/orgs/acme/repos", json={"name": "new"})
    ada.delete("/repos/acme/new")
    got = heard()
    assert [e for e in got.events if e[0] in ("organization", "membership")] == [
        ("organization", "member_added"),
        ("membership", "added"),
        ("membership", "removed"),
        ("organization", "member_removed"),
    ]
    assert [a for e, a in got.events if e == "repository"] == [
        "renamed",
        "archived",
        "unarchived",
        "created",
        "deleted",
    ]
    assert got.bodies("repository", "renamed")[0]["changes"] == {"repository": {"name": {"from": "app"}}}
    assert ("member", "added") in got.events
    assert ("team", "edited") in got.events


def test_installations(world: Any, heard: Any) -> None:
    forge = world.forge
    forge.create_repository("acme", "other")
    forge.change_repositories("robot", "acme", remove=["other"])
    forge.change_repositories("robot", "acme", add=["other"])
    forge.suspend("robot", "acme")
    world.seed()
    forge.suspend("robot", "acme", suspended=False)
    world.app.permissions["packages"] = "read"
    forge.accept_permissions("robot", "acme")
    forge.revoke_authorization("robot", "bob")
    forge.uninstall("robot", "acme")
    got = heard()
    assert [e for e in got.events if e[0].startswith(("installation", "github_app"))] == [
        ("installation_repositories", "removed"),
        ("installation_repositories", "added"),
        ("installation", "suspend"),
        ("installation", "unsuspend"),
        ("installation", "new_permissions_accepted"),
        ("github_app_authorization", "revoked"),
        ("installation", "deleted"),
    ]
    assert ("push", None) not in got.events, "a suspended installation is told nothing of its repositories"


def test_a_merge_group_asks_for_checks(world: Any, heard: Any) -> None:
    world.pull()
    sha = world.forge.queue_merge("acme/app", 1)
    (sent,) = heard().bodies("merge_group", "checks_requested")
    assert (sent["merge_group"]["head_sha"], sent["merge_group"]["base_ref"]) == (sha, "refs/heads/main")


@pytest.mark.parametrize(
    ("permissions", "events", "told"),
    [
        ({"contents": "read"}, ["push"], True),
        ({"contents": "read"}, [], False),
        ({"checks": "read"}, ["push"], False),
    ],
)
def test_only_those_who_asked_and_may_know_are_told(
    world: Any, receiver: Any, permissions: dict[str, str], events: list[str], told: bool
) -> None:
    app = world.forge.create_app("other", permissions, events, webhook_url=receiver.url)
    world.forge.install(app, "acme")
    world.seed()
    world.judge_deliveries()
    assert (("push", None) in receiver.events) == told


def test_check_suites_are_asked_of_each_app_for_itself(world: Any, heard: Any) -> None:
    other = world.forge.create_app("other", {"checks": "write"}, ["check_suite"])
    world.forge.install(other, "acme")
    sha = world.seed()
    assert [b["check_suite"]["app"]["slug"] for b in heard().bodies("check_suite", "requested")] == ["robot"]
    assert len(world.repository.suites_of(sha)) == 2


# The log --------------------------------------------------------------------------------------------------------------


def test_what_nobody_took_is_logged_and_can_be_had_again(world: Any, receiver: Any) -> None:
    world.app.webhook_url = "http://127.0.0.1:9/closed"
    world.seed()
    assert world.forge.wait_for_deliveries()
    itself = world.as_app(world.app)
    listed = itself.get("/app/hook/deliveries").json()
    assert {d["status_code"] for d in listed} == {502}
    push = next(d for d in listed if d["event"] == "push")
    one = f"/app/hook/deliveries/{push['id']}"
    assert itself.get(one).json()["request"]["payload"]["ref"] == "refs/heads/main"
    world.app.webhook_url = None
    assert itself.post(f"{one}/attempts").status_code == 422
    world.app.webhook_url = receiver.url
    assert itself.post(f"{one}/attempts").status_code == 202
    world.judge_deliveries()
    assert receiver.events == [("push", None)]
    again = itself.get("/app/hook/deliveries").json()[0]
    assert (again["guid"], again["redelivery"], again["status"]) == (push["guid"], True, "Accepted")
    failed = itself.get("/app/hook/deliveries", params={"status": "failure"}).json()
    assert again["id"] not in [d["id"] for d in failed]
    assert itself.get("/app/hook/deliveries/1").status_code == 404


def test_the_log_is_read_with_a_cursor(world: Any, heard: Any) -> None:
    for number in range(4):
        world.seed({f"f{number}": "x"})
    heard()
    itself = world.as_app(world.app)
    seen: list[int] = []
    url = "/app/hook/deliveries?per_page=3"
    while url:
        answer = itself.get(url)
        seen += [d["id"] for d in answer.json()]
        url = answer.links["next"]["url"] if "next" in answer.links else ""
    assert seen == sorted((d.id for d in world.forge.deliveries), reverse=True)
    assert itself.get("/app/hook/deliveries", params={"cursor": "v1_x"}).status_code == 400


def test_failures_of_the_receiver_are_not_repeated(world: Any, receiver: Any, heard: Any) -> None:
    receiver.status = 500
    world.seed()
    got = heard()
    assert len(got.received) == len(world.forge.deliveries) - 1, "all but the installation's own"
    assert {d.status_code for d in world.forge.deliveries[1:]} == {500}


def test_another_apps_log_is_not_shown(world: Any) -> None:
    assert world.installation
    other = world.forge.create_app("other", {})
    assert world.as_app(other).get("/app/hook/deliveries").json() == []
