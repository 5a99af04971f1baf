"""The facts by which each promotion was judged, kept as notes on the merge commits, for policies to be replayed on.

Losing a record loses no decision: the merge's trailers say what was decided, a record only makes it repeatable.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime

from ghapp import names
from ghapp.git import Git, Moved
from jobs.promotion.propose import WRITER
from policies.gates.facts import Promotion
from policies.gates.record import BadFacts, Record, read_record, write_record
from policies.verdict import Verdict

FETCH = f"+{names.PROMOTIONS_REF}*:{names.PROMOTIONS_REF}*"  # a pattern: a remote without records is no error
_ATTEMPTS = 5


def record(git: Git, merged: str, facts: Promotion, verdicts: Mapping[str, Verdict], at: datetime) -> None:
    """Keep by which facts ``merged`` was decided at ``at``."""
    decided = {gate: verdict.state.value for gate, verdict in verdicts.items()}
    data = write_record(Record(merged, at, facts, decided))
    content = json.dumps(data, sort_keys=True, ensure_ascii=False).encode() + b"\n"
    path = f"{merged[:2]}/{merged[2:]}"
    for _ in range(_ATTEMPTS):
        with git.lock():
            git.fetch(FETCH)
            tip = git.resolve(names.PROMOTIONS_REF)
            if tip and git.object_id(tip, path):
                return
            message = f"{facts.app}: {facts.release.id} → {facts.environment.name}\n"
            new = git.write(parent=tip, message=message, author=WRITER, at=at, files={path: content})
        try:
            git.push(new, names.PROMOTIONS_REF, old=tip)
        except Moved:
            continue
        return


def recorded(git: Git, since: datetime) -> Iterator[Record]:
    """The promotions that were merged from ``since`` on, newest first; what cannot be read is passed over."""
    with git.lock():
        git.fetch(FETCH)
        tip = git.resolve(names.PROMOTIONS_REF)
    if tip is None:
        return
    listed = git.run("log", f"--since={since.isoformat()}", "--format=", "--name-only", tip).text.split()
    for path in dict.fromkeys(listed):
        content = git.read(tip, path)
        try:
            yield read_record(json.loads(content or b""))
        except (BadFacts, ValueError):
            continue
