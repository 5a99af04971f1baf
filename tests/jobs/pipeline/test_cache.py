"""Caches: found again by content, never by a release what a branch has written, bounded."""

from __future__ import annotations

import os
import tarfile
from dataclasses import replace
from pathlib import Path

from ghapp.config.model import Cache
from jobs.pipeline.cache import Caches, drop_oldest
from jobs.pipeline.order import Order
from jobs.pipeline.triggers import Occasion
from jobs.subjects import Ask
from tests.jobs.pipeline.conftest import Lane

RELEASE = Order(
    7, "acme/web", "a" * 40, "web", 1, ".ghapp.yml", "a" * 40, Occasion("push", branch="main"), release=True
)  # fmt: skip
BRANCH = replace(RELEASE, release=False)
DEPS = (Cache(name="deps", paths=("deps",), key=("lock",)),)


def checkout(root: Path, lock: str = "1", **files: str) -> Path:
    root.mkdir(parents=True)
    (root / "lock").write_text(lock)
    for name, text in files.items():
        (root / "deps").mkdir(exist_ok=True)
        (root / "deps" / name).write_text(text)
    return root


def restored(folder: Path, order: Order, root: Path) -> str | None:
    Caches(folder, order, DEPS, root).restore()
    return (root / "deps" / "a").read_text() if (root / "deps" / "a").exists() else None


def test_what_was_kept_is_found_again_under_the_same_key(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    root = checkout(tmp_path / "one")
    caches = Caches(cache, RELEASE, DEPS, root)
    assert caches.restore() == []
    (root / "deps").mkdir()
    (root / "deps" / "a").write_text("kept")
    (root / "deps" / "link").symlink_to("a")
    (root / "lock").write_text("changed by a step")
    assert caches.save() == ["deps"]
    assert restored(cache, RELEASE, checkout(tmp_path / "two")) == "kept"
    assert (tmp_path / "two" / "deps" / "link").is_symlink()
    assert restored(cache, RELEASE, checkout(tmp_path / "three", lock="2")) is None
    assert restored(cache, replace(RELEASE, ignore_cache=True), checkout(tmp_path / "four")) is None
    assert restored(cache, replace(RELEASE, repository=8), checkout(tmp_path / "five")) is None


def test_a_branch_reads_what_a_release_kept_but_not_the_other_way_round(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    Caches(cache, BRANCH, DEPS, checkout(tmp_path / "evil", a="poisoned")).save()
    assert restored(cache, RELEASE, checkout(tmp_path / "one")) is None
    Caches(cache, RELEASE, DEPS, checkout(tmp_path / "good", a="good")).save()
    assert restored(cache, RELEASE, checkout(tmp_path / "two")) == "good"
    (branch_cache,) = cache.rglob("branch/*.tar")
    branch_cache.unlink()
    assert restored(cache, BRANCH, checkout(tmp_path / "three")) == "good"


def test_code_of_strangers_has_no_cache(tmp_path: Path) -> None:
    cache, stranger = tmp_path / "cache", replace(BRANCH, trusted=False)
    Caches(cache, RELEASE, DEPS, checkout(tmp_path / "good", a="good")).save()
    assert restored(cache, stranger, checkout(tmp_path / "one")) is None
    assert Caches(cache, stranger, DEPS, checkout(tmp_path / "two", a="x")).save() == []


def test_a_cache_that_leads_out_of_the_checkout_is_dropped(tmp_path: Path) -> None:
    cache, root = tmp_path / "cache", checkout(tmp_path / "one")
    caches = Caches(cache, RELEASE, DEPS, root)
    (root / "deps").mkdir()
    (root / "deps" / "a").symlink_to("/etc/passwd")
    caches.save()
    target = checkout(tmp_path / "two")
    assert Caches(cache, RELEASE, DEPS, target).restore() == []
    assert not (target / "deps" / "a").is_symlink()
    assert list(cache.rglob("*.tar")) == []


def test_the_longest_unused_go_first(tmp_path: Path) -> None:
    for i in range(4):
        file = tmp_path / "x" / f"{i}.tar"
        file.parent.mkdir(exist_ok=True)
        with tarfile.open(file, "w"):
            pass
        os.utime(file, (1000 + i, 1000 + i))
    size = file.stat().st_size
    drop_oldest(tmp_path, 2 * size)
    assert sorted(p.name for p in tmp_path.rglob("*.tar")) == ["2.tar", "3.tar"]


def test_a_run_finds_what_the_run_before_has_kept(lane: Lane) -> None:
    config = (
        "version: 1\napp: web\npipeline:\n"
        "  cache: [{name: deps, paths: [deps], key: [lock]}]\n"
        "  before: [{run: 'ls deps 2>/dev/null || true; mkdir -p deps; touch deps/made-$GHAPP_RUN'}]\n"
    )
    first = lane.push({".ghapp.yml": config, "lock": "1"})
    second = lane.push({"x": "1"})
    run = lane.checks(second)["ghapp / web / before"]
    assert lane.log(run["external_id"], "before-0") == f"made-{lane.id}-{first[:12]}-web-1\n"
    assert "found in the cache: deps" in run["output"]["summary"]
    lane.look(second, Ask("command", "test", "ada", "c1", {"rest": "web no-cache"}))
    again = lane.checks(second)["ghapp / web / before"]["external_id"]
    assert again.endswith("-2")
    assert lane.log(again, "before-0") == ""
