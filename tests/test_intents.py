"""Decisions in Git: kept with their history, never lost between two writers."""

from __future__ import annotations

import dataclasses
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ghapp import intents
from ghapp.git import Git, Person
from ghapp.intents import Decision, Intent

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ADA = Person("ada", "ada@example.org")


@pytest.fixture
def remote(tmp_path: Path) -> Git:
    git = Git(tmp_path / "remote.git")
    git.create()
    return git


def mirror(tmp_path: Path, remote: Git, name: str = "mirror") -> Git:
    git = Git(tmp_path / f"{name}.git", url=str(remote.directory))
    git.create()
    return git


def hold(git: Git, app: str = "web", reason: str = "") -> Intent:
    decision = Decision("ada", NOW, reason)
    return intents.change(
        git, "prod", app, lambda i: dataclasses.replace(i, hold=decision), message="hold\n", by=ADA, at=NOW
    )


def test_a_decision_is_kept_and_lifted_and_its_history_stays(tmp_path: Path, remote: Git) -> None:
    git = mirror(tmp_path, remote)
    hold(git, reason='a "quoted" reason ✓\nof two lines')
    other = mirror(tmp_path, remote, "other")
    other.fetch(intents.FETCH)
    assert intents.read(other)["prod", "web"].hold == Decision("ada", NOW, 'a "quoted" reason ✓\nof two lines')
    lifted = intents.change(
        other, "prod", "web", lambda i: dataclasses.replace(i, hold=None), message="unhold\n", by=ADA, at=NOW
    )
    assert lifted.empty
    git.fetch(intents.FETCH)
    assert intents.read(git) == {}
    assert [c.subject for c in git.commits(intents.REF)] == ["unhold", "hold"]


def test_the_same_decision_twice_is_one_commit(tmp_path: Path, remote: Git) -> None:
    git = mirror(tmp_path, remote)
    hold(git)
    hold(git)
    assert len(git.commits(intents.REF)) == 1


def test_two_writers_at_once_lose_nothing(tmp_path: Path, remote: Git) -> None:
    mirrors = [mirror(tmp_path, remote, f"m{i}") for i in range(4)]
    threads = [threading.Thread(target=hold, args=(git, f"app{i}")) for i, git in enumerate(mirrors)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    mirrors[0].fetch(intents.FETCH)
    assert {app for _, app in intents.read(mirrors[0])} == {"app0", "app1", "app2", "app3"}
