"""Reviews and comments on lines."""

from __future__ import annotations

from typing import Any

import pytest

ONE = "/repos/acme/app/pulls/1"


def test_a_review_is_submitted_edited_and_dismissed(world: Any) -> None:
    sha = world.pull()["head"]["sha"]
    ada = world.as_user("ada")
    made = ada.post(f"{ONE}/reviews", json={"event": "APPROVE", "body": "fine"}).json()
    assert (made["state"], made["commit_id"], made["user"]["login"]) == ("APPROVED", sha, "ada")
    one = f"{ONE}/reviews/{made['id']}"
    assert ada.put(one, json={"body": "very fine"}).json()["body"] == "very fine"
    assert world.repository.pull(1).reviews[0].last_edited_at is not None
    assert ada.put(f"{one}/dismissals", json={}).status_code == 422
    assert ada.put(f"{one}/dismissals", json={"message": "late"}).json()["state"] == "DISMISSED"
    assert ada.put(f"{one}/dismissals", json={"message": "again"}).status_code == 422
    assert [r["state"] for r in world.as_user("carol").get(f"{ONE}/reviews").json()] == ["DISMISSED"]


def test_nobody_approves_their_own(world: Any) -> None:
    world.pull(by="bob")
    answer = world.as_user("bob").post(f"{ONE}/reviews", json={"event": "APPROVE"})
    assert answer.status_code == 422
    assert answer.json()["errors"] == ["Review Can not approve your own pull request"]
    assert world.as_user("bob").post(f"{ONE}/reviews", json={"event": "COMMENT", "body": "x"}).status_code == 200


@pytest.mark.parametrize("event", ["REQUEST_CHANGES", "COMMENT"])
def test_some_need_words(world: Any, event: str) -> None:
    world.pull()
    assert world.as_user("ada").post(f"{ONE}/reviews", json={"event": event}).status_code == 422


def test_a_pending_review_is_its_authors_alone_until_submitted(world: Any) -> None:
    world.pull()
    ada, carol = world.as_user("ada"), world.as_user("carol")
    comment = {"path": "topic.txt", "line": 1, "body": "hm"}
    pending = ada.post(f"{ONE}/reviews", json={"comments": [comment]}).json()
    assert pending["state"] == "PENDING"
    assert "submitted_at" not in pending
    assert carol.get(f"{ONE}/reviews").json() == []
    assert carol.get(f"{ONE}/comments").json() == []
    assert carol.get(f"{ONE}/reviews/{pending['id']}").status_code == 404
    assert ada.post(f"{ONE}/reviews", json={}).status_code == 422
    done = ada.post(f"{ONE}/reviews/{pending['id']}/events", json={"event": "REQUEST_CHANGES", "body": "no"}).json()
    assert done["state"] == "CHANGES_REQUESTED"
    assert [c["body"] for c in carol.get(f"{ONE}/reviews/{pending['id']}/comments").json()] == ["hm"]
    other = ada.post(f"{ONE}/reviews", json={"body": "second thoughts"}).json()
    assert ada.delete(f"{ONE}/reviews/{other['id']}").status_code == 200
    assert ada.delete(f"{ONE}/reviews/{pending['id']}").status_code == 422


def test_a_review_answers_the_requests_for_one(world: Any) -> None:
    world.pull()
    world.forge.create_team("acme", "sre", ["ada"])
    world.as_user("bob").post(
        f"{ONE}/requested_reviewers", json={"reviewers": ["ada"], "team_reviewers": ["sre", "writeers"]}
    )
    ada = world.as_user("ada")
    ada.post(f"{ONE}/reviews", json={"event": "APPROVE"})
    left = ada.get(f"{ONE}/requested_reviewers").json()
    assert ([u["login"] for u in left["users"]], [t["slug"] for t in left["teams"]]) == ([], ["writeers"])
    assert [t.slug for t in world.repository.pull(1).reviews[0].on_behalf_of] == ["sre"]


def test_comments_on_lines(world: Any) -> None:
    sha = world.pull()["head"]["sha"]
    ada, carol = world.as_user("ada"), world.as_user("carol")
    body = {"body": "why?", "path": "topic.txt", "line": 1, "side": "RIGHT", "commit_id": sha}
    made = ada.post(f"{ONE}/comments", json=body).json()
    assert (made["line"], made["path"], made["diff_hunk"]) == (1, "topic.txt", "@@ -0,0 +1 @@\n+hi")
    reply = carol.post(f"{ONE}/comments/{made['id']}/replies", json={"body": "because"}).json()
    assert reply["in_reply_to_id"] == made["id"]
    assert len(carol.get(f"{ONE}/comments").json()) == 2
    assert len(carol.get("/repos/acme/app/pulls/comments").json()) == 2
    one = f"/repos/acme/app/pulls/comments/{made['id']}"
    assert carol.patch(one, json={"body": "x"}).status_code == 403
    assert ada.patch(one, json={"body": "Why?"}).json()["body"] == "Why?"
    assert ada.delete(one).status_code == 204
    assert ada.get(one).status_code == 404
    assert ada.post(f"{ONE}/comments", json={**body, "path": "absent"}).status_code == 422


def test_an_app_may_review(world: Any) -> None:
    world.pull()
    made = world.as_installation(world.installation).post(f"{ONE}/reviews", json={"event": "APPROVE"}).json()
    assert (made["user"]["login"], made["user"]["type"]) == ("robot[bot]", "Bot")
