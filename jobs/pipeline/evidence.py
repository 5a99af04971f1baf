"""Evidence of a stage: one statement a step, scan or build, and the release that a green pipeline is. Pure.

Predicate of a step: ``app``, ``stage``, ``name``, ``result``, ``continued``, ``exit_code``, ``at``, ``run``, ``ref``,
``event`` and, for a plugin, ``plugin``, ``version``, ``inputs``. A scan has besides ``findings``, ``target``
(``repository``, ``image`` or ``manifests``), ``scanner``, ``scanner_version``, ``database_at``. A build has ``builder``
and ``bases``, and its image as a subject.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ghapp import names
from ghapp.evidence.release import Release
from ghapp.evidence.statement import Statement
from jobs.pipeline.order import Order
from jobs.pipeline.result import StageResult, StepResult

_MOST_FINDINGS = 2_000  # of one scan, the most severe; a policy is told when some are left out
_MOST_BYTES = 600_000  # of a statement: a longer line of a note is not read


def statements(order: Order, stage: StageResult, now: datetime) -> list[Statement]:
    """What happened in a stage that has ended."""
    return [_statement(order, stage.stage, step, now) for step in stage.steps]


def release(
    order: Order, known: Sequence[Statement], images: Mapping[str, str], tags: Sequence[str], now: datetime
) -> Release:
    """The release that this commit's evidence (of the run's app) makes."""
    mine = [s for s in known if s.predicate.get("app") == order.app and s.kind != names.PREDICATE_RELEASE]
    sboms = [str(s.predicate["sbom"]) for s in mine if s.predicate.get("sbom")]
    return Release(
        app=order.app,
        commit=order.sha,
        at=now,
        images=dict(images),
        evidence=tuple(sorted(s.id for s in mine)),
        sbom=sboms[-1] if sboms else "",
        run=order.run,
        ref=order.occasion.ref,
        tags=tuple(tags),
    )


def built_images(known: Sequence[Statement], app: str) -> dict[str, str]:
    """The images of an app that the newest successful build on this commit made."""
    builds = [s for s in known if s.kind == names.PREDICATE_BUILD and s.predicate.get("app") == app and s.images]
    newest = max(builds, key=lambda s: str(s.predicate.get("at", "")), default=None)
    return dict(newest.images) if newest else {}


def _statement(order: Order, stage: str, step: StepResult, now: datetime) -> Statement:
    ended = step.ended
    predicate: dict[str, Any] = {
        "app": order.app,
        "stage": stage,
        "name": step.title,
        "result": str(ended.outcome),
        "continued": step.tolerated and not step.passed,
        "exit_code": ended.exit_code,
        "at": now.astimezone(UTC).isoformat(timespec="seconds"),
        "run": order.run,
        "ref": order.occasion.ref,
        "event": order.occasion.kind,
        **ended.facts,
    }
    if ended.sentence:
        predicate["reason"] = ended.sentence[:500]
    if stage == "image":
        predicate.pop("image", None)
        return Statement(names.PREDICATE_BUILD, order.sha, predicate, dict(ended.facts.get("image") or {}))
    if not step.plugin:
        return Statement(names.PREDICATE_STEP, order.sha, predicate)
    predicate |= {"plugin": step.plugin, "version": step.version, "inputs": dict(step.inputs)}
    if "scanner" not in ended.facts:
        return Statement(names.PREDICATE_STEP, order.sha, predicate)
    images = dict(ended.facts.get("image") or {})
    predicate.pop("image", None)
    kept = _MOST_FINDINGS
    while True:
        predicate["findings"] = [f.as_json() for f in ended.findings[:kept]]
        predicate["findings_left_out"] = max(0, len(ended.findings) - kept)
        statement = Statement(names.PREDICATE_SCAN, order.sha, predicate, images)
        if kept == 0 or len(statement.payload()) <= _MOST_BYTES:
            return statement
        kept //= 2
