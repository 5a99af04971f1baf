"""Repositories from creation to deletion, their collaborators, forks and releases, and events from outside."""

from __future__ import annotations

from typing import Any

REPO = "/repos/acme/app"


def test_made_and_found(world: Any) -> None:
    ada = world.as_user("ada")
    own = ada.post("/user/repos", json={"name": "mine", "private": True})
    assert (own.status_code, own.json()["full_name"], own.json()["private"]) == (201, "ada/mine", True)
    assert ada.post("/orgs/acme/repos", json={"name": "new"}).json()["organization"]["login"] == "acme"
    assert ada.post("/orgs/acme/repos", json={"name": "APP"}).status_code == 422
    assert ada.post("/orgs/acme/repos", json={"name": "a/b"}).status_code == 422
    assert world.as_user("mallory").post("/orgs/acme/repos", json={"name": "x"}).status_code == 403
    assert [r["name"] for r in ada.get("/orgs/acme/repos").json()] == ["app", "new"]
    assert [r["name"] for r in world.client().get("/orgs/acme/repos").json()] == ["new"]
    assert "mine" in [r["name"] for r in ada.get("/user/repos").json()]
    assert [r["name"] for r in world.as_user("bob").get("/users/ada/repos").json()] == []
    shown = world.as_user("bob").get(REPO).json()
    assert (shown["permissions"]["push"], shown["permissions"]["admin"]) == (True, False)


def test_a_rename_leaves_a_way_behind(world: Any) -> None:
    world.seed()
    ada = world.as_user("ada")
    assert ada.patch(REPO, json={"name": "web"}).json()["full_name"] == "acme/web"
    moved = ada.get(f"{REPO}/branches/main", params={"x": "1"})
    assert moved.status_code == 301
    assert moved.headers["Location"] == f"{world.forge.api_url}/repositories/{world.repository.id}/branches/main?x=1"
    assert ada.get(f"{REPO}/branches/main", follow_redirects=True).json()["name"] == "main"
    assert ada.post(f"{REPO}/labels", json={"name": "x"}).status_code == 307
    assert ada.post(f"{REPO}/labels", json={"name": "x"}, follow_redirects=True).status_code == 201
    assert world.as_user("mallory").get(REPO).status_code == 404
    assert ada.get(f"/repositories/{world.repository.id}").json()["full_name"] == "acme/web"
    ada.post("/orgs/acme/repos", json={"name": "app"})
    assert ada.get(REPO).json()["id"] != world.repository.id


def test_a_transfer_takes_it_from_the_installation(world: Any) -> None:
    app = world.as_installation(world.installation)
    assert app.get(REPO).status_code == 200
    answer = world.as_user("ada").post(f"{REPO}/transfer", json={"new_owner": "ada"})
    assert (answer.status_code, answer.json()["full_name"]) == (202, "ada/app")
    assert app.get("/repos/ada/app").status_code == 404
    assert world.as_user("ada").post("/repos/ada/app/transfer", json={"new_owner": "nobody"}).status_code == 422


def test_settings(world: Any) -> None:
    world.seed()
    world.branch("next", {})
    ada = world.as_user("ada")
    changed = ada.patch(REPO, json={"default_branch": "next", "allow_auto_merge": True, "visibility": "public"}).json()
    assert (changed["default_branch"], changed["allow_auto_merge"], changed["private"]) == ("next", True, False)
    assert ada.patch(REPO, json={"default_branch": "absent"}).status_code == 422
    assert ada.put(f"{REPO}/topics", json={"names": ["a"]}).json() == {"names": ["a"]}
    assert ada.get(f"{REPO}/topics").json() == {"names": ["a"]}
    assert ada.delete(REPO).status_code == 204
    assert ada.get(REPO).status_code == 404


def test_collaborators(world: Any) -> None:
    ada = world.as_user("ada")
    assert {c["login"]: c["role_name"] for c in ada.get(f"{REPO}/collaborators").json()} == {
        "ada": "admin",
        "bob": "write",
        "carol": "read",
    }
    assert ada.put(f"{REPO}/collaborators/mallory", json={"permission": "triage"}).status_code == 204
    permission = ada.get(f"{REPO}/collaborators/mallory/permission").json()
    assert (permission["permission"], permission["role_name"]) == ("read", "triage")
    assert ada.get(f"{REPO}/collaborators/mallory").status_code == 204
    outside = ada.get(f"{REPO}/collaborators", params={"affiliation": "outside"}).json()
    assert [c["login"] for c in outside] == ["mallory"]
    writers = ada.get(f"{REPO}/collaborators", params={"permission": "push"}).json()
    assert [c["login"] for c in writers] == ["ada", "bob"]
    assert world.as_user("mallory").get(REPO).status_code == 200
    assert ada.delete(f"{REPO}/collaborators/mallory").status_code == 204
    assert ada.get(f"{REPO}/collaborators/mallory/permission").json()["permission"] == "none"
    assert world.as_user("bob").put(f"{REPO}/collaborators/mallory", json={}).status_code == 403
    assert ada.put(f"{REPO}/collaborators/mallory", json={"permission": "king"}).status_code == 422


def test_releases(world: Any) -> None:
    sha = world.seed()
    bob, releases = world.as_user("bob"), f"{REPO}/releases"
    made = bob.post(releases, json={"tag_name": "v1", "name": "One", "body": "notes"})
    assert made.status_code == 201
    assert world.repository.git.ref("refs/tags/v1") == sha
    assert bob.post(releases, json={"tag_name": "v1"}).status_code == 422
    bob.post(releases, json={"tag_name": "v2", "draft": True})
    assert world.repository.git.ref("refs/tags/v2") is None
    assert bob.get(f"{releases}/latest").json()["tag_name"] == "v1"
    assert bob.get(f"{releases}/tags/v1").json()["id"] == bob.get(f"{releases}/{made.json()['id']}").json()["id"]
    assert [r["tag_name"] for r in bob.get(releases).json()] == ["v2", "v1"]


def test_a_dispatch_from_outside_and_a_report(world: Any, heard: Any) -> None:
    sha = world.seed()
    bob = world.as_user("bob")
    body = {"event_type": "argocd", "client_payload": {"app": "web", "health": "Healthy"}}
    assert bob.post(f"{REPO}/dispatches", json=body).status_code == 204
    assert bob.post(f"{REPO}/dispatches", json={"event_type": "x" * 101}).status_code == 422
    (sent,) = heard().bodies("repository_dispatch")
    assert (sent["action"], sent["client_payload"]["app"]) == ("argocd", "web")
    sarif = {"commit_sha": sha, "ref": "refs/heads/main", "sarif": "H4sI"}
    assert bob.post(f"{REPO}/code-scanning/sarifs", json=sarif).status_code == 202
    assert bob.post(f"{REPO}/code-scanning/sarifs", json={}).status_code == 422
