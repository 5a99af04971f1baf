"""Each gate's verdict as a check run on the promotion's head, and their sum as ``ghapp / ready``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from ghapp import names
from ghapp.github.checks import Check, Conclusion
from policies.verdict import State, Verdict

# A gate that may still pass is shown as running; GitHub then shows the pull request as waiting, not as failed.
_CONCLUSIONS: dict[State, Conclusion] = {State.PASS: "success", State.FAIL: "failure", State.ERROR: "action_required"}


def check_of(name: str, verdict: Verdict) -> Check:
    """A verdict as it stands on GitHub; the title is its sentence."""
    details = verdict.details
    if verdict.until:
        moment = f"{verdict.until:%Y-%m-%d %H:%M:%S} UTC"
        details = f"Time alone may change this at {moment}; it is judged again then.\n\n{details}".strip()
    done = verdict.state is not State.PENDING
    return Check(
        name=name,
        title=verdict.sentence,
        summary=verdict.sentence,
        text=details,
        status="completed" if done else "in_progress",
        conclusion=_CONCLUSIONS.get(verdict.state),
    )


def checks_of(verdicts: Mapping[str, Verdict], ready: Verdict) -> list[Check]:
    """A check for each gate, and their sum last: it may be what a merge waits for."""
    return [*(check_of(names.gate_check(gate), v) for gate, v in verdicts.items()), check_of(names.CHECK_READY, ready)]


def refusal(name: str, title: str, text: str, now: datetime) -> Check:
    """A failed check: something that has to be mended before anything can be promoted."""
    return Check(name, title, title, text, conclusion="failure", completed_at=now)
