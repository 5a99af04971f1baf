"""A real git client against the forge: clone, fetch and push in all their forms, who may, and what follows."""

from __future__ import annotations

import gzip
import random
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest


def test_push_clone_and_fetch(world: Any) -> None:
    work = world.clone()
    first = world.commit(work, {"a": "1\n"})
    world.push(work, "HEAD:refs/heads/main")
    assert world.repository.git.branch("main") == first
    other = world.clone("carol")
    assert (other / "a").read_text() == "1\n"
    second = world.commit(work, {"a": "2\n"})
    world.push(work, "HEAD:refs/heads/main")
    world.git("fetch", "-q", cwd=other)
    assert world.git("rev-parse", "origin/main", cwd=other).stdout.strip() == second


def test_shallow_partial_and_single_sha_fetches(world: Any, tmp_path: Path) -> None:
    work = world.clone()
    first = world.commit(work, {"big": "x" * 1000})
    world.commit(work, {"small": "y"})
    world.push(work, "HEAD:refs/heads/main")
    url = world.git_url(world.forge.user_token("bob"))
    world.git("clone", "-q", "--depth=1", url, str(tmp_path / "shallow"))
    assert world.git("rev-list", "--count", "HEAD", cwd=tmp_path / "shallow").stdout.strip() == "1"
    world.git("clone", "-q", "--filter=blob:none", "--no-checkout", url, str(tmp_path / "partial"))
    missing = world.git("rev-list", "--objects", "--all", "--missing=print", cwd=tmp_path / "partial").stdout
    assert missing.count("?") == 2
    world.git("init", "-q", str(tmp_path / "exact"))
    world.git("fetch", "-q", "--depth=1", url, first, cwd=tmp_path / "exact")
    assert world.git("rev-parse", "FETCH_HEAD", cwd=tmp_path / "exact").stdout.strip() == first


def test_protocol_version_two_is_spoken(world: Any) -> None:
    world.seed()
    url = world.git_url(world.forge.user_token("bob"))
    answer = httpx.get(
        f"{url}/info/refs?service=git-upload-pack", headers={"Git-Protocol": "version=2"}, trust_env=False, verify=False
    )
    assert b"version 2" in answer.content


def test_large_pushes_in_chunks_and_gzipped_requests_are_understood(world: Any, tmp_path: Path) -> None:
    work = world.clone()
    (work / "big").write_bytes(random.Random(1).randbytes(3 << 20))
    world.commit(work, {"a": "1"})
    world.git("-c", "http.postBuffer=65536", "push", "-q", "origin", "HEAD:refs/heads/main", cwd=work)
    for number in range(60):
        world.git("tag", f"t{number}", cwd=work)
        world.commit(work, {"n": str(number)})
    world.push(work, "HEAD:refs/heads/main", "--tags")
    # Many haves make git gzip its request.
    fresh = world.clone("carol")
    world.commit(work, {"n": "last"})
    world.push(work, "HEAD:refs/heads/main")
    world.git("fetch", "-q", cwd=fresh)
    assert (fresh / "big").stat().st_size == (work / "big").stat().st_size


def test_a_gzipped_push_is_understood(world: Any) -> None:
    sha = world.seed()
    line = f"{'0' * 40} {sha} refs/heads/copy\0report-status"
    body = f"{len(line) + 4:04x}{line}0000".encode()
    empty_pack = subprocess.run(["git", "pack-objects", "--stdout"], input=b"", capture_output=True, check=True).stdout
    answer = httpx.post(
        f"{world.git_url(world.forge.user_token('bob'))}/git-receive-pack",
        content=gzip.compress(body + empty_pack),
        headers={"Content-Encoding": "gzip", "Content-Type": "application/x-git-receive-pack-request"},
        trust_env=False,
        verify=False,
    )
    assert b"ok refs/heads/copy" in answer.content
    assert world.repository.git.branch("copy") == sha


def test_notes_can_be_pushed_and_read(world: Any) -> None:
    work = world.clone()
    world.commit(work, {"a": "1"})
    world.push(work, "HEAD:refs/heads/main")
    world.git("notes", "--ref=ghapp", "add", "-m", "signed", cwd=work)
    world.push(work, "refs/notes/ghapp")
    other = world.clone("carol")
    world.git("fetch", "-q", "origin", "refs/notes/*:refs/notes/*", cwd=other)
    assert world.git("notes", "--ref=ghapp", "show", cwd=other).stdout.strip() == "signed"


@pytest.mark.parametrize(
    ("login", "reads", "writes"), [("bob", True, True), ("carol", True, False), ("mallory", False, False)]
)
def test_people_do_what_their_role_allows(world: Any, tmp_path: Path, login: str, reads: bool, writes: bool) -> None:
    world.seed()
    url = world.git_url(world.forge.user_token(login))
    assert (world.git("ls-remote", url, check=False).returncode == 0) == reads
    work = world.clone()
    world.commit(work, {"x": "y"})
    pushed = world.git("push", "-q", url, "HEAD:refs/heads/new", cwd=work, check=False)
    assert (pushed.returncode == 0) == writes


def test_strangers_are_asked_who_they_are_and_told_nothing(world: Any) -> None:
    world.seed()
    path = f"{world.forge.url}/acme/app.git/info/refs?service=git-upload-pack"
    anonymous = httpx.get(path, trust_env=False, verify=False)
    assert anonymous.status_code == 401
    assert "Basic" in anonymous.headers["WWW-Authenticate"]
    for name in ("acme/app", "acme/absent"):
        url = world.git_url(world.forge.user_token("mallory"), name)
        assert "not found" in world.git("ls-remote", url, check=False).stderr.lower()


def test_public_repositories_need_no_credentials(world: Any) -> None:
    world.forge.create_repository("acme", "open")
    world.seed(full_name="acme/open")
    assert "refs/heads/main" in world.git("ls-remote", f"{world.forge.url}/acme/open.git").stdout


def test_installation_tokens_are_held_to_permission_and_scope(world: Any) -> None:
    world.seed()
    other = world.forge.create_repository("acme", "other", private=True)
    forge, installation = world.forge, world.installation
    work = world.clone()
    world.commit(work, {"x": "y"})

    def push(token: str, name: str = "acme/app") -> bool:
        url = world.git_url(token, name)
        return world.git("push", "-q", url, "HEAD:refs/heads/by-app", cwd=work, check=False).returncode == 0

    assert not push(forge.installation_token(installation, {"contents": "read"}))
    assert not push(forge.installation_token(installation, {"checks": "write"}))
    assert push(forge.installation_token(installation, {"contents": "write"}, ["app"]))
    assert not push(forge.installation_token(installation, {"contents": "write"}, ["app"]), other.full_name)
    reader = forge.installation_token(installation, {"contents": "read"}, ["app"])
    assert world.git("ls-remote", world.git_url(reader)).returncode == 0
    assert world.git("ls-remote", world.git_url(reader, "acme/other"), check=False).returncode != 0


def test_hidden_refs_cannot_be_pushed(world: Any) -> None:
    world.pull()
    work = world.clone()
    world.commit(work, {"x": "y"})
    refused = world.push(work, "+HEAD:refs/pull/1/head", check=False)
    assert refused.returncode != 0
    assert "hidden ref" in refused.stderr
    fetched = world.git("ls-remote", "origin", "refs/pull/1/*", cwd=work).stdout
    assert "refs/pull/1/head" in fetched


def test_protected_branches_refuse_what_they_must(world: Any) -> None:
    world.seed()
    world.forge.protect("acme/app", "main", required_checks=["ci"], enforce_admins=True)
    work = world.clone()
    first = world.repository.git.branch("main")
    world.commit(work, {"a": "2"})
    direct = world.push(work, "HEAD:refs/heads/main", "HEAD:refs/heads/free", check=False)
    assert "GH006" in direct.stderr
    assert "is expected" in direct.stderr
    assert world.repository.git.branch("main") == first
    assert world.repository.git.branch("free") is not None
    head = world.git("rev-parse", "HEAD", cwd=work).stdout.strip()
    world.as_user("bob").post(f"/repos/acme/app/statuses/{head}", json={"state": "success", "context": "ci"})
    world.push(work, "HEAD:refs/heads/main")
    world.git("commit", "-q", "--amend", "-m", "other", cwd=work)
    amended = world.git("rev-parse", "HEAD", cwd=work).stdout.strip()
    world.push(work, "HEAD:refs/heads/free", "--force")
    world.as_user("bob").post(f"/repos/acme/app/statuses/{amended}", json={"state": "success", "context": "ci"})
    forced = world.push(work, "--force", "HEAD:refs/heads/main", check=False)
    assert "Cannot force-push" in forced.stderr
    deleted = world.push(work, ":refs/heads/main", check=False)
    assert deleted.returncode != 0


def test_reviews_and_restrictions_keep_direct_pushes_out(world: Any) -> None:
    world.seed()
    work = world.clone()
    world.commit(work, {"a": "2"})
    world.forge.protect("acme/app", "main", required_reviews=1, enforce_admins=True)
    assert "through a pull request" in world.push(work, "HEAD:refs/heads/main", check=False).stderr
    world.forge.protect("acme/app", "main", restrict_to=["ada"], enforce_admins=True)
    assert "not authorized" in world.push(work, "HEAD:refs/heads/main", check=False).stderr
    world.forge.protect("acme/app", "main", restrict_to=["writeers"], enforce_admins=True)
    world.push(work, "HEAD:refs/heads/main")


def test_an_archived_repository_takes_no_pushes(world: Any) -> None:
    world.seed()
    work = world.clone()
    world.as_user("ada").patch("/repos/acme/app", json={"archived": True})
    world.commit(work, {"a": "2"})
    assert "read-only" in world.push(work, "HEAD:refs/heads/main", check=False).stderr


def test_a_renamed_repository_is_still_found(world: Any) -> None:
    work = world.clone()
    world.as_user("ada").patch("/repos/acme/app", json={"name": "renamed"})
    sha = world.commit(work, {"a": "1"})
    world.push(work, "HEAD:refs/heads/main")
    assert world.repository.git.branch("main") == sha


def test_concurrent_pushes_to_one_branch_let_one_win(world: Any) -> None:
    world.seed()
    works = [world.clone(), world.clone()]
    shas = [world.commit(work, {"who": str(i)}) for i, work in enumerate(works)]
    running = [
        subprocess.Popen(["git", "push", "-q", "origin", "HEAD:refs/heads/main"], cwd=work, stderr=subprocess.DEVNULL)
        for work in works
    ]
    results = [process.wait() for process in running]
    assert sorted(code == 0 for code in results) == [False, True]
    assert world.repository.git.branch("main") == shas[results.index(0)]
