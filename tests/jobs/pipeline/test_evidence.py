"""What a stage's evidence says, and how large it may be."""

from __future__ import annotations

from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ghapp import names
from ghapp.evidence.notes import Signer, parse_note
from jobs.pipeline import evidence
from jobs.pipeline.order import Order
from jobs.pipeline.result import Ended, Outcome, StageResult, StepResult
from jobs.pipeline.triggers import Occasion
from policies.finding import Finding, FindingKind, Severity

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ORDER = Order(7, "acme/web", "a" * 40, "web", 1, ".ghapp.yml", "a" * 40, Occasion("push", branch="main"))
DIGEST = "sha256:" + "b" * 64


def scan(findings: int, *, title: str = "bad") -> StepResult:
    found = [
        Finding(f"R{i}", FindingKind.CODE, Severity.LOW, title, ("lint",), file="a.py", context=str(i))
        for i in range(findings)
    ]
    facts = {"scanner": "lint", "scanner_version": "1.2", "target": "image", "image": {"r.io/web": DIGEST}}
    ended = Ended(Outcome.FAILURE, "too many", 1, findings=found, facts=facts)
    return StepResult("scan", "", ended, plugin="sarif", version="1.0.0", inputs={"file": "x"}, tolerated=True)


def test_steps_scans_and_builds_say_what_happened() -> None:
    built = Ended(Outcome.SUCCESS, exit_code=0, facts={"builder": "layer", "bases": {}, "image": {"r.io/web": DIGEST}})
    step = StepResult("tests", "", Ended(Outcome.SUCCESS, exit_code=0))
    (one, two) = evidence.statements(ORDER, StageResult("after", (step, scan(1))), NOW)
    (build,) = evidence.statements(ORDER, StageResult("image", (StepResult("build image", "image", built),)), NOW)
    assert (one.kind, one.predicate["name"], one.predicate["result"]) == (names.PREDICATE_STEP, "tests", "success")
    assert (two.kind, two.images, two.predicate["target"]) == (names.PREDICATE_SCAN, {"r.io/web": DIGEST}, "image")
    assert (two.predicate["plugin"], two.predicate["version"], two.predicate["inputs"]) == (
        "sarif",
        "1.0.0",
        {"file": "x"},
    )
    assert (two.predicate["result"], two.predicate["continued"], two.predicate["reason"]) == (
        "failure",
        True,
        "too many",
    )
    assert (two.predicate["scanner_version"], len(two.predicate["findings"])) == ("1.2", 1)
    assert (build.kind, build.images, build.predicate["builder"]) == (
        names.PREDICATE_BUILD,
        {"r.io/web": DIGEST},
        "layer",
    )
    assert {s.predicate["ref"] for s in (one, two, build)} == {"refs/heads/main"}


def test_a_scan_with_too_many_findings_says_how_many_it_leaves_out_and_can_still_be_read() -> None:
    signer = Signer(Ed25519PrivateKey.generate())
    for step, kept in ((scan(5_000), 2_000), (scan(2_000, title="x" * 500), None)):
        (statement,) = evidence.statements(ORDER, StageResult("after", (step,)), NOW)
        found, left_out = statement.predicate["findings"], statement.predicate["findings_left_out"]
        assert len(found) + left_out == len(step.ended.findings)
        assert left_out > 0
        assert kept is None or len(found) == kept
        assert parse_note(signer.line(statement), ORDER.sha, signer.trusted) == [statement]


def test_a_release_rests_on_the_evidence_of_its_own_app() -> None:
    (mine,) = evidence.statements(ORDER, StageResult("before", (StepResult("t", "", Ended(Outcome.SUCCESS)),)), NOW)
    from dataclasses import replace

    (other,) = evidence.statements(
        replace(ORDER, app="api"), StageResult("before", (StepResult("t", "", Ended(Outcome.SUCCESS)),)), NOW
    )
    made = evidence.release(ORDER, [mine, other], {"r.io/web": DIGEST}, ("v1",), NOW)
    assert (made.evidence, made.images, made.tags, made.ref) == (
        (mine.id,), {"r.io/web": DIGEST}, ("v1",), "refs/heads/main",
    )  # fmt: skip
