"""What a stage looks like on GitHub: title, table of steps, last lines, findings, remarks at lines. Pure.

Everything that a step or scanner printed is a stranger's text: escaped, fenced, cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ghapp import names
from ghapp.github.checks import Annotation, Button, Check, Conclusion
from jobs.pipeline.order import Order
from jobs.pipeline.result import Outcome, StageResult, StepResult
from policies.finding import Finding, Severity, distinct
from policies.markdown import block, code, escape
from policies.quantity import format_duration

RERUN = Button("Re-run", "run this stage again", "rerun")
CANCEL = Button("Cancel", "stop this run", "cancel")

CONCLUSIONS: dict[Outcome, Conclusion] = {
    Outcome.SUCCESS: "success",
    Outcome.FAILURE: "failure",
    Outcome.ERROR: "failure",
    Outcome.TIMED_OUT: "timed_out",
    Outcome.CANCELLED: "cancelled",
    Outcome.SKIPPED: "skipped",
}
_SIGNS = {
    Outcome.SUCCESS: "✅",
    Outcome.FAILURE: "❌",
    Outcome.ERROR: "⚠️",
    Outcome.TIMED_OUT: "⏱️",
    Outcome.CANCELLED: "🚫",
    Outcome.SKIPPED: "⏭️",
}
_MOST_ANNOTATIONS = 300
_MOST_FINDINGS = 60
_LEVELS = {Severity.CRITICAL: "failure", Severity.HIGH: "failure", Severity.MEDIUM: "warning"}


@dataclass(frozen=True, slots=True)
class Progress:
    """A stage that runs: what has ended, what is running now, its last lines, what waits."""

    done: Sequence[StepResult] = ()
    running: str = ""
    tail: str = ""
    waiting: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """Where the run's page is, if the server has an address; times in UTC; remarks for the summary."""

    url: str = ""
    started_at: datetime | None = None
    completed_at: datetime | None = None
    notes: Sequence[str] = field(default=())


def queued(order: Order, stage: str, page: Page, reason: str = "") -> Check:
    title = reason or "queued"
    return _check(order, stage, page, title, f"{escape(title)}.", status="queued", buttons=(CANCEL,))


def running(order: Order, stage: str, page: Page, progress: Progress) -> Check:
    total = len(progress.done) + bool(progress.running) + len(progress.waiting)
    here = min(len(progress.done) + 1, total)
    title = f"step {here} of {total}: {progress.running}" if progress.running else "running"
    rows = [_row(step) for step in progress.done]
    rows += [f"| ⏳ | {escape(progress.running, limit=100)} | | running |"] if progress.running else []
    rows += [f"| · | {escape(name, limit=100)} | | |" for name in progress.waiting]
    text = f"{code(progress.running)} says:\n\n{block(progress.tail)}" if progress.tail.strip() else ""
    return _check(order, stage, page, title, _table(order, rows), text, status="in_progress", buttons=(CANCEL,))


def finished(order: Order, result: StageResult, page: Page) -> Check:
    """A stage that ended."""
    failures = [step for step in result.steps if not step.passed]
    findings = distinct(f for step in result.steps for f in step.ended.findings)
    text = "\n\n".join(
        part
        for part in (
            *(_failure(step) for step in failures[:5]),
            findings_table(findings) if findings else "",
        )
        if part
    )
    summary = _table(order, [_row(step) for step in result.steps])
    if page.notes:
        summary += "\n\n" + "\n".join(f"- {note}" for note in page.notes)
    annotations = [a for step in result.steps for a in step.ended.annotations]
    annotations += [a for f in findings if (a := annotation(f)) is not None]
    return _check(
        order,
        result.stage,
        page,
        title_of(result),
        summary,
        text,
        conclusion=CONCLUSIONS[result.outcome],
        annotations=list(dict.fromkeys(annotations))[:_MOST_ANNOTATIONS],
        buttons=(RERUN,),
    )


def title_of(result: StageResult) -> str:
    """One line that says how a stage ended and, if badly, why."""
    if result.sentence:
        return result.sentence
    bad = next((step for step in result.steps if step.blocks), None)
    if bad is not None:
        return f"{bad.title}: {bad.ended.sentence}" if bad.ended.sentence else f"{bad.title} failed"
    ran = [step for step in result.steps if step.ended.outcome is not Outcome.SKIPPED]
    if not ran:
        return "nothing to do"
    passed = sum(step.passed for step in ran)
    tolerated = len(ran) - passed
    took = format_duration(timedelta(seconds=max(1, sum(step.seconds for step in ran))))
    words = f"{passed} step{'s' if passed != 1 else ''} passed in {took}"
    return f"{words}, {tolerated} failed and may" if tolerated else words


def findings_table(findings: Sequence[Finding]) -> str:
    """Findings as a table, the most severe first; their texts are a scanner's and shown as they are written."""
    rows = [
        "### Findings",
        "",
        *_since_base(findings),
        "| severity | what | where | fixed in | found by |",
        "|---|---|---|---|---|",
    ]
    for f in findings[:_MOST_FINDINGS]:
        where = (
            code(f"{f.package} {f.installed}".strip() if f.package else _place(f), limit=120)
            if f.package or f.file
            else ""
        )
        what = f"{code(f.id, limit=60)} {escape(f.title, limit=140)}"
        fixed = code(f.fixed, limit=60) if f.fixed else ""
        rows.append(f"| {f.severity} | {what} | {where} | {fixed} | {escape(', '.join(f.scanners), limit=60)} |")
    if len(findings) > _MOST_FINDINGS:
        rows.append(f"\nand {len(findings) - _MOST_FINDINGS} more; the run's page has them all")
    return "\n".join(rows)


def _since_base(findings: Sequence[Finding]) -> list[str]:
    """How many are new, where the base was scanned as well."""
    known = sum(f.in_base for f in findings)
    return [f"{len(findings) - known} new, {known} in the base as well.", ""] if known else []


def annotation(finding: Finding) -> Annotation | None:
    """A finding as a remark at its line; ``None`` for one that stands in no file."""
    if not finding.file:
        return None
    level = _LEVELS.get(finding.severity, "notice")
    start = max(1, finding.start)
    title = f"{finding.id}: {finding.severity} ({', '.join(finding.scanners)})"
    link = f"\n{finding.link}" if finding.link else ""
    return Annotation(finding.file, start, max(start, finding.end), level, f"{finding.title}{link}", title)  # type: ignore[arg-type]


def _place(finding: Finding) -> str:
    return f"{finding.file}:{finding.start}" if finding.start else finding.file


def _failure(step: StepResult) -> str:
    heading = (
        f"### {_SIGNS[step.ended.outcome]} {escape(step.title, limit=100)}: {escape(step.ended.sentence, limit=500)}"
    )
    if not step.tail.strip():
        return heading
    return f"{heading}\n\n{block(step.tail)}"


def _row(step: StepResult) -> str:
    took = format_duration(timedelta(seconds=step.seconds)) if step.seconds >= 1 else ""
    remark = step.ended.sentence
    if step.attempts > 1:
        remark = f"{remark} ({step.attempts} attempts)".strip()
    if step.tolerated and not step.passed:
        remark = f"{remark} — may fail"
    return f"| {_SIGNS[step.ended.outcome]} | {escape(step.title, limit=100)} | {took} | {escape(remark, limit=300)} |"


def _table(order: Order, rows: Sequence[str]) -> str:
    occasion = order.occasion
    what = {
        "tag": f"tag {occasion.tag}",
        "pull_request": f"pull request {occasion.pull.number if occasion.pull else ''}",
    }
    why = what.get(occasion.kind, f"{occasion.kind} {occasion.branch}".replace("_", " "))
    by = f", asked for by {order.asked_by}" if order.asked_by else ""
    head = f"{escape(order.app)} at {code(order.sha[:12])}, {escape(why, limit=200)}{escape(by)}"
    if not rows:
        return head
    return "\n".join([head, "", "| | step | took | |", "|---|---|---|---|", *rows])


def _check(
    order: Order,
    stage: str,
    page: Page,
    title: str,
    summary: str,
    text: str = "",
    *,
    status: str = "completed",
    conclusion: Conclusion | None = None,
    annotations: Sequence[Annotation] = (),
    buttons: Sequence[Button] = (),
) -> Check:
    return Check(
        names.stage_check(order.app, stage),
        " ".join(title.split())[:250],
        summary,
        text,
        status=status,  # type: ignore[arg-type]
        conclusion=conclusion,
        external_id=order.run,
        details_url=page.url,
        started_at=page.started_at,
        completed_at=page.completed_at,
        annotations=annotations,
        buttons=buttons,
    )
