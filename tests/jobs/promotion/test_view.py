"""What a reconcile sees: releases in the order of history, apps of a monorepo, nothing that is not signed."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ghapp import names
from ghapp.evidence import notes
from ghapp.evidence.notes import Signer
from ghapp.evidence.release import Release
from tests.jobs.promotion.conftest import CONFIG, START, Place


def test_releases_stand_in_the_order_of_their_commits_not_of_their_builds(place: Place) -> None:
    first, second = place.commit({"a": "1"}), place.commit({"a": "2"})
    newer, older = place.release(second), place.release(first)
    assert [r.name for r in place.view().releases("web")] == [older.name, newer.name]


def test_a_history_that_was_forced_back_takes_its_releases_with_it(place: Place) -> None:
    kept = place.view().heads["main"]
    release = place.release(kept)
    place.release(place.commit({"a": "1"}))
    place.remote.run("update-ref", "refs/heads/main", kept)
    assert [r.name for r in place.view().releases("web")] == [release.name]


def test_a_release_that_a_stranger_signed_is_none(place: Place) -> None:
    commit = place.view().heads["main"]
    stranger = Signer(Ed25519PrivateKey.generate())
    notes.append(place.mirror, commit, [Release("web", commit, START).statement()], stranger, START)
    assert place.view().releases("web") == []


def test_a_monorepo_declares_many_apps_and_every_problem_is_told(place: Place) -> None:
    place.commit(
        {
            names.CONFIG_FILE: 'version: 1\napps: ["services/*/.ghapp.yml", "nowhere/*"]\n',
            "services/a/.ghapp.yml": CONFIG.replace("app: web", "app: a"),
            "services/b/.ghapp.yml": CONFIG.replace("app: web", "app: b").replace("plain", "plane"),
            "services/c/.ghapp.yml": CONFIG.replace("app: web", "app: a"),
        }
    )
    view = place.view()
    assert set(view.apps) == {"a"}
    assert {(p.file, p.line) for p in view.problems} == {
        (".ghapp.yml", 1),
        ("services/b/.ghapp.yml", 6),
        ("services/b/.ghapp.yml", 7),
        ("services/c/.ghapp.yml", 1),
    }


def test_a_repository_without_a_configuration_has_no_apps_and_no_problem(place: Place) -> None:
    del place.files[names.CONFIG_FILE]
    place.commit({"README.md": "x"})
    view = place.view()
    assert (dict(view.apps), view.problems) == ({}, ())
