"""Files through the API, git's own objects, and commits compared."""

from __future__ import annotations

import base64
from typing import Any

import pytest

REPO = "/repos/acme/app"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_a_file_is_created_changed_and_deleted(world: Any) -> None:
    client = world.as_user("bob")
    path = f"{REPO}/contents/deploy/env%20prod/app.yaml"
    made = client.put(path, json={"message": "Add", "content": encoded("a: 1\n")})
    assert made.status_code == 201
    read = client.get(path).json()
    assert base64.b64decode(read["content"]) == b"a: 1\n"
    assert client.get(path, headers={"Accept": "application/vnd.github.raw+json"}).content == b"a: 1\n"
    body = {"message": "Change", "content": encoded("a: 2\n")}
    assert client.put(path, json=body).status_code == 422
    assert client.put(path, json={**body, "sha": "0" * 40}).status_code == 409
    changed = client.put(path, json={**body, "sha": read["sha"]})
    assert changed.status_code == 200
    assert world.repository.git.branch("main") == changed.json()["commit"]["sha"]
    sha = changed.json()["content"]["sha"]
    assert client.request("DELETE", path, json={"message": "Drop", "sha": sha}).status_code == 200
    assert client.get(path).status_code == 404


def test_folders_refs_and_readme(world: Any) -> None:
    world.seed({"README.md": "# hi\n", "a/b.txt": "b", "a/c/d.txt": "d"})
    client = world.as_user("carol")
    assert [(e["name"], e["type"]) for e in client.get(f"{REPO}/contents/a").json()] == [
        ("b.txt", "file"),
        ("c", "dir"),
    ]
    for root in ("contents", "contents/"):
        assert [e["path"] for e in client.get(f"{REPO}/{root}").json()] == ["README.md", "a"]
    assert client.get(f"{REPO}/readme").json()["path"] == "README.md"
    assert client.get(f"{REPO}/contents/a/b.txt", params={"ref": "absent"}).status_code == 404
    first = world.repository.git.log("refs/heads/main")[-1]
    assert client.get(f"{REPO}/contents/a/b.txt", params={"ref": first}).status_code == 404
    for escape in ("contents/../x", "contents/a%2F..%2FREADME.md", "contents/.git/config"):
        assert client.get(f"{REPO}/{escape}").status_code in (404, 422)


def test_nothing_is_written_past_the_repository_or_the_protection(world: Any) -> None:
    world.seed()
    client = world.as_user("bob")
    body = {"message": "x", "content": encoded("x")}
    for escape in ("a%2F..%2F..%2Fx", ".git/hooks/x"):
        assert client.put(f"{REPO}/contents/{escape}", json=body).status_code == 422
    world.forge.protect("acme/app", "main", required_reviews=1, enforce_admins=True)
    assert client.put(f"{REPO}/contents/x", json=body).status_code == 409
    assert client.put(f"{REPO}/contents/x", json={**body, "branch": "absent"}).status_code == 404
    assert client.put(f"{REPO}/contents/x", json={**body, "content": "%%%"}).status_code == 422


def test_a_commit_from_blobs_and_trees(world: Any) -> None:
    base = world.seed({"keep": "k", "drop": "d"})
    app = world.as_installation(world.installation)
    blob = app.post(f"{REPO}/git/blobs", json={"content": encoded("bin\0"), "encoding": "base64"}).json()["sha"]
    entries = [
        {"path": "dir/bin", "mode": "100755", "type": "blob", "sha": blob},
        {"path": "text", "mode": "100644", "type": "blob", "content": "inline\n"},
        {"path": "drop", "mode": "100644", "type": "blob", "sha": None},
    ]
    tree = app.post(f"{REPO}/git/trees", json={"base_tree": base, "tree": entries}).json()
    names = [e["path"] for e in app.get(f"{REPO}/git/trees/{tree['sha']}", params={"recursive": "1"}).json()["tree"]]
    assert names == ["dir", "dir/bin", "keep", "text"]
    body = {"message": "Made by hand", "tree": tree["sha"], "parents": [base]}
    commit = app.post(f"{REPO}/git/commits", json=body).json()
    assert commit["author"]["name"] == "robot[bot]"
    assert commit["verification"]["verified"] is True
    named = {"name": "Ada", "email": "ada@example.com", "date": "2026-01-02T03:04:05Z"}
    by_name = app.post(f"{REPO}/git/commits", json={**body, "author": named}).json()
    assert (by_name["author"], by_name["verification"]["verified"]) == (named, False)
    ref = f"{REPO}/git/refs"
    made = app.post(ref, json={"ref": "refs/heads/env/prod", "sha": commit["sha"]})
    assert made.status_code == 201
    for slashed in ("env/prod", "env%2Fprod"):
        assert app.get(f"{REPO}/git/ref/heads/{slashed}").json()["object"]["sha"] == commit["sha"]
        assert app.get(f"{REPO}/branches/{slashed}").json()["name"] == "env/prod"
    assert app.get(f"{REPO}/git/blobs/{blob}").json()["size"] == 4
    assert app.get(f"{REPO}/git/commits/{commit['sha']}").json()["message"] == "Made by hand"
    for wrong in ({"tree": "0" * 40}, {"parents": ["0" * 40]}, {"message": None}):
        assert app.post(f"{REPO}/git/commits", json={**body, **wrong}).status_code == 422
    assert app.post(f"{REPO}/git/trees", json={"tree": [{"path": "../x", "content": "y"}]}).status_code == 422


def test_refs_move_only_forward_unless_forced(world: Any) -> None:
    first = world.seed()
    second = world.seed({"b": "2"})
    client = world.as_user("bob")
    path = f"{REPO}/git/refs/heads/main"
    assert client.patch(path, json={"sha": first}).json()["message"] == "Update is not a fast forward"
    assert client.patch(path, json={"sha": first, "force": True}).status_code == 200
    assert client.patch(path, json={"sha": second}).status_code == 200
    assert client.patch(path, json={"sha": "0" * 40}).status_code == 422
    assert client.patch(f"{REPO}/git/refs/heads/absent", json={"sha": first}).status_code == 422
    assert client.post(f"{REPO}/git/refs", json={"ref": "refs/heads/main", "sha": first}).status_code == 422
    assert client.post(f"{REPO}/git/refs", json={"ref": "main", "sha": first}).status_code == 422
    client.post(f"{REPO}/git/refs", json={"ref": "refs/notes/ghapp", "sha": first})
    client.post(f"{REPO}/git/refs", json={"ref": "refs/heads/main2", "sha": first})
    matching = client.get(f"{REPO}/git/matching-refs/heads/ma").json()
    assert [r["ref"] for r in matching] == ["refs/heads/main", "refs/heads/main2"]
    assert client.get(f"{REPO}/git/ref/notes/ghapp").json()["object"]["sha"] == first
    assert client.delete(f"{REPO}/git/refs/heads/main2").status_code == 204
    assert client.delete(f"{REPO}/git/refs/heads/main2").status_code == 422
    world.forge.protect("acme/app", "main")
    assert client.delete(path).status_code == 422
    assert client.patch(path, json={"sha": first, "force": True}).status_code == 422


def test_annotated_tags(world: Any) -> None:
    sha = world.seed()
    client = world.as_user("bob")
    body = {"tag": "v1", "message": "one", "object": sha, "type": "commit"}
    tag = client.post(f"{REPO}/git/tags", json=body).json()
    client.post(f"{REPO}/git/refs", json={"ref": "refs/tags/v1", "sha": tag["sha"]})
    assert client.get(f"{REPO}/git/tags/{tag['sha']}").json()["object"]["sha"] == sha
    assert [(t["name"], t["commit"]["sha"]) for t in client.get(f"{REPO}/tags").json()] == [("v1", sha)]
    assert client.get(f"{REPO}/commits/v1").json()["sha"] == sha
    assert client.post(f"{REPO}/git/tags", json={**body, "object": "0" * 40}).status_code == 422


# Commits --------------------------------------------------------------------------------------------------------------


def test_commits_are_listed_and_shown(world: Any) -> None:
    first = world.seed()
    second = world.seed({"src/a.py": "1\n2\n"})
    client = world.as_user("carol")
    assert [c["sha"] for c in client.get(f"{REPO}/commits").json()] == [second, first]
    assert [c["sha"] for c in client.get(f"{REPO}/commits", params={"path": "src"}).json()] == [second]
    assert [c["sha"] for c in client.get(f"{REPO}/commits", params={"sha": first}).json()] == [first]
    assert len(client.get(f"{REPO}/commits", params={"author": "ada"}).json()) == 2
    assert client.get(f"{REPO}/commits", params={"author": "bob"}).json() == []
    for name in ("main", "heads/main", "heads%2Fmain", second, second[:12]):
        assert client.get(f"{REPO}/commits/{name}").json()["sha"] == second
    shown = client.get(f"{REPO}/commits/{second}").json()
    assert (shown["stats"]["additions"], [f["filename"] for f in shown["files"]]) == (2, ["src/a.py"])
    assert client.get(f"{REPO}/commits/main", headers={"Accept": "application/vnd.github.sha"}).text == second
    assert client.get(f"{REPO}/commits/{'0' * 40}").status_code == 422
    heads = client.get(f"{REPO}/commits/{second}/branches-where-head").json()
    assert [b["name"] for b in heads] == ["main"]


def test_an_empty_repository_says_so(world: Any) -> None:
    answer = world.as_user("carol").get(f"{REPO}/commits")
    assert (answer.status_code, answer.json()["message"]) == (409, "Git Repository is empty.")
    assert world.as_user("carol").get(f"{REPO}/branches").json() == []


@pytest.mark.parametrize(
    ("basehead", "status", "ahead", "behind"),
    [
        ("main...main", "identical", 0, 0),
        ("base...topic", "ahead", 2, 0),
        ("topic...base", "behind", 0, 2),
        ("main...topic", "diverged", 2, 1),
    ],
)
def test_comparisons(world: Any, basehead: str, status: str, ahead: int, behind: int) -> None:
    world.seed()
    world.branch("base", {})
    world.branch("topic", {"a": "1", "b": "2"})
    world.seed({"c": "3"})
    client = world.as_user("carol")
    found = client.get(f"{REPO}/compare/{basehead}").json()
    assert (found["status"], found["ahead_by"], found["behind_by"]) == (status, ahead, behind)
    assert [f["filename"] for f in found["files"]] == (["a", "b"] if ahead else [])
    assert found["total_commits"] == len(found["commits"]) == ahead


def test_comparisons_are_paged_and_reach_into_forks(world: Any) -> None:
    world.seed()
    world.branch("topic", {"a": "1", "b": "2", "c": "3"})
    client = world.as_user("bob")
    page = client.get(f"{REPO}/compare/main...topic", params={"per_page": 2, "page": 2})
    assert len(page.json()["commits"]) == 1
    assert page.json()["total_commits"] == 3
    assert 'rel="prev"' in page.headers["Link"]
    client.post(f"{REPO}/forks", json={})
    body = {"message": "In the fork", "content": encoded("x"), "branch": "main"}
    client.put("/repos/bob/app/contents/forked", json=body)
    found = client.get(f"{REPO}/compare/main...bob:main").json()
    assert [f["filename"] for f in found["files"]] == ["forked"]
    assert client.get(f"{REPO}/compare/main...mallory:main").status_code == 404
    assert client.get(f"{REPO}/compare/main...absent").status_code == 404
    diff = client.get(f"{REPO}/compare/main...topic", headers={"Accept": "application/vnd.github.v3.diff"}).text
    assert diff.count("diff --git") == 3
