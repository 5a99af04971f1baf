"""gitleaks' JSON report (``gitleaks dir --report-format json``): secrets in files."""

from __future__ import annotations

from jobs.scanners.interface import Checkout, Report, clean, items, load, number
from policies.finding import Finding, FindingKind, Severity


def read(data: bytes | None, checkout: Checkout, *, version: str = "") -> Report:
    """Raises :class:`~jobs.scanners.interface.BadReport`. Values of secrets are never taken over."""
    found = []
    for leak in items(load(data, "gitleaks"), "gitleaks", "a report"):
        file, line = checkout.path(leak.get("File")), number(leak.get("StartLine"))
        found.append(
            Finding(
                id=clean(leak.get("RuleID"), 100) or "secret",
                kind=FindingKind.SECRET,
                severity=Severity.CRITICAL,
                title=clean(leak.get("Description")) or "a secret",
                scanners=("gitleaks",),
                file=file,
                start=line,
                end=number(leak.get("EndLine")),
                context=checkout.context(file, line),
            )
        )
    return Report("gitleaks", found, version)
