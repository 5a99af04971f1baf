"""trivy's JSON report (schema 2): vulnerabilities, misconfigurations, secrets and licences of files or an image."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from jobs.scanners.interface import BadReport, Checkout, Report, clean, items, link, load, number, severity
from policies.finding import Finding, FindingKind

_SCHEMA = 2


def read(data: bytes | None, checkout: Checkout, *, database_at: datetime | None = None) -> Report:
    """Raises :class:`~jobs.scanners.interface.BadReport`."""
    report = load(data, "trivy")
    if not isinstance(report, dict) or report.get("SchemaVersion") != _SCHEMA:
        raise BadReport(f"trivy wrote a report of another schema than {_SCHEMA}")
    found: list[Finding] = []
    for result in items(report.get("Results"), "trivy", "results"):
        found += _result(result, checkout)
    version = clean((report.get("Trivy") or {}).get("Version"), 40)
    return Report("trivy", found, version, database_at)


def _result(result: dict[str, Any], checkout: Checkout) -> Iterator[Finding]:
    target = clean(result.get("Target"), 500)
    for entry in items(result.get("Vulnerabilities"), "trivy", "vulnerabilities"):
        yield _vulnerability(entry, checkout.path(target) if result.get("Class") == "lang-pkgs" else "")
    for entry in items(result.get("Misconfigurations"), "trivy", "misconfigurations"):
        if entry.get("Status") == "FAIL":
            yield _misconfiguration(entry, checkout.path(target), checkout)
    for entry in items(result.get("Secrets"), "trivy", "secrets"):
        yield _secret(entry, checkout.path(target), checkout)
    for entry in items(result.get("Licenses"), "trivy", "licences"):
        yield _licence(entry, checkout.path(entry.get("FilePath") or target))


def _vulnerability(entry: dict[str, Any], file: str) -> Finding:
    aliases = entry.get("VendorIDs") or []
    return Finding(
        id=clean(entry.get("VulnerabilityID"), 100),
        kind=FindingKind.VULNERABILITY,
        severity=severity(entry.get("Severity")),
        title=clean(entry.get("Title") or entry.get("Description"), 300),
        scanners=("trivy",),
        package=clean(entry.get("PkgName"), 200),
        installed=clean(entry.get("InstalledVersion"), 100),
        fixed=clean(entry.get("FixedVersion"), 200),
        file=file,
        link=link(entry.get("PrimaryURL")),
        aliases=tuple(clean(alias, 100) for alias in aliases[:10]) if isinstance(aliases, list) else (),
    )


def _misconfiguration(entry: dict[str, Any], file: str, checkout: Checkout) -> Finding:
    cause = entry.get("CauseMetadata") or {}
    start = number(cause.get("StartLine"))
    message = clean(entry.get("Message"), 300)
    return Finding(
        id=clean(entry.get("ID"), 60),
        kind=FindingKind.MISCONFIGURATION,
        severity=severity(entry.get("Severity")),
        title=f"{clean(entry.get('Title'), 200)}: {message}" if message else clean(entry.get("Title"), 200),
        scanners=("trivy",),
        file=file,
        start=start,
        end=number(cause.get("EndLine")),
        link=link(entry.get("PrimaryURL")),
        context=message or checkout.context(file, start),
    )


def _secret(entry: dict[str, Any], file: str, checkout: Checkout) -> Finding:
    start = number(entry.get("StartLine"))
    return Finding(
        id=clean(entry.get("RuleID"), 100),
        kind=FindingKind.SECRET,
        severity=severity(entry.get("Severity")),
        title=clean(entry.get("Title"), 200),
        scanners=("trivy",),
        file=file,
        start=start,
        end=number(entry.get("EndLine")),
        context=checkout.context(file, start),
    )


def _licence(entry: dict[str, Any], file: str) -> Finding:
    name = clean(entry.get("Name"), 100)
    package = clean(entry.get("PkgName"), 200)
    return Finding(
        id=name,
        kind=FindingKind.LICENCE,
        severity=severity(entry.get("Severity")),
        title=f"{package or file} is under {name} ({clean(entry.get('Category'), 40)})",
        scanners=("trivy",),
        package=package,
        licence=name,
        file=file,
        link=link(entry.get("Link")),
    )
