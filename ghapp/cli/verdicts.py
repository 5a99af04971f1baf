"""Verdicts on a terminal: one line a gate, what it waits for, and when that may change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from policies.gates.registry import ready
from policies.verdict import State, Verdict

MARKS = {
    State.PASS: ("✓", "green"),
    State.PENDING: ("…", "yellow"),
    State.FAIL: ("✗", "red"),
    State.ERROR: ("‼", "red"),
}


def mark(state: State) -> str:
    sign, colour = MARKS[state]
    return click.style(sign, fg=colour)


def show(verdicts: Mapping[str, Verdict]) -> None:
    """The tree: what `ghapp / ready` says, then every gate."""
    total = ready(verdicts)
    click.echo(f"{mark(total.state)} {click.style('ready', bold=True)}: {total.state}{_until(total)}")
    width = max((len(name) for name in verdicts), default=0)
    for name, verdict in verdicts.items():
        click.echo(f"  {mark(verdict.state)} {name.ljust(width)}  {verdict.sentence}{_until(verdict)}")


def as_data(verdicts: Mapping[str, Verdict]) -> dict[str, Any]:
    """The same for machines."""
    return {"ready": _data(ready(verdicts)), "gates": {name: _data(v) for name, v in verdicts.items()}}


def _data(verdict: Verdict) -> dict[str, Any]:
    return {
        "state": verdict.state.value,
        "sentence": verdict.sentence,
        "details": verdict.details,
        "until": verdict.until,
    }


def _until(verdict: Verdict) -> str:
    return f" (may change {verdict.until:%Y-%m-%d %H:%M} UTC)" if verdict.until else ""
