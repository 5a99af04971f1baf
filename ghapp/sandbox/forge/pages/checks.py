"""Check runs and statuses of a commit as lines of a list: one word for the state, one sentence, one address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ghapp.sandbox.forge.model import CheckRun, Repository, Status

Look = Literal["success", "failure", "pending", "neutral"]

_GOOD, _INDIFFERENT = ("success",), ("neutral", "skipped", "stale")


@dataclass(frozen=True, slots=True)
class Line:
    """One check. ``word`` is GitHub's for the state, ``look`` how it is coloured; ``run`` is None for a status."""

    name: str
    by: str
    look: Look
    word: str
    sentence: str
    address: str | None
    required: bool
    run: CheckRun | None = None


def run_look(run: CheckRun) -> Look:
    if run.status != "completed":
        return "pending"
    return "success" if run.conclusion in _GOOD else "neutral" if run.conclusion in _INDIFFERENT else "failure"


def lines(repository: Repository, sha: str, base: str | None = None) -> list[Line]:
    """All checks of a commit, the worst first; ``base`` is the branch whose protection says which are required."""
    rule = repository.protection(base) if base else None
    required = {check.context for check in (rule.required_checks or [])} if rule else set()
    found = [_of_run(run, required) for suite in repository.suites_of(sha) for run in suite.latest_runs()]
    found += [_of_status(status, required) for status in repository.latest_statuses(sha)]
    found += [
        Line(name, "", "pending", "expected", "Waiting for this to be reported", None, True)
        for name in required - {line.name for line in found}
    ]
    order = ("failure", "pending", "neutral", "success")
    return sorted(found, key=lambda line: (order.index(line.look), line.name))


def overall(found: list[Line]) -> Look | None:
    """What they amount to; None where there are none."""
    looks = {line.look for line in found}
    for look in ("failure", "pending", "success", "neutral"):
        if look in looks:
            return look
    return None


def _of_run(run: CheckRun, required: set[str]) -> Line:
    return Line(
        name=run.name,
        by=run.app.name,
        look=run_look(run),
        word=(run.conclusion or run.status).replace("_", " "),
        sentence=run.title or "",
        address=f"/{run.repository.full_name}/runs/{run.id}",
        required=run.name in required,
        run=run,
    )


def _of_status(status: Status, required: set[str]) -> Line:
    look: Look = "success" if status.state == "success" else "pending" if status.state == "pending" else "failure"
    return Line(
        name=status.context,
        by=status.creator.login,
        look=look,
        word=status.state,
        sentence=status.description or "",
        address=status.target_url,
        required=status.context in required,
    )
