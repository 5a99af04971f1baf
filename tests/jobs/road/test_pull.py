"""Ordinary pull requests: what their policy says, what merging would change, and how few calls that takes."""

from __future__ import annotations

from typing import Any

from ghapp import names
from jobs import subjects
from tests.jobs.road.conftest import MANIFEST, Road

POLICY = """\
policy:
  approval: [one of us]
approval_rules:
  - name: one of us
    options: {request_review: {enabled: true, mode: all-users}}
    requires: {count: 1, users: [grace, linus]}
"""


def propose(road: Road, files: dict[str, str], *, branch: str = "topic") -> dict[str, Any]:
    """ada's pull request from a branch of the same repository."""
    ada = road.people["ada"]
    ada.git(road.work, "checkout", "--quiet", "-B", branch, "main")
    for path, text in files.items():
        (road.work / path).write_text(text)
    ada.git(road.work, "add", "--all")
    ada.git(road.work, "commit", "--quiet", "--message", "a change")
    ada.git(road.work, "push", "--quiet", "origin", branch)
    ada.git(road.work, "checkout", "--quiet", "main")
    made: dict[str, Any] = ada.post("pulls", {"title": "A change", "head": branch, "base": "main"})
    return made


def checks(road: Road, pull: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {run["name"]: run for run in road.people["ada"].checks(pull["head"]["sha"])}


def test_a_policy_is_judged_reviewers_are_asked_and_an_approval_is_seen(road: Road) -> None:
    road.push({".policy.yml": POLICY})
    pull = propose(road, {"a": "1"})
    subject = subjects.pull(road.id, pull["number"])
    road.reconcile(subject)
    shown = checks(road, pull)[names.CHECK_APPROVAL]
    assert (shown["status"], shown["conclusion"]) == ("in_progress", None)
    asked = road.people["ada"].get(f"pulls/{pull['number']}/requested_reviewers")
    assert {user["login"] for user in asked["users"]} == {"grace", "linus"}
    road.people["grace"].approve(pull["number"])
    road.reconcile(subject)
    assert checks(road, pull)[names.CHECK_APPROVAL]["conclusion"] == "success"


def test_a_policy_that_cannot_be_read_is_an_error_at_its_line(road: Road) -> None:
    road.push({".policy.yml": POLICY.replace("requires:", "require:")})
    pull = propose(road, {"a": "1"})
    road.reconcile(subjects.pull(road.id, pull["number"]))
    shown = checks(road, pull)[names.CHECK_APPROVAL]
    assert shown["conclusion"] == "action_required"
    assert ".policy.yml:6" in shown["output"]["title"]


def test_a_policy_changed_in_the_very_pull_request_is_not_the_one_that_judges_it(road: Road) -> None:
    road.push({".policy.yml": POLICY})
    pull = propose(road, {".policy.yml": "policy: {approval: []}\n"})
    road.reconcile(subjects.pull(road.id, pull["number"]))
    assert checks(road, pull)[names.CHECK_APPROVAL]["status"] == "in_progress"


def test_the_preview_shows_each_environment(road: Road) -> None:
    pull = propose(road, {"deploy/web.yaml": MANIFEST.replace("replicas: 1", "replicas: 4")})
    road.reconcile(subjects.pull(road.id, pull["number"]))
    output = checks(road, pull)[names.CHECK_PREVIEW]["output"]
    assert output["title"] == "changes 3 environments, besides the image"
    assert "`spec.replicas`: `1` → `4`" in output["text"]


def test_a_preview_that_cannot_be_rendered_says_why(road: Road) -> None:
    pull = propose(road, {"deploy/web.yaml": MANIFEST + "---\n" + MANIFEST})
    road.reconcile(subjects.pull(road.id, pull["number"]))
    shown = checks(road, pull)[names.CHECK_PREVIEW]
    assert shown["conclusion"] == "failure"
    assert "Deployment.apps web is rendered 2 times" in shown["output"]["text"]


def test_looking_again_takes_three_calls_and_writes_nothing(road: Road) -> None:
    road.push({".policy.yml": POLICY})
    pull = propose(road, {"a": "1"})
    subject = subjects.pull(road.id, pull["number"])
    road.reconcile(subject)
    road.forge.requests.reset()
    road.once(subject)
    calls = [record for record in road.forge.requests.by(app="ghapp") if "access_tokens" not in record.route]
    assert len(calls) <= 3, calls
    assert all(record.method == "GET" or "graphql" in record.route for record in calls)


def test_a_repository_without_a_policy_gets_no_approval_check(road: Road) -> None:
    pull = propose(road, {"a": "1"})
    road.reconcile(subjects.pull(road.id, pull["number"]))
    assert names.CHECK_APPROVAL not in checks(road, pull)


def test_a_changed_policy_is_replayed_over_what_was_promoted(road: Road) -> None:
    release = road.release(road.push({"a": "1"}))
    road.deploy_everywhere("dev")
    always = "kind: Window\ntype: blackout\nmessage: never\nscope: {environments: [dev]}\nonce: "
    span = "{start: 2020-01-01, end: 2099-01-01}\ntimezone: UTC\n"
    (road.work / ".ghapp/policies").mkdir(parents=True)
    pull = propose(road, {".ghapp/policies/never.yml": always + span})
    road.reconcile(subjects.pull(road.id, pull["number"]))
    output = checks(road, pull)[names.CHECK_POLICY]["output"]
    assert "1 of the 2 promotions of the last 90 days would have been decided otherwise" in output["title"]
    assert release.name in output["text"]


def test_a_broken_policy_is_told_before_it_is_merged(road: Road) -> None:
    (road.work / ".ghapp/policies").mkdir(parents=True)
    pull = propose(road, {".ghapp/policies/odd.yml": "kind: Window\ntyp: blackout\n"})
    road.reconcile(subjects.pull(road.id, pull["number"]))
    shown = checks(road, pull)[names.CHECK_POLICY]
    assert shown["conclusion"] == "action_required"
    assert ".ghapp/policies/odd.yml:2" in shown["output"]["text"]
