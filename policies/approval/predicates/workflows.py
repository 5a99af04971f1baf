"""The predicate on GitHub Actions workflow runs of the head."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from policies.approval.case import Case
from policies.approval.facts import Facts, WorkflowRun
from policies.approval.predicates.statuses import CONCLUSIONS, SUCCESS
from policies.approval.result import Finding
from policies.approval.shapes import ListOf, Record, Shape, Text


def latest(facts: Facts) -> dict[str, dict[str, str]]:
    """The conclusion of the newest completed run (by update time) of each workflow file, by kind of event."""
    newest: dict[str, dict[str, WorkflowRun]] = {}
    for run in facts.workflow_runs:
        if run.status == "completed":
            by_event = newest.setdefault(run.path, {})
            before = by_event.get(run.event)
            if before is None or run.updated >= before.updated:
                by_event[run.event] = run
    return {path: {event: run.conclusion for event, run in runs.items()} for path, runs in newest.items()}


@dataclass(frozen=True)
class HasWorkflowResult:
    """True when every workflow ran, and its newest run of each kind of event concluded as allowed."""

    key: ClassVar[str] = "has_workflow_result"
    shape: ClassVar[Shape] = Record(
        {"workflows": ListOf(Text(), "Paths of workflow files."), "conclusions": CONCLUSIONS},
        "All of these workflows concluded as wanted.",
    )
    workflows: tuple[str, ...]
    conclusions: tuple[str, ...] = SUCCESS

    @classmethod
    def of(cls, value: Any) -> Self:
        return cls(tuple(value.get("workflows") or ()), tuple(value.get("conclusions") or ()) or SUCCESS)

    def judge(self, case: Case) -> Finding:
        case.require("workflow_runs")
        results = latest(case.facts)
        allowed = " or ".join(self.conclusions)
        if missing := [path for path in self.workflows if path not in results]:
            return Finding(self.key, False, f"no run of {', '.join(missing)} has completed on this commit")
        failing = [
            f"{path} on {event or 'an event'} ({conclusion or 'no conclusion'})"
            for path in self.workflows
            for event, conclusion in results[path].items()
            if conclusion not in self.conclusions
        ]
        if failing:
            return Finding(self.key, False, f"{', '.join(failing)} has not concluded with {allowed}")
        return Finding(self.key, True, f"{', '.join(self.workflows) or 'no workflow'} concluded with {allowed}")
