"""Git without a work tree: commits that are the same for the same input, pushes that lose rather than overwrite."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ghapp.git import Git, GitError, Moved, Person, tree_id

WHEN = datetime(2026, 11, 20, 12, tzinfo=UTC)
BOT = Person("ghapp[bot]", "bot@example.org")


@pytest.fixture
def remote(tmp_path: Path) -> Git:
    git = Git(tmp_path / "remote.git")
    git.create()
    return git


@pytest.fixture
def mirror(tmp_path: Path, remote: Git) -> Git:
    git = Git(tmp_path / "mirror.git", url=str(remote.directory))
    git.create()
    return git


def write(git: Git, files: dict[str, bytes], parent: str | None = None, **more: object) -> str:
    options = {"message": "change\n\nWhy: because\n", "author": BOT, "at": WHEN, **more}
    return git.write(parent=parent, files=files, **options)  # type: ignore[arg-type]


def test_the_same_input_gives_the_same_commit(mirror: Git) -> None:
    first = write(mirror, {"a/b.txt": b"1", "c": b"2"})
    assert first == write(mirror, {"c": b"2", "a/b.txt": b"1"})
    assert mirror.read(first, "a/b.txt") == b"1"
    assert mirror.refs("refs/ghapp/") == {}


def test_a_folder_is_replaced_and_the_rest_stays(mirror: Git) -> None:
    first = write(mirror, {"app/old.yaml": b"1", "app/sub/x": b"2", "other/keep": b"3"})
    second = write(mirror, {"app/new.yaml": b"4"}, parent=first, remove=["app"])
    assert set(mirror.files(second)) == {"app/new.yaml", "other/keep"}


def test_odd_names_survive(mirror: Git) -> None:
    files = {'q"uote': b"", "sp ace/ü\\n": b"x\n", "-dash": b"\0\xff"}
    sha = write(mirror, files)
    listed = mirror.files(sha)
    assert set(listed) == set(files)
    assert mirror.read_all(list(listed.values())) == [files[p] for p in listed]


@pytest.mark.parametrize("path", ["../x", "/x", "a/../../x", ".git/config", ""])
def test_a_path_that_leaves_the_tree_is_refused(mirror: Git, path: str) -> None:
    with pytest.raises(ValueError, match="not a path inside"):
        write(mirror, {path: b""})


def test_tree_id_is_gits_own(mirror: Git) -> None:
    files = {"a.b/x": b"1", "a/y": b"2", "a0": b"3", "z/ü": b"4"}
    sha = write(mirror, files)
    assert tree_id(files) == mirror.text("rev-parse", f"{sha}^{{tree}}")


def test_a_push_is_conditional(remote: Git, mirror: Git) -> None:
    one, two = write(mirror, {"a": b"1"}), write(mirror, {"a": b"2"})
    mirror.push(one, "refs/heads/env/dev", old=None)
    with pytest.raises(Moved):
        mirror.push(two, "refs/heads/env/dev", old=None)
    mirror.push(two, "refs/heads/env/dev", old=one)
    with pytest.raises(Moved):
        mirror.push(one, "refs/heads/env/dev", old=one)
    assert remote.resolve("refs/heads/env/dev") == two


def test_a_remote_that_is_away_is_an_error_not_a_move(mirror: Git, tmp_path: Path) -> None:
    away = Git(mirror.directory, url=str(tmp_path / "nowhere.git"))
    one = write(mirror, {"a": b"1"})
    with pytest.raises(GitError) as caught:
        away.push(one, "refs/heads/x", old=None)
    assert not isinstance(caught.value, Moved)


def test_log_gives_trailers(mirror: Git) -> None:
    sha = write(mirror, {"a": b"1"}, message='Deploy\n\nGhapp-App: web\nGhapp-Reason: "quoted" ✓\n')
    (commit,) = mirror.commits(sha)
    assert (commit.subject, commit.trailer("ghapp-app"), commit.at) == ("Deploy", "web", WHEN)
    assert commit.trailer("Ghapp-Reason") == '"quoted" ✓'


def test_checkout_has_no_git_folder_and_runs_no_hook(mirror: Git, tmp_path: Path) -> None:
    hook = mirror.directory / "hooks/post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    sha = write(mirror, {"a/b": b"1"})
    mirror.checkout(sha, tmp_path / "out")
    assert subprocess.check_output(["find", ".", "-type", "f"], cwd=tmp_path / "out", text=True) == "./a/b\n"
    assert not (tmp_path / "ran").exists()
