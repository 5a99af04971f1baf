"""SARIF 2.1.0, the format that any scanner can be asked for (https://docs.oasis-open.org/sarif/sarif/v2.1.0)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from jobs.scanners.interface import BadReport, Checkout, Report, clean, items, link, load, number, severity
from policies.finding import Finding, FindingKind, Severity

# A rule's "security-severity" is a CVSS score; GitHub's own bounds.
_SCORES = ((9.0, Severity.CRITICAL), (7.0, Severity.HIGH), (4.0, Severity.MEDIUM), (0.1, Severity.LOW))


def read(data: bytes | None, checkout: Checkout, *, kind: FindingKind = FindingKind.CODE) -> list[Report]:
    """One report for each tool in the file. Raises :class:`~jobs.scanners.interface.BadReport`."""
    log = load(data, "the tool")
    if not isinstance(log, dict) or not str(log.get("version", "")).startswith("2.1"):
        raise BadReport("the file is not SARIF 2.1.0")
    return [_run(run, checkout, kind) for run in items(log.get("runs"), "the tool", "runs")]


def _run(run: dict[str, Any], checkout: Checkout, kind: FindingKind) -> Report:
    driver = _map(_map(run.get("tool")).get("driver"))
    scanner = clean(driver.get("name"), 60) or "unknown"
    listed = items(driver.get("rules"), scanner, "rules")
    rules = {clean(rule.get("id"), 200): rule for rule in listed}
    found: list[Finding] = []
    for result in items(run.get("results"), scanner, "results"):
        if result.get("kind", "fail") in ("fail", "review", "open") and not _suppressed(result):
            found += _result(result, rules, listed, scanner, checkout, kind)
    version = clean(driver.get("semanticVersion") or driver.get("version"), 40)
    return Report(scanner, found, version)


def _result(
    result: dict[str, Any],
    rules: Mapping[str, dict[str, Any]],
    listed: list[dict[str, Any]],
    scanner: str,
    checkout: Checkout,
    kind: FindingKind,
) -> Iterator[Finding]:
    index = result.get("ruleIndex")
    name = clean(result.get("ruleId") or _map(result.get("rule")).get("id"), 200)
    if not name and isinstance(index, int) and 0 <= index < len(listed):
        name = clean(listed[index].get("id"), 200)
    rule = rules.get(name, {})
    text = clean(_map(result.get("message")).get("text") or _map(rule.get("shortDescription")).get("text"), 500)
    prints = _map(result.get("partialFingerprints"))
    own = clean(next(iter(prints.values()), ""), 100)
    for location in (result.get("locations") or [{}])[:20]:
        physical = _map(_map(location).get("physicalLocation"))
        region = _map(physical.get("region"))
        file = checkout.path(unquote(clean(_map(physical.get("artifactLocation")).get("uri"), 1_000)))
        start = number(region.get("startLine"))
        yield Finding(
            id=name or "unknown",
            kind=kind,
            severity=_severity(result, rule),
            title=text or name,
            scanners=(scanner,),
            file=file,
            start=start,
            end=number(region.get("endLine")),
            link=link(rule.get("helpUri")),
            context=checkout.context(file, start) or own,
        )


def _severity(result: Mapping[str, Any], rule: Mapping[str, Any]) -> Severity:
    for place in (result, rule):
        try:
            score = float(_map(place.get("properties")).get("security-severity", ""))
        except (TypeError, ValueError):
            continue
        return next((level for bound, level in _SCORES if score >= bound), Severity.LOW)
    level = result.get("level") or _map(rule.get("defaultConfiguration")).get("level") or "warning"
    return severity(level)


def _suppressed(result: Mapping[str, Any]) -> bool:
    found = result.get("suppressions")
    accepted = [s for s in found if _map(s).get("status", "accepted") == "accepted"] if isinstance(found, list) else []
    return bool(accepted)


def _map(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
