"""What a policy would have decided about past promotions. Judges recorded facts again, each at its own moment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from policies.gates import judge, ready
from policies.gates.record import Record
from policies.policy import PolicySet
from policies.verdict import State, Verdict


@dataclass(frozen=True)
class Replayed:
    """One promotion, judged again. ``before`` is what it was by the old policies, or as recorded; else ``None``."""

    record: Record
    after: Verdict
    gates: dict[str, Verdict]
    before: State | None

    @property
    def changed(self) -> bool:
        """Whether the decision is another one now; of a merged promotion without a record, whether it is not a pass."""
        return self.after.state is not (self.before or State.PASS)


def replay(
    records: Iterable[Record], policies: PolicySet, *, base: PolicySet | None = None, since: datetime | None = None
) -> list[Replayed]:
    """Every record from ``since`` on, oldest first, by ``policies`` (and, to compare, by ``base``)."""
    found = []
    for record in sorted(records, key=lambda r: r.at):
        if since and record.at < since:
            continue
        gates = judge(record.facts, policies, record.at)
        before = ready(judge(record.facts, base, record.at)).state if base else _recorded(record)
        found.append(Replayed(record, ready(gates), gates, before))
    return found


def _recorded(record: Record) -> State | None:
    """The state it had, by what was recorded of its gates."""
    if not record.decided:
        return None
    order = (State.ERROR, State.FAIL, State.PENDING)
    return next((state for state in order if state in record.decided.values()), State.PASS)
