"""Pull requests from opening to closing, as the API shows them."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

PULLS = "/repos/acme/app/pulls"


def test_opened_listed_and_shown(world: Any) -> None:
    pull = world.pull(body="why")
    assert (pull["number"], pull["state"], pull["draft"], pull["mergeable"]) == (1, "open", False, True)
    assert (pull["mergeable_state"], pull["commits"], pull["changed_files"], pull["additions"]) == ("clean", 1, 1, 1)
    assert pull["head"]["label"] == "acme:topic"
    client = world.as_user("carol")
    assert [p["number"] for p in client.get(PULLS).json()] == [1]
    shown = client.get(f"{PULLS}/1").json()
    assert shown["merge_commit_sha"] == world.repository.git.ref("refs/pull/1/merge")
    assert world.repository.git.ref("refs/pull/1/head") == pull["head"]["sha"]
    assert client.get(f"{PULLS}/2").status_code == 404


def test_the_list_is_filtered_and_sorted(world: Any) -> None:
    for head in ("one", "two", "three"):
        world.pull(head)
    client = world.as_user("bob")
    client.patch(f"{PULLS}/2", json={"state": "closed"})

    def numbers(**query: str) -> list[int]:
        return [p["number"] for p in client.get(PULLS, params=query).json()]

    assert numbers() == [3, 1]
    assert numbers(state="all", direction="asc") == [1, 2, 3]
    assert numbers(state="closed") == [2]
    assert numbers(head="acme:three") == [3]
    assert numbers(head="other:three") == []
    assert numbers(base="elsewhere") == []
    assert numbers(sort="updated", direction="desc", state="all")[0] == 2


@pytest.mark.parametrize(
    ("head", "base", "field"), [("absent", "main", "head"), ("topic", "absent", "base"), ("x:topic", "main", "head")]
)
def test_branches_must_exist(world: Any, head: str, base: str, field: str) -> None:
    world.seed()
    world.branch("topic", {"a": "1"})
    answer = world.as_user("bob").post(PULLS, json={"title": "t", "head": head, "base": base})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


def test_one_pull_request_per_branch_and_something_to_merge(world: Any) -> None:
    world.pull()
    client = world.as_user("bob")
    again = client.post(PULLS, json={"title": "t", "head": "topic", "base": "main"})
    assert again.json()["errors"][0]["message"] == "A pull request already exists for acme:topic."
    world.branch("empty", {})
    nothing = client.post(PULLS, json={"title": "t", "head": "empty", "base": "main"})
    assert nothing.json()["errors"][0]["message"] == "No commits between main and empty"


def test_edited_closed_and_reopened(world: Any) -> None:
    world.pull()
    client = world.as_user("bob")
    assert client.patch(f"{PULLS}/1", json={"title": "New", "body": "Text"}).json()["title"] == "New"
    closed = client.patch(f"{PULLS}/1", json={"state": "closed"}).json()
    assert (closed["state"], closed["merged"], closed["mergeable"]) == ("closed", False, None)
    assert client.patch(f"{PULLS}/1", json={"state": "open"}).json()["state"] == "open"
    world.branch("other-base", {"x": "1"})
    assert client.patch(f"{PULLS}/1", json={"base": "other-base"}).json()["base"]["ref"] == "other-base"
    assert client.patch(f"{PULLS}/1", json={"base": "absent"}).status_code == 422


def test_a_push_moves_the_head_and_a_deleted_branch_closes(world: Any) -> None:
    world.pull()
    work = world.clone()
    world.git("checkout", "-q", "topic", cwd=work)
    sha = world.commit(work, {"more": "1"})
    world.push(work, "HEAD:refs/heads/topic")
    client = world.as_user("bob")
    shown = client.get(f"{PULLS}/1").json()
    assert (shown["head"]["sha"], shown["commits"], shown["changed_files"]) == (sha, 2, 2)
    world.push(work, ":refs/heads/topic")
    assert client.get(f"{PULLS}/1").json()["state"] == "closed"
    assert client.patch(f"{PULLS}/1", json={"state": "open"}).status_code == 422
    assert world.repository.git.ref("refs/pull/1/head") == sha


def test_pushing_its_commits_into_the_base_merges_it(world: Any) -> None:
    head = world.pull()["head"]["sha"]
    work = world.clone()
    world.git("fetch", "-q", "origin", "topic", cwd=work)
    world.push(work, "FETCH_HEAD:refs/heads/main")
    shown = world.as_user("bob").get(f"{PULLS}/1").json()
    assert (shown["state"], shown["merged"], shown["merge_commit_sha"]) == ("closed", True, head)


def test_files_and_commits(world: Any) -> None:
    world.seed({"keep.txt": "a\nb\nc\nd\ne\nf\n", "gone.txt": "x\n", "old.txt": "one\ntwo\nthree\nfour\n"})
    work = world.clone()
    world.git("checkout", "-q", "-b", "topic", cwd=work)
    world.git("mv", "old.txt", "new.txt", cwd=work)
    (work / "bin").write_bytes(b"\0\1\2")
    world.commit(work, {"keep.txt": "a\nb\nC\nd\ne\nf\n", "gone.txt": None, "ünï cödé.txt": "entirely new\n"})
    world.push(work, "HEAD:refs/heads/topic")
    world.pull()
    client = world.as_user("bob")
    files = {f["filename"]: f for f in client.get(f"{PULLS}/1/files").json()}
    assert {name: f["status"] for name, f in files.items()} == {
        "bin": "added",
        "gone.txt": "removed",
        "keep.txt": "modified",
        "new.txt": "renamed",
        "ünï cödé.txt": "added",
    }
    assert files["new.txt"]["previous_filename"] == "old.txt"
    assert "patch" not in files["bin"]
    assert files["keep.txt"]["patch"].splitlines()[3:5] == ["-c", "+C"]
    assert (files["keep.txt"]["additions"], files["keep.txt"]["deletions"]) == (1, 1)
    (commit,) = client.get(f"{PULLS}/1/commits").json()
    assert (commit["author"]["login"], commit["commit"]["verification"]["reason"]) == ("bob", "unsigned")
    two = client.get(f"{PULLS}/1/files", params={"per_page": 2})
    assert len(two.json()) == 2
    assert 'rel="last"' in two.headers["Link"]


def test_lists_of_files_and_commits_end_where_githubs_do(world: Any) -> None:
    world.seed()
    work = world.clone()
    world.git("checkout", "-q", "-b", "topic", cwd=work)
    world.commit(work, {f"many/{n}": str(n) for n in range(3010)})
    stream = "".join(
        f"commit refs/heads/long\ncommitter B <b@example.com> {1700000000 + n} +0000\ndata 1\nx\n"
        + ("from refs/heads/topic\n" if n == 0 else "")
        + "\n"
        for n in range(260)
    )
    subprocess.run(["git", "fast-import", "--quiet"], input=stream.encode(), cwd=work, check=True)
    world.push(work, "refs/heads/long:refs/heads/topic")
    pull = world.pull()
    assert (pull["changed_files"], pull["commits"]) == (3010, 261)
    client = world.as_user("bob")
    last = client.get(f"{PULLS}/1/files", params={"per_page": 100, "page": 30})
    assert len(last.json()) == 100
    assert 'rel="next"' not in last.headers["Link"]
    assert client.get(f"{PULLS}/1/files", params={"per_page": 100, "page": 31}).json() == []
    assert len(client.get(f"{PULLS}/1/commits", params={"per_page": 100, "page": 3}).json()) == 50


def test_as_a_diff_and_as_a_patch(world: Any) -> None:
    world.pull()
    client = world.as_user("bob")
    diff = client.get(f"{PULLS}/1", headers={"Accept": "application/vnd.github.diff"}).text
    assert diff.startswith("diff --git a/topic.txt b/topic.txt")
    patch = client.get(f"{PULLS}/1", headers={"Accept": "application/vnd.github.v3.patch"}).text
    assert "Subject: [PATCH] Set topic.txt" in patch


def test_reviewers_are_requested_and_released(world: Any) -> None:
    world.pull()
    client = world.as_user("ada")
    body = {"reviewers": ["ada"], "team_reviewers": ["writeers"]}
    asked = client.post(f"{PULLS}/1/requested_reviewers", json=body).json()
    assert [u["login"] for u in asked["requested_reviewers"]] == ["ada"]
    listed = client.get(f"{PULLS}/1/requested_reviewers").json()
    assert [t["slug"] for t in listed["teams"]] == ["writeers"]
    assert client.post(f"{PULLS}/1/requested_reviewers", json={"reviewers": ["bob"]}).status_code == 422
    assert client.post(f"{PULLS}/1/requested_reviewers", json={"reviewers": ["mallory"]}).status_code == 422
    assert client.request("DELETE", f"{PULLS}/1/requested_reviewers", json=body).json()["requested_teams"] == []


def test_from_a_fork(world: Any) -> None:
    world.seed()
    forked = world.as_user("bob").post("/repos/acme/app/forks", json={})
    assert (forked.status_code, forked.json()["full_name"], forked.json()["parent"]["full_name"]) == (
        202,
        "bob/app",
        "acme/app",
    )
    work = world.clone("bob", "bob/app")
    sha = world.commit(work, {"from-fork": "1"})
    world.push(work, "HEAD:refs/heads/topic")
    pull = world.as_user("bob").post(PULLS, json={"title": "t", "head": "bob:topic", "base": "main"}).json()
    assert (pull["head"]["repo"]["full_name"], pull["head"]["label"], pull["head"]["sha"]) == (
        "bob/app",
        "bob:topic",
        sha,
    )
    assert pull["mergeable"] is True
    second = world.commit(work, {"more": "1"})
    world.push(work, "HEAD:refs/heads/topic")
    client = world.as_user("ada")
    assert client.get(f"{PULLS}/1").json()["head"]["sha"] == second
    assert client.put(f"{PULLS}/1/merge", json={"sha": second}).json()["merged"] is True
    assert client.get("/repos/acme/app/contents/from-fork").status_code == 200
    assert client.delete("/repos/bob/app").status_code in (403, 404)
    assert world.as_user("bob").delete("/repos/bob/app").status_code == 204
    assert client.get(f"{PULLS}/1").json()["head"]["repo"] is None


def test_commits_know_their_pull_requests(world: Any) -> None:
    pull = world.pull()
    client = world.as_user("bob")
    for sha in (pull["head"]["sha"],):
        assert [p["number"] for p in client.get(f"/repos/acme/app/commits/{sha}/pulls").json()] == [1]
    base = world.repository.git.branch("main")
    assert client.get(f"/repos/acme/app/commits/{base}/pulls").json() == []
    merged = client.put(f"{PULLS}/1/merge", json={"merge_method": "squash"}).json()["sha"]
    assert [p["number"] for p in client.get(f"/repos/acme/app/commits/{merged}/pulls").json()] == [1]


def test_numbers_are_shared_with_issues(world: Any) -> None:
    world.pull()
    client = world.as_user("bob")
    assert client.post("/repos/acme/app/issues", json={"title": "x"}).json()["number"] == 2
    assert "pull_request" in client.get("/repos/acme/app/issues/1").json()
    assert client.get(f"{PULLS}/2").status_code == 404
