"""Signed statements as facts for the gates: what ran on a commit, in which version, with what result and findings."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from ghapp import names
from ghapp.evidence.statement import Statement
from policies.evidence import Evidence, Target
from policies.finding import Finding

_KINDS = {names.PREDICATE_STEP: "step", names.PREDICATE_SCAN: "scan", names.PREDICATE_BUILD: "build"}
_LONG_AGO = datetime.fromtimestamp(0, UTC)


def evidence_about(app: str, statements: Iterable[Statement]) -> tuple[Evidence, ...]:
    """An app's steps, scans and builds. Their signatures were verified when the note was read."""
    return tuple(_evidence(s) for s in statements if s.kind in _KINDS and s.predicate.get("app") == app)


def _evidence(statement: Statement) -> Evidence:
    p = statement.predicate
    findings, problem = _findings(p)
    return Evidence(
        kind=_KINDS[statement.kind],
        commit=statement.commit,
        digest=next(iter(statement.images.values()), ""),
        plugin=str(p.get("plugin", "")),
        version=str(p.get("version", "")),
        stage=str(p.get("stage", "")),
        inputs=p.get("inputs") or {},
        result=str(p.get("result", "")),
        continued=bool(p.get("continued", False)),
        at=_moment(p.get("at")) or _LONG_AGO,
        verified=not problem,
        problem=problem,
        target=_target(p.get("target")),
        scanner=str(p.get("scanner", "")),
        database_at=_moment(p.get("database_at")),
        findings=findings,
    )


def _findings(predicate: Any) -> tuple[tuple[Finding, ...], str]:
    """What a scan found; or why that is not known in full, which must not pass for a clean scan."""
    if left_out := predicate.get("findings_left_out"):
        return (), f"{left_out} of its findings were too many to keep; mend some, or scan less at once"
    try:
        return tuple(Finding.from_json(f) for f in predicate.get("findings", ())), ""
    except (KeyError, TypeError, ValueError):
        return (), "its findings cannot be read; run the scan again"


def _target(value: Any) -> Target:
    return Target(value) if value in set(Target) else Target.REPOSITORY


def _moment(text: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
