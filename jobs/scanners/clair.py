"""Clair v4's vulnerability report (https://quay.github.io/clair/reference/api.html)."""

from __future__ import annotations

from typing import Any

from jobs.scanners.interface import BadReport, Report, clean, link, load, severity
from policies.finding import Finding, FindingKind


def read(data: bytes | None, digest: str) -> Report:
    """Raises :class:`~jobs.scanners.interface.BadReport`, also for a report about another image than ``digest``."""
    report = load(data, "clair")
    maps = ("packages", "vulnerabilities", "package_vulnerabilities")
    if not isinstance(report, dict) or any(not isinstance(report.get(name) or {}, dict) for name in maps):
        raise BadReport("clair wrote something that is not a vulnerability report")
    if report.get("manifest_hash") != digest:
        raise BadReport(f"clair's report is about {clean(report.get('manifest_hash'), 100)!r}, not about {digest}")
    packages, known = report.get("packages") or {}, report.get("vulnerabilities") or {}
    found = []
    for package_id, ids in (report.get("package_vulnerabilities") or {}).items():
        for one in ids if isinstance(ids, list) else ():
            package, vulnerability = packages.get(package_id), known.get(one)
            if not isinstance(package, dict) or not isinstance(vulnerability, dict):
                raise BadReport("clair's report speaks of a package or vulnerability that it does not contain")
            found.append(_finding(package, vulnerability))
    return Report("clair", found)


def _finding(package: dict[str, Any], vulnerability: dict[str, Any]) -> Finding:
    links = str(vulnerability.get("links") or "").split()
    return Finding(
        id=clean(vulnerability.get("name"), 100).split(" ")[0] or "unknown",
        kind=FindingKind.VULNERABILITY,
        severity=severity(vulnerability.get("normalized_severity")),
        title=clean(vulnerability.get("description"), 300) or clean(vulnerability.get("name"), 100),
        scanners=("clair",),
        package=clean(package.get("name"), 200),
        installed=clean(package.get("version"), 100),
        fixed=clean(vulnerability.get("fixed_in_version"), 200),
        link=next((link(url) for url in links if link(url)), ""),
    )
