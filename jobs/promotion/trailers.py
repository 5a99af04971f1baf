"""The message of a promotion's merge commit: its trailers make the environment branch's log the audit trail. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ghapp import names
from ghapp.git import Commit
from policies.markdown import plain
from policies.verdict import Verdict

_LONGEST = 500  # characters of one trailer's value


@dataclass(frozen=True, slots=True)
class Account:
    """What an auditor will want to know of one merge."""

    app: str
    environment: str
    release: str
    source: str
    images: Mapping[str, str]
    kind: str
    gates: Mapping[str, Verdict]
    approvers: Sequence[str] = ()
    requested_by: str = ""
    reason: str = ""


def message(account: Account) -> str:
    """The body of the merge commit: one line on why it was allowed, then the trailers."""
    pairs = [
        (names.TRAILER_APP, account.app),
        (names.TRAILER_ENVIRONMENT, account.environment),
        (names.TRAILER_RELEASE, account.release),
        (names.TRAILER_SOURCE, account.source),
        *((names.TRAILER_IMAGE, f"{r}@{d}") for r, d in sorted(account.images.items())),
        (names.TRAILER_KIND, account.kind),
        *((names.TRAILER_APPROVED_BY, who) for who in account.approvers),
        *((names.TRAILER_GATE, f"{gate}: {v.state.value} – {v.sentence}") for gate, v in account.gates.items()),
    ]
    if account.requested_by:
        pairs.append((names.TRAILER_REQUESTED_BY, account.requested_by))
    if account.reason:
        pairs.append((names.TRAILER_REASON, account.reason))
    lines = "\n".join(f"{key}: {one_line(value)}" for key, value in pairs)
    return f"{_sentence(account)}\n\n{lines}\n"


def _sentence(account: Account) -> str:
    if account.approvers:
        return f"Merged by ghapp: every gate passed; approved by {', '.join(account.approvers)}."
    return "Merged by ghapp: every gate passed."


def one_line(value: str) -> str:
    """A value that stays one trailer whatever it contains: no line breaks, no control characters, never empty."""
    text = " ".join(plain(value).split())
    return (text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…") or "-"


def values(commit: Commit, key: str) -> list[str]:
    """Every value of a trailer, in order."""
    return [v for k, v in commit.trailers if k.lower() == key.lower()]
