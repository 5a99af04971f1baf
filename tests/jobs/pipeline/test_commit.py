"""From a commit to its check runs, its evidence and its release: real git over HTTP, a real queue, real steps."""

from __future__ import annotations

from tests.jobs.pipeline.conftest import Lane

SIMPLE = "version: 1\napp: web\npipeline:\n  before:\n    - {name: unit tests, run: echo tested}\n"


def test_a_push_is_tested_attested_and_released(lane: Lane) -> None:
    sha = lane.push({".ghapp.yml": SIMPLE})
    check = lane.checks(sha)["ghapp / web / before"]
    assert (check["status"], check["conclusion"]) == ("completed", "success"), check
    assert check["external_id"] == f"{lane.id}-{sha[:12]}-web-1"
    assert check["details_url"] == f"https://ghapp.example/runs/{check['external_id']}"
    assert "unit tests" in check["output"]["summary"]
    assert lane.log(check["external_id"], "before-0") == "tested\n"
    step, release = lane.statements(sha)
    assert (step.predicate["name"], step.predicate["result"]) == ("unit tests", "success")
    assert release.predicate["evidence"] == [step.id]
    assert [r.name for r in lane.releases(sha)] == [release.predicate["release"]]


def test_a_repository_without_a_file_is_met_with_silence(lane: Lane) -> None:
    lane.push({"README.md": "x"})
    calls = sum(lane.github.calls.values())
    sha = lane.push({"README.md": "y"})
    assert lane.checks(sha) == {}
    assert sum(lane.github.calls.values()) == calls
