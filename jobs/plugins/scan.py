"""What scanning plugins share: which findings fail the step, and the result that is made of a report."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from jobs.pipeline.result import Ended
from jobs.plugins.interface import Inputs, Place, PluginError, failed, passed
from jobs.scanners.interface import Checkout, Report
from policies.finding import Finding, Severity, distinct, rank

Level = Literal["critical", "high", "medium", "low", "unknown", "none"]


class ScanInputs(Inputs):
    """What every scanner takes."""

    fail_on: Level = Field("high", description="the least severity that fails the step; none: it never fails")
    ignore: tuple[str, ...] = Field((), description="ids of findings that do not fail the step")


def checkout(at: Place) -> Checkout:
    """The checkout as a tool in the step's sandbox names it."""
    return Checkout(at.workspace, at.inside, str(at.workspace))


def folder(at: Place, path: str) -> str:
    """A path of the step's ``with``, relative to its working directory, as the sandbox sees it."""
    return str(Path(at.inside, at.directory, path))


def judged(report: Report, inputs: ScanInputs, *, target: str, **facts: Any) -> Ended:
    """The step's end: failed if a finding is severe enough; every finding is kept either way."""
    findings = distinct(report.findings)
    known: dict[str, Any] = {
        "scanner": report.scanner,
        "scanner_version": report.version,
        "target": target,
        **({"database_at": report.database_at.astimezone(UTC).isoformat()} if report.database_at else {}),
        **facts,
    }
    outputs = {"findings": str(len(findings)), **_counts(findings)}
    bad = [] if inputs.fail_on == "none" else [f for f in findings if _counts_against(f, inputs)]
    if not bad:
        return passed(findings=findings, facts=known, outputs=outputs)
    first = f"{bad[0].id} in {bad[0].package or bad[0].file or 'the image'}"
    more = f" and {len(bad) - 1} more" if len(bad) > 1 else ""
    sentence = f"{len(bad)} finding{'s' if len(bad) > 1 else ''} of severity {inputs.fail_on} or above: {first}{more}"
    return failed(sentence, findings=findings, facts=known, outputs=outputs, exit_code=1)


def checked(status: int, allowed: Sequence[int], tool: str) -> None:
    """A tool that ended with another status than those that mean "done" has not scanned. Raises ``PluginError``."""
    if status not in allowed:
        raise PluginError(f"{tool} ended with exit status {status} and has not scanned; its last lines say why")


def _counts_against(finding: Finding, inputs: ScanInputs) -> bool:
    return rank(finding.severity) <= rank(Severity(inputs.fail_on)) and not finding.ids & set(inputs.ignore)


def _counts(findings: Sequence[Finding]) -> dict[str, str]:
    return {str(level): str(sum(f.severity is level for f in findings)) for level in Severity}
