"""Routing as a table, and every payload that GitHub publishes as an example."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from jobs.routing import EVENTS, route, routed
from jobs.subjects import Ask

ROOT = Path(__file__).parents[2]
EXAMPLES = "7.6.1"
A, B, Z = "a" * 40, "b" * 40, "0" * 40
REPOSITORY = {"id": 7, "name": "web", "full_name": "acme/web", "default_branch": "main"}
INSTALLATION = {"id": 9}


def at(**more: Any) -> dict[str, Any]:
    return {"repository": REPOSITORY, "installation": INSTALLATION, "sender": {"login": "alice"}, **more}


def push(ref: str, after: str = B, files: list[str] | None = None, **more: Any) -> dict[str, Any]:
    commits = [{"added": [], "removed": [], "modified": files or []}]
    return at(ref=ref, before=A, after=after, commits=commits, **more)


def pull(head: str = "feature", number: int = 3, repository: int = 7) -> dict[str, Any]:
    return at(pull_request={"number": number, "head": {"sha": B, "ref": head, "repo": {"id": repository}}})


def check_run(**run: Any) -> dict[str, Any]:
    return at(check_run={"head_sha": B, "external_id": "run-1", "app": {"id": 1}, "pull_requests": [], **run})


GITHUB = {"repository": {**REPOSITORY, "name": ".github"}}
COMMENT = {"comment": {"id": 55}, "issue": {"number": 3, "pull_request": {}}}
STATUS = {"sha": B, "branches": [{"name": "ghapp/promote/prod/shop"}, {"name": "main"}]}
DEPLOYED = {"deployment": {"environment": "prod", "payload": {"app": "shop"}}}

TABLE: list[tuple[str, str, dict[str, Any], list[str]]] = [
    # push
    ("push", "", push("refs/heads/main"), [f"commit/7/{B}"]),
    ("push", "", push("refs/heads/main", files=["src/a.py"]), [f"commit/7/{B}"]),
    ("push", "", push("refs/heads/main", files=["svc/.ghapp.yml"]), [f"commit/7/{B}", "repository/7"]),
    ("push", "", push("refs/heads/main", files=[".ghapp/policies/w.yml"]), [f"commit/7/{B}", "repository/7"]),
    ("push", "", push("refs/heads/feature", files=[".ghapp.yml"]), [f"commit/7/{B}"]),
    (
        "push",
        "",
        push("refs/heads/main", files=[".ghapp/policies/w.yml"]) | GITHUB,
        [f"commit/7/{B}", "installation/9"],
    ),
    ("push", "", push("refs/heads/feature", after=Z, deleted=True), [f"commit/7/{A}"]),
    ("push", "", push("refs/tags/v1", head_commit={"id": A}), [f"commit/7/{A}"]),
    ("push", "", push("refs/tags/v1"), [f"commit/7/{B}"]),
    ("push", "", push("refs/heads/env/prod", files=["shop/a.yaml", ".ghapp/shop.json"]), ["environment/7/shop/prod"]),
    ("push", "", push("refs/heads/env/prod", files=["shop/a.yaml"]), ["repository/7"]),
    ("push", "", push("refs/heads/ghapp/promote/prod/shop"), []),
    ("push", "", push("refs/heads/env/prod", after=Z, deleted=True), ["repository/7"]),
    # create and delete
    ("create", "", at(ref="env/prod", ref_type="branch"), ["repository/7"]),
    ("create", "", at(ref="v1", ref_type="tag"), []),
    ("delete", "", at(ref="env/prod", ref_type="branch"), ["repository/7"]),
    # pull requests
    ("pull_request", "opened", pull(), ["pull/7/3", f"commit/7/{B}"]),
    ("pull_request", "synchronize", pull(), ["pull/7/3", f"commit/7/{B}"]),
    ("pull_request", "converted_to_draft", pull(), ["pull/7/3"]),
    ("pull_request", "enqueued", pull(), ["pull/7/3"]),
    ("pull_request", "closed", pull("ghapp/promote/prod/shop"), ["pull/7/3", "environment/7/shop/prod"]),
    ("pull_request", "opened", pull("ghapp/promote/prod/shop"), ["pull/7/3"]),
    ("pull_request", "opened", pull("ghapp/promote/prod/shop", repository=8), ["pull/7/3", f"commit/7/{B}"]),
    ("pull_request", "closed", pull("ghapp/promote/prod/shop", repository=8), ["pull/7/3", f"commit/7/{B}"]),
    ("pull_request", "assigned", pull(), []),
    ("pull_request", "review_requested", pull(), []),
    ("pull_request_review", "submitted", pull(), ["pull/7/3"]),
    ("pull_request_review", "dismissed", pull(), ["pull/7/3"]),
    # comments
    ("issue_comment", "created", at(**COMMENT), ["comment/7/55", "pull/7/3"]),
    ("issue_comment", "edited", at(**COMMENT), ["pull/7/3"]),
    ("issue_comment", "created", at(comment={"id": 55}, issue={"number": 3}), []),
    # checks and statuses
    ("check_run", "rerequested", check_run(), [f"commit/7/{B}"]),
    ("check_run", "requested_action", check_run(), [f"commit/7/{B}"]),
    ("check_run", "completed", check_run(app={"id": 2}), [f"commit/7/{B}"]),
    (
        "check_run",
        "completed",
        check_run(app={"id": 2}, pull_requests=[{"number": 3}, {"number": 4}]),
        ["pull/7/3", "pull/7/4"],
    ),
    (
        "check_run",
        "completed",
        check_run(app={"id": 2}, check_suite={"head_branch": "ghapp/promote/prod/shop"}),
        ["environment/7/shop/prod"],
    ),
    ("check_run", "completed", check_run(app={"id": 1}, pull_requests=[{"number": 3}]), []),
    ("check_run", "created", check_run(app={"id": 2}), []),
    ("check_suite", "rerequested", at(check_suite={"head_sha": B}), [f"commit/7/{B}"]),
    ("check_suite", "requested", at(check_suite={"head_sha": B}), []),
    ("check_suite", "completed", at(check_suite={"head_sha": B}), []),
    ("status", "", at(**STATUS), ["environment/7/shop/prod"]),
    ("status", "", at(sha=B, branches=[{"name": "main"}]), [f"commit/7/{B}"]),
    ("status", "", at(sha=B, context="ghapp / agent / prod", branches=[{"name": "env/prod"}]), []),
    ("merge_group", "checks_requested", at(merge_group={"head_sha": B}), [f"commit/7/{B}"]),
    ("merge_group", "destroyed", at(merge_group={"head_sha": B}), [f"commit/7/{B}"]),
    # deployments
    ("deployment_status", "created", at(**DEPLOYED), ["environment/7/shop/prod"]),
    ("deployment_status", "created", at(deployment={"environment": "prod", "payload": ""}), ["repository/7"]),
    # calls from outside, repositories, people
    ("repository_dispatch", "build", at(branch="main", client_payload={"x": 1}), ["repository/7"]),
    ("repository", "renamed", at(), ["repository/7"]),
    ("repository", "archived", at(), ["repository/7"]),
    ("installation", "created", at(), ["installation/9"]),
    ("installation", "deleted", at(), ["installation/9"]),
    (
        "installation_repositories",
        "added",
        at(repositories_added=[{"id": 1}, {"id": 2}]),
        ["repository/1", "repository/2"],
    ),
    ("installation_repositories", "removed", at(repositories_removed=[{"id": 1}]), ["repository/1"]),
    (
        "installation_repositories",
        "added",
        at(repositories_added=[{"id": n} for n in range(1, 99)]),
        ["installation/9"],
    ),
    ("membership", "added", at(), ["installation/9"]),
    ("team", "edited", at(), ["installation/9"]),
    ("organization", "member_removed", at(), ["installation/9"]),
    # nothing to look at
    ("github_app_authorization", "revoked", at(), []),
    ("ping", "", at(), []),
    ("star", "created", at(), []),
    ("push", "", {}, []),
    ("push", "", at(ref=5, after={}), []),
    ("push", "", push("refs/heads/main", after="../../etc"), []),
    ("pull_request", "opened", at(pull_request={"number": "3; drop", "head": None}), []),
    ("issue_comment", "created", at(issue={"number": True, "pull_request": {}}, comment=[]), []),
]


@pytest.mark.parametrize(("event", "action", "payload", "expected"), TABLE)
def test_table(event: str, action: str, payload: dict[str, Any], expected: list[str]) -> None:
    assert [str(subject) for subject in route(event, action, payload, app_id=1)] == expected


@pytest.mark.parametrize(
    ("event", "action", "payload", "ask"),
    [
        (
            "check_run",
            "rerequested",
            check_run(name="ghapp / web / before"),
            Ask("rerun", "run-1", "alice", data={"name": "ghapp / web / before"}),
        ),
        (
            "check_run",
            "requested_action",
            check_run() | {"requested_action": {"identifier": "cancel"}},
            Ask("action", "run-1", "alice", data={"identifier": "cancel", "name": ""}),
        ),
        ("check_suite", "rerequested", at(check_suite={"head_sha": B}), Ask("rerun_failed", "", "alice")),
        (
            "repository_dispatch",
            "build",
            at(branch="main", client_payload={"x": 1}),
            Ask("dispatch", "build", "alice", data={"branch": "main", "client_payload": {"x": 1}}),
        ),
        (
            "repository_dispatch",
            "build",
            at(branch="main", client_payload={"x": "y" * 20_000}),
            Ask("dispatch", "build", "alice", data={"branch": "main", "client_payload": {}}),
        ),
        ("membership", "removed", at(), Ask("members", "", "alice")),
        ("push", "", push("refs/heads/main"), None),
    ],
)
def test_what_was_asked_travels_along(event: str, action: str, payload: dict[str, Any], ask: Ask | None) -> None:
    assert routed(event, action, payload).ask == ask


def test_every_published_example_is_routed(npm_package: Callable[[str, str], Path]) -> None:
    folder = npm_package("@octokit/webhooks-examples", EXAMPLES)
    somewhere: set[str] = set()
    count = 0
    for index in sorted(folder.glob("*/index.json")):
        for event in json.loads(index.read_text()):
            for payload in event["examples"]:
                count += 1
                if route(event["name"], payload.get("action") or "", payload):
                    somewhere.add(event["name"])
    assert count > 500
    # The examples of these are about tags, an issue that is no pull request, and a person, of whom nothing is kept.
    assert set(EVENTS) - somewhere == {"create", "delete", "issue_comment", "github_app_authorization"}


def test_the_manifest_subscribes_to_what_is_routed_and_nothing_else() -> None:
    manifest = yaml.safe_load((ROOT / "app.yml").read_text())
    # GitHub sends these to every app; they cannot be subscribed to.
    always = {"installation", "installation_repositories", "github_app_authorization"}
    assert set(manifest["default_events"]) == set(EVENTS) - always


def test_the_documentation_gives_a_reason_for_each_permission_and_event() -> None:
    manifest = yaml.safe_load((ROOT / "app.yml").read_text())
    page = (ROOT / "docs" / "github-app.md").read_text()
    for name, level in manifest["default_permissions"].items():
        assert f"| `{name}` | {level} | " in page
    for event in EVENTS:
        assert f"`{event}`" in page.split("## Events")[1]
