"""The record of a run for its page: order, stages, steps, artifacts, as JSON in the store beside the logs.

A convenience for readers: nothing decides by it, and losing it loses no decision.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from ghapp.store import Store
from jobs.pipeline.artifacts import Kept
from jobs.pipeline.order import Order
from jobs.pipeline.result import StageResult, StepResult


def key(run: str) -> str:
    return f"runs/{run}/run.json"


def write(
    store: Store,
    order: Order,
    *,
    stages: Sequence[StageResult],
    running: Mapping[str, Any] | None,
    artifacts: Sequence[Kept],
    started_at: datetime,
    now: datetime,
    release: str = "",
) -> None:
    """Replace the run's record. ``running`` says which stage and step are under way, if any."""
    data = {
        "run": order.run,
        "repository": order.repository,
        "full_name": order.full_name,
        "app": order.app,
        "sha": order.sha,
        "ref": order.occasion.ref,
        "event": order.occasion.kind,
        "asked_by": order.asked_by,
        "trusted": order.trusted,
        "started_at": started_at.isoformat(),
        "at": now.isoformat(),
        "stages": [
            {
                "stage": stage.stage,
                "outcome": str(stage.outcome),
                "sentence": stage.sentence,
                "steps": [_step(s) for s in stage.steps],
            }
            for stage in stages
        ],
        "running": dict(running) if running else None,
        "artifacts": [{**asdict(kept), "until": kept.until.isoformat() if kept.until else None} for kept in artifacts],
        "release": release,
    }
    store.put(key(order.run), json.dumps(data, ensure_ascii=False).encode("utf-8", "replace"))


def read(store: Store, run: str) -> dict[str, Any] | None:
    """The record of a run, ``None`` where there is none (any more)."""
    raw = store.read(key(run))
    if raw is None:
        return None
    try:
        data = json.loads(raw)
    except ValueError:
        return None
    return data if isinstance(data, dict) else None


def _step(step: StepResult) -> dict[str, Any]:
    return {
        "title": step.title,
        "outcome": str(step.ended.outcome),
        "sentence": step.ended.sentence,
        "exit_code": step.ended.exit_code,
        "seconds": round(step.seconds, 1),
        "attempts": step.attempts,
        "tolerated": step.tolerated,
        "log": step.log,
        "plugin": step.plugin,
        "version": step.version,
        "outputs": dict(step.ended.outputs),
        "findings": [f.as_json() for f in step.ended.findings],
    }
