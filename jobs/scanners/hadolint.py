"""hadolint's JSON report: misconfigurations of Containerfiles."""

from __future__ import annotations

from jobs.scanners.interface import Checkout, Report, clean, items, load, number, severity
from policies.finding import Finding, FindingKind


def read(data: bytes | None, checkout: Checkout, *, version: str = "") -> Report:
    """Raises :class:`~jobs.scanners.interface.BadReport`."""
    found = []
    for remark in items(load(data, "hadolint"), "hadolint", "a report"):
        file, line = checkout.path(remark.get("file")), number(remark.get("line"))
        rule = clean(remark.get("code"), 60)
        found.append(
            Finding(
                id=rule or "unknown",
                kind=FindingKind.MISCONFIGURATION,
                severity=severity(remark.get("level")),
                title=clean(remark.get("message")),
                scanners=("hadolint",),
                file=file,
                start=line,
                end=line,
                link=f"https://github.com/hadolint/hadolint/wiki/{rule}" if rule.startswith("DL") else "",
                context=checkout.context(file, line),
            )
        )
    return Report("hadolint", found, version)
