"""Triggers as a table: what starts a pipeline, what does not, and what is a mistake."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ghapp.config import parse_app
from ghapp.config.model import App, Schedule, Triggers
from ghapp.evidence.statement import Statement
from jobs.pipeline import schedule, triggers
from jobs.pipeline.triggers import Occasion, Pull

PULL = Pull(7, "feat: a title", "ada", "feature", "main", labels=("ready", "big"))


def push(branch: str = "main", **more: Any) -> Occasion:
    return Occasion("push", branch=branch, author="ada", **more)


def pull(**more: Any) -> Occasion:
    from dataclasses import replace

    return Occasion("pull_request", branch="feature", pull=replace(PULL, **more), author="ada")


def paths(*names: str) -> Occasion:
    return push(paths=frozenset(names))


DOCS = {"push": {"paths": ["**", "!docs/**", "!*.md"]}}


@pytest.mark.parametrize(
    ("on", "occasion", "wanted"),
    [
        ({"push": {}}, push(), True),
        ({"push": {}}, push("any/branch"), True),
        ({}, push(), False),
        ({"push": {"branches": ["main"]}}, push(), True),
        ({"push": {"branches": ["main"]}}, push("mainx"), False),
        ({"push": {"branches": ["release/*"]}}, push("release/1"), True),
        ({"push": {"branches": ["release/*"]}}, push("release/1/2"), False),
        ({"push": {"branches": ["release/**"]}}, push("release/1/2"), True),
        ({"push": {"branches": ["**", "!wip/**"]}}, push("wip/x"), False),
        ({"push": {"branches": ["!wip/**"]}}, push("main"), True),
        ({"push": {"tags": ["v*"]}}, push(), False),
        ({"push": {"tags": ["v*"]}}, Occasion("tag", tag="v1.0"), True),
        ({"push": {"tags": ["v[0-9]*"]}}, Occasion("tag", tag="vx"), False),
        ({"push": {}}, Occasion("tag", tag="v1"), False),
        ({"push": {"branches": ["main"], "tags": ["v*"]}}, push(), True),
        (DOCS, paths("docs/a.md"), False),
        (DOCS, paths("README.md"), False),
        (DOCS, paths("docs/a.md", "src/a.py"), True),
        (DOCS, paths("docs"), True),
        (DOCS, push(paths=None), True),
        (DOCS, push(paths=frozenset()), False),
        ({"push": {"paths": ["src/**"]}}, paths("srcx/a"), False),
        ({"push": {"authors": ["Ada"]}}, push(), True),
        ({"push": {"authors": ["grace"]}}, push(), False),
        ({"push": {"when": "event.branch == 'main' && event.author != 'bot'"}}, push(), True),
        ({"push": {"when": "event.branch.startsWith('release/')"}}, push(), False),
        ({"pull_request": {}}, pull(), True),
        ({"push": {}}, pull(), False),
        ({"pull_request": {"branches": ["main"]}}, pull(), True),
        ({"pull_request": {"branches": ["feature"]}}, pull(), False),
        ({"pull_request": {"labels": ["ready"]}}, pull(), True),
        ({"pull_request": {"labels": ["ready", "big"]}}, pull(), True),
        ({"pull_request": {"labels": ["ready", "other"]}}, pull(), False),
        ({"pull_request": {"title": "^feat"}}, pull(), True),
        ({"pull_request": {"title": "^fix"}}, pull(), False),
        ({"pull_request": {"drafts": False}}, pull(draft=True), False),
        ({"pull_request": {"drafts": False}}, pull(draft=False), True),
        ({"pull_request": {}}, pull(draft=True), True),
        ({"pull_request": {"types": ["ready_for_review"]}}, pull(draft=True), False),
        ({"pull_request": {"types": ["ready_for_review"]}}, pull(draft=False), True),
        ({"pull_request": {"types": ["labeled"]}}, pull(labels=()), False),
        ({"pull_request": {"types": ["labeled"], "labels": ["ready"]}}, pull(), True),
        ({"pull_request": {}}, pull(open=False), False),
        ({"pull_request": {"types": ["closed"]}}, pull(open=False), True),
        ({"pull_request": {"when": "event.pull_request.title.contains('title')"}}, pull(), True),
        ({"pull_request": {"when": "'big' in event.pull_request.labels"}}, pull(), True),
        ({"merge_group": {}}, Occasion("merge_group", branch="gh-readonly-queue/main/pr-1"), True),
        ({"push": {}}, Occasion("merge_group", branch="gh-readonly-queue/main/pr-1"), False),
        ({}, Occasion("comment"), True),
        ({}, Occasion("dispatch"), False),
        ({"dispatch": {}}, Occasion("dispatch"), True),
    ],
)
def test_what_starts_a_pipeline(on: dict[str, Any], occasion: Occasion, wanted: bool) -> None:
    assert triggers.wanted(Triggers.model_validate(on), occasion) is wanted


@pytest.mark.parametrize(
    ("pipeline", "occasion", "released"),
    [
        ({}, push(), True),
        ({}, push("feature"), False),
        ({}, Occasion("tag", tag="v1"), False),
        ({"on": {"push": {"branches": ["main", "release/*"]}}}, push("release/1"), True),
        ({"on": {"push": {"tags": ["v*"]}}}, Occasion("tag", tag="v1"), True),
        ({"on": {"push": {"tags": ["v*"]}}}, push(), False),
        ({"release": {"branches": ["stable"]}}, push(), False),
        ({"release": {"branches": ["stable"]}}, push("stable"), True),
        ({"release": {"tags": ["v*"]}}, push(), False),
        ({}, pull(), False),
        ({}, Occasion("merge_group", branch="gh-readonly-queue/main/x"), False),
        ({}, Occasion("schedule", branch="main"), True),
    ],
)
def test_what_becomes_a_release(pipeline: dict[str, Any], occasion: Occasion, released: bool) -> None:
    app = App.model_validate({"app": "web", "pipeline": pipeline})
    assert triggers.releases(app, occasion, "main") is released


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("push: {branches: ['[a']}", "opens a ["),
        ("push: {paths: ['[z-a]']}", "runs backwards"),
        ("push: {tags: ['']}", "fits nothing"),
        ("pull_request: {title: '(a'}", "is not an RE2 pattern"),
        ("pull_request: {title: '(?=a)'}", "is not an RE2 pattern"),
        ("push: {when: 'event.'}", "is not CEL"),
        ("push: {when: '[1].map(a, [1].map(b, [1].map(c, [1].map(d, d))))'}", "loops more than"),
        ("schedule: [{cron: '61 * * * *'}]", "not a cron expression"),
        ("schedule: [{cron: '0 3 * * *', timezone: Mars/Base}]", "not a time zone"),
    ],
)
def test_a_bad_pattern_is_a_problem_with_its_line(line: str, words: str) -> None:
    file = parse_app(f"version: 1\napp: web\npipeline:\n  on:\n    {line}\n", path=".ghapp.yml")
    (problem,) = triggers.problems(file.app, file.document)
    assert problem.line == 5
    assert words in problem.message


@pytest.mark.parametrize("message", ["x [skip ci]", "[CI SKIP] x", "a\n\n[ci skip]"])
def test_a_message_can_ask_for_no_build(message: str) -> None:
    assert triggers.skipped_by_message(message)
    assert not triggers.skipped_by_message(message.replace("[", "("))


@pytest.mark.parametrize("branch", ["env/prod", "ghapp/promote/prod/web"])
def test_our_own_branches_are_never_built(branch: str) -> None:
    assert triggers.own_branch(branch)
    assert not triggers.own_branch(f"x{branch}")


# --- the clock --------------------------------------------------------------------------------------------
NIGHTLY = Schedule(cron="0 3 * * *", timezone="Europe/Berlin")
THREE = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)  # 03:00 in Berlin


def built(at: datetime, app: str = "web") -> Statement:
    return Statement("step", "1" * 40, {"app": app, "at": at.isoformat(timespec="seconds")})


@pytest.mark.parametrize(
    ("now", "committed", "known", "due"),
    [
        (THREE + timedelta(minutes=1), THREE - timedelta(days=9), [], THREE),
        (THREE - timedelta(minutes=1), THREE - timedelta(days=9), [], None),
        (THREE + timedelta(hours=5), THREE - timedelta(days=9), [], THREE),
        (THREE + timedelta(hours=7), THREE - timedelta(days=9), [], None),
        (THREE + timedelta(minutes=1), THREE + timedelta(seconds=1), [], None),
        (THREE + timedelta(minutes=1), THREE - timedelta(days=9), [built(THREE + timedelta(seconds=9))], None),
        (THREE + timedelta(minutes=1), THREE - timedelta(days=9), [built(THREE - timedelta(hours=9))], THREE),
        (THREE + timedelta(minutes=1), THREE - timedelta(days=9), [built(THREE + timedelta(seconds=9), "b")], THREE),
    ],
)
def test_a_moment_starts_one_build(
    now: datetime, committed: datetime, known: list[Statement], due: datetime | None
) -> None:
    assert schedule.due([NIGHTLY], known, "web", committed, now) == due


def test_the_next_moment_is_in_the_schedules_own_zone() -> None:
    assert schedule.next_moment([NIGHTLY], THREE) == THREE + timedelta(days=1)
    summer = datetime(2026, 7, 1, tzinfo=UTC)
    assert schedule.next_moment([NIGHTLY], summer) == summer.replace(hour=1)
