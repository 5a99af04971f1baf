"""Facts and questions in one line each, so that the tables of these tests hold nothing but what they are about.

Facts are written as in a facts file, with short cuts: a number for a time is minutes after the pull request was opened,
commits follow one another and are committed by their author, a review approves the head at minute 60.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ghapp.approvals import factsfile
from policies.approval.case import CannotJudge, Case
from policies.approval.evaluate import evaluate
from policies.approval.facts import Facts
from policies.approval.parse import parse
from policies.approval.result import Outcome, Result

START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = START + timedelta(days=1)
MEMBERS = {
    "author": "alice",
    "org_members": {"acme": ["alice", "bob", "carol"]},
    "team_members": {"acme/sre": ["bob", "carol"], "acme/dev": ["dave"]},
    "permissions": {"alice": "write", "bob": "admin", "carol": "read", "dave": "maintain"},
}
PULL = {
    "repository": "acme/web",
    "number": 7,
    "base_branch": "main",
    "head_branch": "feature",
    "title": "fix: a thing",
    "state": "open",
    "created_at": 0,
}
TIMES = ("created_at", "edited_at", "submitted_at", "pushed_at", "updated")


def _timed(value: Any) -> Any:
    if isinstance(value, list):
        return [_timed(item) for item in value]
    if not isinstance(value, dict):
        return value
    minutes = {k: v for k, v in value.items() if k in TIMES and isinstance(v, int)}
    moments = {k: (START + timedelta(minutes=v)).isoformat() for k, v in minutes.items()}
    return {k: _timed(v) for k, v in value.items()} | moments


def make_facts(**given: Any) -> Facts:
    """alice opened pull request 7 in acme/web; its one commit, c1, is hers and was pushed at minute 10."""
    commits: list[dict[str, Any]] = []
    for commit in given.pop("commits", [{"oid": "c1", "pushed_at": 10}]):
        written = {"author_login": "alice", "parents": [commits[-1]["oid"] if commits else "base"]} | commit
        commits.append({"committer_login": written["author_login"]} | written)
    head = given.pop("head_sha", commits[-1]["oid"] if commits else "")
    reviews = [
        {"state": "APPROVED", "submitted_at": 60, "commit_oid": head} | review for review in given.pop("reviews", [])
    ]
    comments = [{"body": ":+1:", "created_at": 60} | comment for comment in given.pop("comments", [])]
    parts = {"commits": commits, "reviews": reviews, "comments": comments, "head_sha": head}
    return factsfile.parse(_timed(PULL | MEMBERS | given | parts))


@pytest.fixture
def facts() -> Callable[..., Facts]:
    return make_facts


@pytest.fixture
def holds() -> Callable[..., bool | str]:
    """Whether the predicate ``key: value`` holds of the facts; its sentence where it cannot be judged."""

    def ask(key: str, value: Any, about: dict[str, Any]) -> bool | str:
        rule = {"name": "r", "if": {key: value}}
        policy = parse(json.dumps({"policy": {"approval": ["r"]}, "approval_rules": [rule]}))
        (predicate,) = policy.rules[0].when
        try:
            finding = predicate.judge(Case(make_facts(**about), NOW))
        except CannotJudge as e:
            return str(e)
        assert finding.key == key
        assert finding.sentence
        return finding.satisfied

    return ask


Judged = Callable[..., Result]


@pytest.fixture
def judged() -> Judged:
    """The result of a policy written as data: rules by name, and what has to approve (all rules if not said)."""

    def ask(
        rules: dict[str, dict[str, Any]], about: dict[str, Any], *, approval: list[Any] | None = None, **policy: Any
    ) -> Result:
        tree = {"approval": approval if approval is not None else list(rules), **policy}
        listed = [{"name": name, **rule} for name, rule in rules.items()]
        return evaluate(parse(json.dumps({"policy": tree, "approval_rules": listed})), make_facts(**about), NOW)

    return ask


@pytest.fixture
def rule(judged: Judged) -> Callable[..., Result]:
    """The result of one rule."""

    def ask(written: dict[str, Any], about: dict[str, Any], **policy: Any) -> Result:
        return judged({"r": written}, about, **policy).children[0].children[0]

    return ask


@pytest.fixture
def approves(rule: Callable[..., Result]) -> Callable[..., bool]:
    """Whether the rule, given a count of 1 and everybody as actors unless it says otherwise, is approved."""

    def ask(
        options: dict[str, Any], about: dict[str, Any], requires: dict[str, Any] | None = None, **policy: Any
    ) -> bool:
        wanted = {"count": 1, "users": ["alice", "bob", "carol", "dave"]} if requires is None else requires
        result = rule({"options": options, "requires": wanted}, about, **policy)
        assert result.outcome in (Outcome.APPROVED, Outcome.PENDING), result.sentence
        return result.outcome is Outcome.APPROVED

    return ask
