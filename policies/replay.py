"""What a policy would have decided about past promotions. Judges recorded facts again, each at its own moment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from policies.gates.record import Record
from policies.gates.registry import judge, ready
from policies.markdown import escape
from policies.policy import PolicySet
from policies.verdict import State, Verdict, error, passed

_MOST_ROWS = 100


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


def verdict_on(found: Sequence[Replayed], policies: PolicySet, days: int) -> Verdict:
    """What a check on a pull request that changes policies says: never a failure for changing a decision.

    An error where a policy cannot be read; else how many decisions of the last ``days`` would be others, and which.
    """
    problems = [p for broken in policies.broken for p in broken.problems]
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        return error(
            f"a policy cannot be read: {problems[0]}{more}", details="\n".join(f"- {escape(str(p))}" for p in problems)
        )
    changed = [r for r in found if r.changed]
    period = f"{len(found)} promotion{'s' if len(found) != 1 else ''} of the last {days} days"
    if not changed:
        return passed(f"nothing would have been decided otherwise about the {period}")
    rows = ["| when | promotion | was | would be | because |", "|---|---|---|---|---|"]
    rows += [_row(r) for r in changed[:_MOST_ROWS]]
    if len(changed) > _MOST_ROWS:
        rows += ["", f"and {len(changed) - _MOST_ROWS} more"]
    return passed(f"{len(changed)} of the {period} would have been decided otherwise", details="\n".join(rows))


def _row(replayed: Replayed) -> str:
    facts, at = replayed.record.facts, replayed.record.at.astimezone(UTC)
    what = f"{facts.app}: {facts.release.id} → {facts.environment.name}"
    was, after = replayed.before or State.PASS, replayed.after
    return f"| {at:%Y-%m-%d %H:%M} | {escape(what)} | {was} | {after.state} | {escape(after.sentence, limit=300)} |"


def _recorded(record: Record) -> State | None:
    """The state it had, by what was recorded of its gates."""
    if not record.decided:
        return None
    order = (State.ERROR, State.FAIL, State.PENDING)
    return next((state for state in order if state in record.decided.values()), State.PASS)
