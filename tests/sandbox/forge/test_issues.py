"""Issues, comments, labels, assignees and reactions."""

from __future__ import annotations

from typing import Any

ISSUES = "/repos/acme/app/issues"


def test_issues(world: Any) -> None:
    client = world.as_user("bob")
    made = client.post(ISSUES, json={"title": "Broken", "labels": ["bug"], "assignees": ["ada"]}).json()
    assert ([label["name"] for label in made["labels"]], made["assignee"]["login"]) == (["bug"], "ada")
    client.post(ISSUES, json={"title": "Other"})
    assert [i["number"] for i in client.get(ISSUES, params={"labels": "bug"}).json()] == [1]
    done = client.patch(f"{ISSUES}/1", json={"state": "closed", "title": "Fixed", "assignees": [], "labels": []}).json()
    assert (done["state"], done["state_reason"], done["closed_by"]["login"]) == ("closed", "completed", "bob")
    assert (done["title"], done["assignees"], done["labels"]) == ("Fixed", [], [])
    assert [i["number"] for i in client.get(ISSUES).json()] == [2]
    assert world.as_user("carol").patch(f"{ISSUES}/1", json={"state": "open"}).status_code == 403
    assert client.get(f"{ISSUES}/9").status_code == 404


def test_comments_are_written_edited_and_deleted(world: Any) -> None:
    world.pull()
    carol, bob = world.as_user("carol"), world.as_user("bob")
    made = carol.post(f"{ISSUES}/1/comments", json={"body": "/hold"}).json()
    assert (made["user"]["login"], made["author_association"]) == ("carol", "MEMBER")
    one = f"{ISSUES}/comments/{made['id']}"
    record = world.repository.issues[1].comments[0]
    assert record.last_edited_at is None
    world.forge.advance(5)
    edited = carol.patch(one, json={"body": "/release"}).json()
    assert edited["updated_at"] > edited["created_at"]
    assert record.last_edited_at is not None
    carols = bob.post(f"{ISSUES}/1/comments", json={"body": "mine"}).json()
    assert carol.patch(f"{ISSUES}/comments/{carols['id']}", json={"body": "x"}).status_code == 403
    assert [c["body"] for c in bob.get(f"{ISSUES}/1/comments").json()] == ["/release", "mine"]
    assert len(bob.get(f"{ISSUES}/comments").json()) == 2
    assert bob.delete(one).status_code == 204
    assert bob.get(one).status_code == 404
    for wrong in ({}, {"body": "  "}, {"body": "x" * 65537}):
        assert bob.post(f"{ISSUES}/1/comments", json=wrong).status_code == 422


def test_comments_of_an_app_say_so(world: Any) -> None:
    world.pull()
    made = world.as_installation(world.installation).post(f"{ISSUES}/1/comments", json={"body": "hello"}).json()
    assert (made["user"]["login"], made["performed_via_github_app"]["slug"]) == ("robot[bot]", "robot")


def test_labels(world: Any) -> None:
    world.pull()
    bob = world.as_user("bob")
    labels = "/repos/acme/app/labels"
    assert bob.post(labels, json={"name": "hold", "color": "ff0000", "description": "wait"}).status_code == 201
    assert bob.post(labels, json={"name": "Hold"}).json()["errors"][0]["code"] == "already_exists"
    assert bob.patch(f"{labels}/hold", json={"new_name": "held"}).json()["name"] == "held"
    on = f"{ISSUES}/1/labels"
    assert [item["name"] for item in bob.post(on, json={"labels": ["held", "made up/here"]}).json()] == [
        "held",
        "made up/here",
    ]
    assert len(bob.get(labels).json()) == 2
    assert bob.delete(f"{on}/made%20up%2Fhere").status_code == 200
    assert bob.delete(f"{on}/absent").status_code == 404
    assert [item["name"] for item in bob.put(on, json={"labels": ["x"]}).json()] == ["x"]
    assert bob.delete(on).status_code == 204
    assert bob.get(on).json() == []
    bob.post(on, json={"labels": ["held"]})
    assert bob.delete(f"{labels}/held").status_code == 204
    assert world.as_user("carol").get(on).json() == []


def test_assignees(world: Any) -> None:
    world.pull()
    bob = world.as_user("bob")
    assert [u["login"] for u in bob.get("/repos/acme/app/assignees").json()] == ["ada", "bob", "carol"]
    body = {"assignees": ["ada"]}
    assert bob.post(f"{ISSUES}/1/assignees", json=body).json()["assignee"]["login"] == "ada"
    assert bob.request("DELETE", f"{ISSUES}/1/assignees", json=body).json()["assignee"] is None


def test_reactions(world: Any) -> None:
    world.pull()
    bob, carol = world.as_user("bob"), world.as_user("carol")
    comment = bob.post(f"{ISSUES}/1/comments", json={"body": "x"}).json()
    line = bob.post(
        "/repos/acme/app/pulls/1/comments", json={"body": "x", "path": "topic.txt", "line": 1, "commit_id": "HEAD"}
    )
    assert line.status_code == 201
    for path in (
        f"{ISSUES}/1/reactions",
        f"{ISSUES}/comments/{comment['id']}/reactions",
        f"/repos/acme/app/pulls/comments/{line.json()['id']}/reactions",
    ):
        assert bob.post(path, json={"content": "+1"}).status_code == 201
        again = bob.post(path, json={"content": "+1"})
        assert again.status_code == 200
        assert bob.post(path, json={"content": "shrug"}).status_code == 422
        assert len(carol.get(path).json()) == 1
        assert carol.delete(f"{path}/{again.json()['id']}").status_code == 403
        assert bob.delete(f"{path}/{again.json()['id']}").status_code == 204
    counted = bob.post(f"{ISSUES}/comments/{comment['id']}/reactions", json={"content": "eyes"})
    assert counted.status_code == 201
    assert bob.get(f"{ISSUES}/comments/{comment['id']}").json()["reactions"]["eyes"] == 1


def test_search(world: Any) -> None:
    sha = world.pull()["head"]["sha"]
    world.as_user("bob").post(ISSUES, json={"title": "Something else"})
    client = world.as_installation(world.installation)
    found = client.get("/search/issues", params={"q": f"repo:acme/app is:pr sha:{sha[:8]}"})
    assert [item["number"] for item in found.json()["items"]] == [1]
    assert found.headers["X-RateLimit-Limit"] == "30"
    assert client.get("/search/issues").status_code == 422
    assert world.as_user("mallory").get("/search/issues", params={"q": "is:pr"}).json()["total_count"] == 0
