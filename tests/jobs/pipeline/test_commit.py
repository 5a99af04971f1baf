"""From a commit to its check runs, its evidence and its release: real git over HTTP, a real queue, real steps."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ghapp.registry import Reference
from ghapp.registry import Registry as Client
from ghapp.sandbox.registry.server import Registry
from jobs import subjects
from jobs.subjects import Ask
from tests.jobs.pipeline.conftest import Lane

SIMPLE = "version: 1\napp: web\npipeline:\n  before:\n    - {name: unit tests, run: echo tested}\n"
BEFORE, IMAGE, AFTER = (f"ghapp / web / {stage}" for stage in ("before", "image", "after"))


def config(pipeline: str) -> dict[str, str | None]:
    return {".ghapp.yml": f"version: 1\napp: web\npipeline:\n{pipeline}"}


# --- the usual road ---------------------------------------------------------------------------------
def test_a_push_is_tested_attested_and_released(lane: Lane) -> None:
    sha = lane.push({".ghapp.yml": SIMPLE})
    check = lane.checks(sha)[BEFORE]
    assert (check["status"], check["conclusion"]) == ("completed", "success"), check
    assert check["external_id"] == f"{lane.id}-{sha[:12]}-web-1"
    assert check["details_url"].startswith(f"https://ghapp.example/runs/{check['external_id']}?key=")
    assert "unit tests" in check["output"]["summary"]
    assert lane.log(check["external_id"], "before-0") == "tested\n"
    step, release = lane.statements(sha)
    assert (step.predicate["name"], step.predicate["result"]) == ("unit tests", "success")
    assert release.predicate["evidence"] == [step.id]
    assert [r.name for r in lane.releases(sha)] == [release.predicate["release"]]


def test_what_a_push_costs(lane: Lane) -> None:
    lane.push({".ghapp.yml": SIMPLE})
    sha = lane.push({"README.md": "x"}, look=False)
    lane.forget_calls()
    lane.queue.enqueue(subjects.commit(lane.id, sha))
    lane.work_off("reconcile")
    assert len(lane.calls()) <= 4, lane.calls()
    lane.forget_calls()
    lane.work_off("pipeline")
    assert len(lane.calls()) <= 3, lane.calls()


def test_a_second_look_writes_nothing(lane: Lane) -> None:
    sha = lane.push({".ghapp.yml": SIMPLE})
    lane.forget_calls()
    lane.look(sha)
    assert [call for call in lane.calls() if not call.startswith("GET")] == []
    assert len(lane.releases(sha)) == 1


def test_an_image_is_built_pushed_tagged_and_released_by_digest(make_lane: Callable[..., Lane], tmp_path: Path) -> None:
    with Registry(tmp_path / "registry") as registry:
        host = registry.address
        lane = make_lane(GHAPP_PLAIN_HTTP_REGISTRIES=host)
        pipeline = (
            "  before: [{run: 'true'}]\n"
            f"  image: {{repository: {host}/acme/web, files: {{/app: app}}, entrypoint: [/app/run], "
            "tags: ['{commit}', '{branch}']}\n"
            "  after: [{run: 'echo image=$GHAPP_IMAGE'}]\n"
        )
        sha = lane.push({**config(pipeline), "app/run": "#!/bin/sh\n"})
        assert lane.ends(sha) == {BEFORE: "success", IMAGE: "success", AFTER: "success"}, lane.checks(sha)
        (release,) = lane.releases(sha)
        (digest,) = release.images.values()
        assert release.tags == (sha, "main")
        client = Client(host)
        assert client.digest(Reference(host, "acme/web", tag=sha)) == digest
        assert client.digest(Reference(host, "acme/web", tag="main")) == digest
        assert f"image={host}/acme/web@{digest}" in lane.log(f"{lane.id}-{sha[:12]}-web-1", "after-0")


def test_a_failing_step_stops_what_follows_and_shows_its_last_lines(lane: Lane) -> None:
    pipeline = "  before:\n    - {name: tests, run: 'echo \\`\\`\\` oops; exit 2'}\n  after:\n    - {run: 'true'}\n"
    sha = lane.push(config(pipeline))
    checks = lane.checks(sha)
    assert lane.ends(sha) == {BEFORE: "failure", AFTER: "cancelled"}
    assert checks[BEFORE]["output"]["title"] == "tests: exit status 2"
    assert "````\n``` oops" in checks[BEFORE]["output"]["text"]
    assert checks[AFTER]["output"]["title"] == "not run: an earlier stage failed"
    assert lane.releases(sha) == []
    assert {s.predicate["result"] for s in lane.statements(sha)} == {"failure", "skipped"}


def test_an_app_with_nothing_to_build_is_released_as_it_is(lane: Lane) -> None:
    sha = lane.push({".ghapp.yml": "version: 1\napp: web\n"})
    assert lane.checks(sha) == {}
    (release,) = lane.releases(sha)
    assert (release.images, release.ref) == ({}, "refs/heads/main")


def test_a_branch_that_releases_nothing_is_tested_only(lane: Lane) -> None:
    lane.push({".ghapp.yml": SIMPLE})
    sha = lane.push({"x": "y"}, branch="feature")
    assert lane.ends(sha) == {BEFORE: "success"}
    assert lane.releases(sha) == []


def test_every_app_of_a_monorepo_runs_for_itself(lane: Lane) -> None:
    app = "version: 1\napp: {}\npipeline: {{before: [{{run: '{}'}}]}}\n"
    sha = lane.push(
        {
            ".ghapp.yml": "version: 1\napps: ['services/*/.ghapp.yml']\n",
            "services/one/.ghapp.yml": app.format("one", "true"),
            "services/two/.ghapp.yml": app.format("two", "false"),
        }
    )
    assert lane.ends(sha) == {"ghapp / one / before": "success", "ghapp / two / before": "failure"}
    assert [r.app for r in lane.releases(sha)] == ["one"]


def test_only_apps_whose_paths_changed_are_built(lane: Lane) -> None:
    pipeline = "  on: {push: {branches: [main], paths: ['**', '!docs/**']}}\n  before: [{run: 'true'}]\n"
    lane.push(config(pipeline))
    assert lane.ends(lane.push({"docs/a.md": "x"})) == {}
    assert lane.ends(lane.push({"docs/a.md": "y", "src": "y"})) == {BEFORE: "success"}


# --- silence and refusals -----------------------------------------------------------------------------
def test_a_repository_without_a_file_is_met_with_silence(lane: Lane) -> None:
    lane.push({"README.md": "x"})
    lane.forget_calls()
    sha = lane.push({"README.md": "y"})
    assert lane.calls() == []
    assert lane.checks(sha) == {}


def test_everything_that_is_wrong_is_in_one_check(lane: Lane) -> None:
    pipeline = (
        "  on: {push: {branches: ['[oops']}}\n"
        "  before:\n"
        "    - {uses: gitleak}\n"
        "    - {uses: trivy, with: {scannerz: [vuln]}}\n"
        "    - {run: make, secrets: [DEPLOY_KEY]}\n"
        "    - {run: 'echo ${{ event.branch }}'}\n"
        "    - {run: 'true', when: 'a =='}\n"
        "  resources: huge\n"
    )
    sha = lane.push(config(pipeline))
    assert lane.ends(sha) == {"ghapp / config": "failure"}
    check = lane.checks(sha)["ghapp / config"]
    summary = check["output"]["summary"].replace("\\", "")
    for words in (
        ":4", "opens a [", ":6", "did you mean", "gitleaks", ":7", "no input 'scannerz'", ":8", "DEPLOY_KEY",
        ":9", "in a script", ":10", "is not CEL", ":11", "build profile 'huge' does not exist",
    ):  # fmt: skip
        assert words in summary, (words, summary)
    assert check["output"]["annotations_count"] == 7
    assert check["output"]["title"] == "7 problems to mend"


def test_a_file_that_is_no_yaml_and_one_that_was_mended(lane: Lane) -> None:
    sha = lane.push({".ghapp.yml": "app: [\n"})
    assert lane.ends(sha) == {"ghapp / config": "failure"}
    assert lane.ends(lane.push({".ghapp.yml": SIMPLE})) == {BEFORE: "success"}


def test_a_secret_that_was_stored_since_turns_the_check_green(lane: Lane) -> None:
    sha = lane.push(config("  before: [{run: 'test $KEY = x', secrets: [KEY]}]\n"))
    assert lane.ends(sha) == {"ghapp / config": "failure"}
    folder = lane.secrets / lane.full_name
    folder.mkdir(parents=True)
    (folder / "KEY").write_text("x")
    lane.look(sha)
    assert lane.ends(sha) == {"ghapp / config": "success", BEFORE: "success"}


@pytest.mark.parametrize("mark", ["[skip ci]", "[ci skip]", "[Skip CI]"])
def test_a_commit_that_asks_for_no_build_gets_a_neutral_check(lane: Lane, mark: str) -> None:
    sha = lane.push({".ghapp.yml": SIMPLE}, message=f"docs {mark}")
    assert lane.ends(sha) == {BEFORE: "neutral"}
    assert "skip" in lane.checks(sha)[BEFORE]["output"]["title"].lower()
    assert lane.releases(sha) == []
    lane.look(sha, Ask("command", "test", "ada", "comment-1", {"rest": ""}))
    assert lane.ends(sha) == {BEFORE: "success"}


# --- pull requests ------------------------------------------------------------------------------------
def test_a_commit_that_is_pushed_and_proposed_is_built_once(lane: Lane) -> None:
    lane.push({".ghapp.yml": SIMPLE})
    sha = lane.push({"x": "1"}, branch="feature")
    lane.open_pull("feature")
    lane.look(sha)
    assert lane.checks(sha)[BEFORE]["external_id"].endswith("-web-1")
    assert len(lane.people["ada"].get(f"commits/{sha}/check-runs", filter="all")["check_runs"]) == 1


def test_a_commit_tested_in_a_pull_request_is_released_when_it_lands(lane: Lane) -> None:
    lane.push({".ghapp.yml": SIMPLE})
    sha = lane.push({"x": "1"}, branch="feature")
    assert lane.releases(sha) == []
    lane.people["ada"].git(lane.work, "push", "--quiet", "origin", "feature:main")
    lane.look(sha)
    (release,) = lane.releases(sha)
    assert release.ref == "refs/heads/main"
    assert lane.checks(sha)[BEFORE]["external_id"].endswith("-web-1")


EVIL = "version: 1\napp: web\npipeline: {before: [{run: 'env; exit 0', permissions: {contents: write}}]}\n"


def test_a_fork_runs_nothing_until_somebody_who_may_has_said_so(lane: Lane) -> None:
    lane.push({".ghapp.yml": SIMPLE})
    sha, number = lane.fork({".ghapp.yml": EVIL, "x": "y"})
    lane.look(sha)
    check = lane.checks(sha)[BEFORE]
    assert check["conclusion"] == "action_required"
    assert f"/ok-to-test {sha}" in check["output"]["summary"]
    for login, words in (
        ("mallory", f"/ok-to-test {sha}"),
        ("eve", f"/ok-to-test {sha}"),
        ("ada", "/ok-to-test"),
        ("ada", f"/ok-to-test {sha[:12]}"),
        ("ada", f"/ok-to-test {'0' * 40}"),
        ("ada", f"> /ok-to-test {sha}"),
        ("ada", f"```\n/ok-to-test {sha}\n```"),
        ("ada", f"please /ok-to-test {sha}"),
    ):
        lane._person(login, lane.full_name).comment(number, words)
        lane.look(sha)
        assert lane.ends(sha) == {BEFORE: "action_required"}, (login, words)
    lane.people["ada"].comment(number, f"fine by me\n\n/ok-to-test {sha}")
    lane.look(sha)
    assert lane.ends(sha) == {BEFORE: "success"}
    log = lane.log(lane.checks(sha)[BEFORE]["external_id"], "before-0")
    assert "tested" in log  # the pipeline of the base branch, not of the fork
    assert lane.statements(sha) == []


def test_an_approval_of_a_fork_is_for_that_commit_alone(lane: Lane) -> None:
    lane.push({".ghapp.yml": SIMPLE})
    sha, number = lane.fork({"x": "y"})
    lane.people["ada"].comment(number, f"/ok-to-test {sha}")
    lane.look(sha)
    work = lane.folder / "fork-mallory"
    (work / "x").write_text("worse")
    git = lane.people["mallory"].git
    git(work, "commit", "--quiet", "--all", "--message", "more")
    git(work, "push", "--quiet", "origin", "evil")
    worse = git(work, "rev-parse", "HEAD")
    lane.look(worse)
    assert lane.ends(worse) == {BEFORE: "action_required"}


# --- what people ask for --------------------------------------------------------------------------------
FLAKY = (
    "  before: [{run: 'true'}]\n"
    '  after:\n    - {name: flaky, run: \'test -e /usr/bin/ls && test "$GHAPP_RUN" != "${GHAPP_RUN%-1}x" && '
    "case $GHAPP_RUN in *-1) exit 1;; esac'}\n"
)


def rerun(lane: Lane, sha: str, stage: str, *, by: str = "ada") -> None:
    check = lane.checks(sha)[stage]
    lane.look(sha, Ask("rerun", check["external_id"], by, data={"name": check["name"]}))


def test_a_stage_is_run_again_and_makes_the_release(lane: Lane) -> None:
    sha = lane.push(config(FLAKY))
    assert lane.ends(sha) == {BEFORE: "success", AFTER: "failure"}
    rerun(lane, sha, AFTER)
    checks = lane.checks(sha)
    assert lane.ends(sha) == {BEFORE: "success", AFTER: "success"}
    assert (checks[BEFORE]["external_id"][-2:], checks[AFTER]["external_id"][-2:]) == ("-1", "-2")
    assert len(lane.releases(sha)) == 1


def test_the_same_wish_twice_is_one_run(lane: Lane) -> None:
    sha = lane.push(config(FLAKY))
    first = lane.checks(sha)[AFTER]["external_id"]
    for _ in range(2):
        lane.look(sha, Ask("rerun", first, "ada", data={"name": AFTER}))
    assert lane.checks(sha)[AFTER]["external_id"].endswith("-2")


@pytest.mark.parametrize(
    "ask",
    [
        Ask("rerun_failed", "", "ada", "d1"),
        Ask("command", "retest", "ada", "comment-1", {"rest": ""}),
        Ask("command", "retest", "ada", "comment-1", {"rest": "web"}),
    ],
)
def test_what_is_not_green_is_run_again(lane: Lane, ask: Ask) -> None:
    sha = lane.push(config(FLAKY))
    lane.look(sha, ask)
    checks = lane.checks(sha)
    assert checks[BEFORE]["external_id"].endswith("-1")
    assert (checks[AFTER]["external_id"][-2:], checks[AFTER]["conclusion"]) == ("-2", "success")


def test_test_runs_everything_again_and_says_who_asked(lane: Lane) -> None:
    sha = lane.push({".ghapp.yml": SIMPLE})
    lane.look(sha, Ask("command", "test", "ada", "comment-1", {"rest": "other"}))
    assert lane.checks(sha)[BEFORE]["external_id"].endswith("-1")
    lane.look(sha, Ask("command", "test", "ada", "comment-2", {"rest": ""}))
    check = lane.checks(sha)[BEFORE]
    assert check["external_id"].endswith("-2")
    assert "asked for by ada" in check["output"]["summary"]


def test_a_reader_may_not_run_anything_again(lane: Lane) -> None:
    sha = lane.push(config(FLAKY))
    rerun(lane, sha, AFTER, by="eve")
    rerun(lane, sha, AFTER, by="mallory")
    assert lane.checks(sha)[AFTER]["external_id"].endswith("-1")


# --- endings ----------------------------------------------------------------------------------------------
def test_a_newer_push_supersedes_a_run_that_waits(lane: Lane) -> None:
    older = lane.push({".ghapp.yml": SIMPLE}, look=False)
    lane.queue.enqueue(subjects.commit(lane.id, older))
    lane.work_off("reconcile")
    assert lane.ends(older) == {BEFORE: "queued"}
    newer = lane.push({"x": "1"})
    assert lane.ends(newer) == {BEFORE: "success"}
    assert lane.ends(older) == {BEFORE: "cancelled"}
    assert lane.checks(older)[BEFORE]["output"]["title"] == f"superseded by {newer[:7]} on main"


def test_a_superseded_commit_that_is_the_head_again_runs_again(lane: Lane) -> None:
    older = lane.push({".ghapp.yml": SIMPLE}, look=False)
    lane.queue.enqueue(subjects.commit(lane.id, older))
    lane.work_off("reconcile")
    lane.push({"x": "1"})
    lane.people["ada"].git(lane.work, "push", "--quiet", "--force", "origin", f"{older}:main")
    lane.look(older)
    assert lane.ends(older) == {BEFORE: "success"}


def test_the_cancel_button_ends_a_run_that_waits(lane: Lane) -> None:
    sha = lane.push({".ghapp.yml": SIMPLE}, look=False)
    lane.queue.enqueue(subjects.commit(lane.id, sha))
    lane.work_off("reconcile")
    check = lane.checks(sha)[BEFORE]
    lane.look(sha, Ask("action", check["external_id"], "ada", data={"identifier": "cancel", "name": BEFORE}))
    assert lane.ends(sha) == {BEFORE: "cancelled"}
    assert lane.checks(sha)[BEFORE]["output"]["title"] == "cancelled by ada"
    lane.look(sha)
    assert lane.ends(sha) == {BEFORE: "cancelled"}


def test_a_flushed_redis_in_between_changes_nothing(lane: Lane) -> None:
    sha = lane.push({".ghapp.yml": SIMPLE}, look=False)
    lane.queue.enqueue(subjects.commit(lane.id, sha))
    lane.work_off("reconcile")
    lane.redis.flushall()
    lane.look(sha)
    assert lane.ends(sha) == {BEFORE: "success"}
    assert len(lane.releases(sha)) == 1


def test_only_so_many_runs_of_an_app_go_on_at_once(lane: Lane) -> None:
    pipeline = "  on: {push: {}}\n  concurrency: {limit: 1}\n  before: [{run: 'true'}]\n"
    first = lane.push(config(pipeline), look=False)
    second = lane.push({"x": "1"}, branch="other", look=False)
    commit = subjects.commit
    for sha in (first, second):
        lane.queue.enqueue(commit(lane.id, sha))
        lane.work_off("reconcile")
    assert lane.checks(second)[BEFORE]["output"]["title"] == "waits: 1 run of web at once"
    lane.work_off()
    assert (lane.ends(first), lane.ends(second)) == ({BEFORE: "success"}, {BEFORE: "success"})


def test_a_push_that_needs_no_run_does_not_stop_the_one_before(lane: Lane) -> None:
    pipeline = "  on: {push: {branches: [main], paths: ['!docs/**']}}\n  before: [{run: 'true'}]\n"
    older = lane.push(config(pipeline), look=False)
    lane.queue.enqueue(subjects.commit(lane.id, older))
    lane.work_off("reconcile")
    docs = lane.push({"docs/a.md": "x"}, look=False)
    for sha in (docs, older):
        lane.queue.enqueue(subjects.commit(lane.id, sha))
    lane.work_off()
    assert (lane.ends(docs), lane.ends(older)) == ({}, {BEFORE: "success"})


def test_a_branch_that_is_deleted_takes_its_run_along(lane: Lane) -> None:
    lane.push({".ghapp.yml": SIMPLE})
    sha = lane.push({"x": "1"}, branch="feature", look=False)
    lane.queue.enqueue(subjects.commit(lane.id, sha))
    lane.work_off("reconcile")
    lane.people["ada"].git(lane.work, "push", "--quiet", "origin", ":feature")
    lane.look(sha)
    assert lane.ends(sha) == {BEFORE: "cancelled"}
    assert lane.checks(sha)[BEFORE]["output"]["title"].startswith("superseded: this commit is no longer the head")


def test_a_tag_that_comes_later_is_built_and_released_as_a_tag(lane: Lane) -> None:
    pipeline = "  on: {push: {tags: ['v*']}}\n  before: [{run: 'echo $GHAPP_TAG'}]\n"
    sha = lane.push(config(pipeline))
    assert lane.ends(sha) == {}
    git = lane.people["ada"].git
    git(lane.work, "tag", "--annotate", "--message", "first", "v1.0")
    git(lane.work, "push", "--quiet", "origin", "v1.0")
    lane.look(sha)
    assert lane.ends(sha) == {BEFORE: "success"}
    assert lane.log(lane.checks(sha)[BEFORE]["external_id"], "before-0") == "v1.0\n"
    assert [r.ref for r in lane.releases(sha)] == ["refs/tags/v1.0"]


def test_a_tag_on_a_commit_that_is_built_already_names_the_image_that_was_tested(
    make_lane: Callable[..., Lane], tmp_path: Path
) -> None:
    with Registry(tmp_path / "registry") as registry:
        host = registry.address
        lane = make_lane(GHAPP_PLAIN_HTTP_REGISTRIES=host)
        pipeline = (
            "  on: {push: {branches: [main], tags: ['v*']}}\n"
            f"  image: {{repository: {host}/acme/web, files: {{/x: x}}, tags: ['{{commit}}', '{{tag}}']}}\n"
        )
        sha = lane.push({**config(pipeline), "x": "1"})
        (before,) = lane.releases(sha)
        git = lane.people["ada"].git
        git(lane.work, "tag", "v1.0")
        git(lane.work, "push", "--quiet", "origin", "v1.0")
        lane.look(sha)
        assert lane.checks(sha)[IMAGE]["external_id"].endswith("-web-2")
        assert lane.ends(sha) == {IMAGE: "success"}
        (digest,) = before.images.values()
        assert Client(host).digest(Reference(host, "acme/web", tag="v1.0")) == digest
        lane.look(sha)
        assert lane.checks(sha)[IMAGE]["external_id"].endswith("-web-2")
        assert len(lane.releases(sha)) == 1


def test_findings_are_compared_with_those_of_the_base(lane: Lane) -> None:
    def sarif(*rules: str) -> str:
        results = [{"ruleId": r, "message": {"text": r}, "locations": []} for r in rules]
        return json.dumps({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "lint"}}, "results": results}]})

    step = "  before: [{uses: sarif, with: {file: out.sarif, fail_on: none}}]\n"
    lane.push({**config(step), "out.sarif": sarif("old", "gone")})
    sha = lane.push({"out.sarif": sarif("old", "fresh")}, branch="feature", look=False)
    lane.open_pull("feature")
    lane.look(sha)
    (scan,) = lane.statements(sha)
    assert {f["id"]: f.get("in_base", False) for f in scan.predicate["findings"]} == {"old": True, "fresh": False}
    assert (scan.predicate["findings_new"], scan.predicate["findings_fixed"]) == (1, 1)
    assert "1 new, 1 in the base as well." in lane.checks(sha)[BEFORE]["output"]["text"]


def test_three_run_at_once_and_a_limit_may_change_while_others_wait(lane: Lane) -> None:
    def pipeline(limit: int) -> dict[str, str | None]:
        return config(f"  on: {{push: {{}}}}\n  concurrency: {{limit: {limit}}}\n  before: [{{run: 'true'}}]\n")

    shas = [lane.push({**pipeline(3), "x": str(i)}, branch=f"b{i}", look=False) for i in range(4)]
    raised = lane.push({**pipeline(5), "x": "5"}, branch="b5", look=False)
    for sha in (*shas, raised):
        lane.queue.enqueue(subjects.commit(lane.id, sha))
        lane.work_off("reconcile")
    titles = [lane.checks(sha)[BEFORE]["output"]["title"] for sha in (*shas, raised)]
    assert titles == ["queued", "queued", "queued", "waits: 3 runs of web at once", "queued"]
    lane.work_off()
    assert [lane.ends(sha) for sha in (*shas, raised)] == [{BEFORE: "success"}] * 5


@pytest.mark.parametrize("by", ["ada", "eve", "mallory", ""])
def test_who_may_stop_a_run(lane: Lane, by: str) -> None:
    sha = lane.push({".ghapp.yml": SIMPLE}, look=False)
    lane.queue.enqueue(subjects.commit(lane.id, sha))
    lane.work_off("reconcile")
    run = lane.checks(sha)[BEFORE]["external_id"]
    button = {"identifier": "cancel", "name": BEFORE}
    lane.queue.enqueue(subjects.commit(lane.id, sha), ask=Ask("action", run, by, data=button))
    lane.work_off("reconcile")
    assert lane.ends(sha) == {BEFORE: "cancelled" if by == "ada" else "queued"}


def test_stopping_what_is_done_or_of_another_run_changes_nothing(lane: Lane) -> None:
    sha = lane.push({".ghapp.yml": SIMPLE})
    run = lane.checks(sha)[BEFORE]["external_id"]
    for about in (run, f"999-{sha[:12]}-web-1", "nonsense", ""):
        lane.look(sha, Ask("action", about, "ada", data={"identifier": "cancel", "name": BEFORE}))
    lane.look(sha, Ask("command", "cancel", "ada", "c1", {"rest": ""}))
    assert lane.ends(sha) == {BEFORE: "success"}
    assert lane.checks(sha)[BEFORE]["external_id"] == run


PROFILE = """\
kind: BuildProfile
name: tiny
cpu: 1
memory: 256Mi
timeout: 5m
max_memory: 1Gi
"""


def test_build_profiles_come_from_policies_and_their_limits_hold(lane: Lane) -> None:
    lane.push({".ghapp/policies/builds.yml": PROFILE, "x": "1"})
    good = config("  resources: tiny\n  before: [{run: 'true'}]\n")
    sha = lane.push({**good, "x": "2"})
    assert lane.ends(sha) == {BEFORE: "success"}
    sha = lane.push(config("  resources: {profile: tiny, memory: 2Gi}\n  before: [{run: 'true'}]\n"))
    assert lane.ends(sha) == {"ghapp / config": "failure"}
    summary = lane.checks(sha)["ghapp / config"]["output"]["summary"]
    assert "2Gi of memory are more than the 1Gi that are allowed" in summary
