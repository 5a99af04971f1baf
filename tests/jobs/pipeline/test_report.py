"""What a stage looks like on GitHub, with texts of strangers in it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ghapp.config.model import Resources
from ghapp.github.checks import Annotation
from jobs.pipeline import report, resources
from jobs.pipeline.order import Order, parse_run, run_id
from jobs.pipeline.report import Page, Progress
from jobs.pipeline.result import Ended, Outcome, StageResult, StepResult
from jobs.pipeline.triggers import Occasion, Pull
from policies.finding import Finding, FindingKind, Severity

HOSTILE = "<img src=x onerror=alert(1)> @acme/everyone | [x](javascript:x) ``` \x1b[31m\n# heading"
ORDER = Order(
    7, "acme/web", "a" * 40, "web", 1, ".ghapp.yml", "a" * 40,
    Occasion("pull_request", branch=HOSTILE, pull=Pull(3, HOSTILE, "m", HOSTILE, "main")),
)  # fmt: skip


def step(outcome: Outcome = Outcome.SUCCESS, **more: object) -> StepResult:
    ended = Ended(
        outcome, more.pop("sentence", ""), findings=more.pop("findings", ()), annotations=more.pop("annotations", ())
    )  # type: ignore[arg-type]
    return StepResult(str(more.pop("title", "tests")), "", ended, **more)  # type: ignore[arg-type]


def finding(number: int = 1, **more: object) -> Finding:
    return Finding(f"R{number}", FindingKind.CODE, Severity.HIGH, HOSTILE, ("lint",), file="a.py", start=number, **more)  # type: ignore[arg-type]


def test_nothing_that_strangers_wrote_is_markup() -> None:
    result = StageResult(
        "before",
        (step(Outcome.FAILURE, title=HOSTILE, sentence=HOSTILE, tail=HOSTILE, findings=[finding(context=HOSTILE)]),),
    )
    check = report.finished(ORDER, result, Page())
    for text in (check.summary, check.text):
        outside = "".join(text.split("````")[0::2])
        assert "<img" not in outside.replace("\\<", "")
        assert "@acme" not in outside
        assert "](javascript" not in outside
        assert "\n# heading" not in outside
        assert "\x1b" not in text
    assert "\n" not in check.title


def test_a_green_stage_says_how_many_and_how_long() -> None:
    check = report.finished(ORDER, StageResult("before", (step(seconds=61), step(seconds=2))), Page())
    assert (check.conclusion, check.title) == ("success", "2 steps passed in 1m3s")


def test_what_may_fail_is_said_to_have_failed() -> None:
    check = report.finished(ORDER, StageResult("before", (step(), step(Outcome.FAILURE, tolerated=True))), Page())
    assert (check.conclusion, check.title) == ("success", "1 step passed in 1s, 1 failed and may")


@pytest.mark.parametrize(
    ("outcomes", "conclusion"),
    [
        ([Outcome.SUCCESS, Outcome.SKIPPED], "success"),
        ([Outcome.SKIPPED], "skipped"),
        ([Outcome.FAILURE, Outcome.SKIPPED], "failure"),
        ([Outcome.ERROR], "failure"),
        ([Outcome.FAILURE, Outcome.TIMED_OUT], "timed_out"),
        ([Outcome.TIMED_OUT, Outcome.CANCELLED], "cancelled"),
        ([], "success"),
    ],
)
def test_the_worst_step_is_the_stages_end(outcomes: list[Outcome], conclusion: str) -> None:
    result = StageResult("before", tuple(step(outcome) for outcome in outcomes))
    assert report.finished(ORDER, result, Page()).conclusion == conclusion


def test_findings_are_a_table_and_remarks_the_worst_first() -> None:
    low = Finding(
        "R9", FindingKind.CODE, Severity.LOW, "meh", ("lint",), file="b.py", start=2, link="https://x.example"
    )
    cve = Finding("CVE-1", FindingKind.VULNERABILITY, Severity.CRITICAL, "bad", ("trivy",), "p", "1.0", "1.1")
    check = report.finished(ORDER, StageResult("before", (step(findings=[low, finding(), cve]),)), Page())
    rows = [row for row in check.text.splitlines() if row.startswith(("| critical", "| high", "| low"))]
    assert [row.split()[1] for row in rows] == ["critical", "high", "low"]
    assert "`p 1.0`" in rows[0]
    assert [(a.path, a.start_line, a.level) for a in check.annotations] == [
        ("a.py", 1, "failure"),
        ("b.py", 2, "notice"),
    ]


def test_fifty_thousand_findings_make_a_small_text() -> None:
    many = [finding(i + 1, context=str(i)) for i in range(50_000)]
    check = report.finished(ORDER, StageResult("before", (step(findings=many),)), Page())
    assert len(check.text) < 65_535
    assert "and 49940 more" in check.text
    assert len(check.annotations) == 300


def test_progress_shows_what_ran_runs_and_waits() -> None:
    progress = Progress((step(seconds=3),), "build", "line 1\n```\nline 2", ("deploy",))
    check = report.running(ORDER, "before", Page("https://x.example/runs/1"), progress)
    assert (check.status, check.title, check.details_url) == (
        "in_progress",
        "step 2 of 3: build",
        "https://x.example/runs/1",
    )
    assert "````\nline 1\n```\nline 2\n````" in check.text
    assert [b.identifier for b in check.buttons] == ["cancel"]


def test_annotations_of_steps_are_kept_once() -> None:
    same = Annotation("a.py", 1, 1, "failure", "x")
    check = report.finished(ORDER, StageResult("before", (step(annotations=[same]), step(annotations=[same]))), Page())
    assert list(check.annotations) == [same]


def test_a_runs_name_can_be_read_back() -> None:
    assert parse_run(run_id(7, "a" * 40, "my-app-2", 13)) == (7, "aaaaaaaaaaaa", "my-app-2", 13)
    assert parse_run("7-aaaaaaaaaaaa-web-1/../x") is None
    assert Order.from_json(ORDER.as_json()) == ORDER


# --- resources --------------------------------------------------------------------------------------------
def test_resources_are_inherited_field_by_field() -> None:
    app = Resources.model_validate({"profile": "small", "cpu": 3})
    found = resources.USUAL.resolve(app, Resources.model_validate({"memory": "1Gi"}))
    assert (found.cpu, found.memory, found.timeout) == (3, 2**30, timedelta(minutes=15))
    assert found.disk == resources.PROFILES["small"].disk
    assert resources.USUAL.resolve("large", None).cpu == 4
    assert resources.USUAL.resolve(None, None) == resources.DEFAULT


def test_too_much_is_refused_with_the_limit() -> None:
    wish = Resources.model_validate({"cpu": 99, "memory": "1Ti", "timeout": "9d"})
    assert list(resources.USUAL.too_large(wish)) == [
        "99 processors are more than the 32 that are allowed",
        "1Ti of memory are more than the 128Gi that are allowed",
        "a time limit of 9d is longer than the 1d that are allowed",
    ]
