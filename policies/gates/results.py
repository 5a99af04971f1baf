"""Which recorded result belongs to a gate: the newest for this very head, unless two at once contradict each other."""

from __future__ import annotations

from dataclasses import dataclass

from policies.gates.facts import Promotion, Result
from policies.verdict import Verdict, error


@dataclass(frozen=True, slots=True)
class Answer:
    """The one result that counts."""

    result: Result


def newest(gate: str, facts: Promotion) -> Answer | Verdict | None:
    """The result for ``gate`` at the present head; ``None`` where there is none, an error where there are two."""
    own = [r for r in facts.results if r.gate == gate and r.head_sha == facts.head_sha]
    if not own:
        return None
    latest = max(r.at for r in own)
    answers = [r for r in own if r.at == latest]
    if len({(r.status, r.error, r.samples, r.body) for r in answers}) > 1:
        both = " and ".join(_say(r) for r in answers[:2])
        return error(f"{gate}: there are two answers of the same moment: {both}; ask again")
    return Answer(answers[0])


def _say(result: Result) -> str:
    return result.error or (
        f"status {result.status}" if result.status is not None else f"{len(result.samples)} samples"
    )
