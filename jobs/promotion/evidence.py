"""Signed statements as facts for the gates: what ran on a commit, in which version, with what result and findings."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from ghapp import names
from ghapp.evidence.statement import Statement
from policies.evidence import Evidence

_KINDS = {names.PREDICATE_STEP: "step", names.PREDICATE_SCAN: "scan", names.PREDICATE_BUILD: "build"}


def evidence_about(statements: Iterable[Statement]) -> tuple[Evidence, ...]:
    """The statements about steps, scans and builds. They were verified when the note was read."""
    return tuple(_evidence(s) for s in statements if s.kind in _KINDS)


def _evidence(statement: Statement) -> Evidence:
    p = statement.predicate
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
        at=_moment(p.get("at")),
        verified=True,
    )


def _moment(text: Any) -> datetime:
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        return datetime.fromtimestamp(0, UTC)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
