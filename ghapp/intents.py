"""What people have decided and GitHub has no field for: holds, pins, requests and stops, kept in Git.

``refs/ghapp/intents`` is a line of commits, one a decision; its tree has a file ``<environment>/<app>.json`` for each
(environment, app) about which something is decided. Its log is the history of who decided what, when and why.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from ghapp.git import Git, GitError, Moved, Person

REF = "refs/ghapp/intents"
FETCH = "+refs/ghapp/intents*:refs/ghapp/intents*"  # a pattern, so that a remote without the ref is no error
EVERY = "_"  # in place of an app or environment: all of them (an emergency stop)
_ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class Decision:
    """One person's word. ``release`` is a release's name where the decision is about one; ``at`` is in UTC.

    ``kind`` of a request or pin is what its promotion is: ``promotion``, ``rollback`` or ``hotfix``.
    """

    by: str
    at: datetime
    reason: str = ""
    release: str = ""
    kind: str = "promotion"

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        known = {f.name for f in dataclasses.fields(cls)}
        given = {k: v for k, v in data.items() if k in known}
        return cls(**{**given, "at": datetime.fromisoformat(data["at"])})

    def to_json(self) -> dict[str, Any]:
        return {**dataclasses.asdict(self), "at": self.at.astimezone(UTC).isoformat(timespec="seconds")}


@dataclass(frozen=True, slots=True)
class Intent:
    """All that is decided about one (environment, app).

    ``hold``: nothing newer goes in. ``pin``: this release and no other (a rollback, or an older release chosen).
    ``request``: this release next, past the environments between (a hotfix) or out of turn. ``stop``: nothing at all.
    ``break_glass``: why findings may pass this once, if the approval that its policy demands is there.
    """

    hold: Decision | None = None
    pin: Decision | None = None
    request: Decision | None = None
    stop: Decision | None = None
    break_glass: Decision | None = None

    @property
    def empty(self) -> bool:
        return self == Intent()


Intents = Mapping[tuple[str, str], Intent]  # (environment, app) → what is decided about it


def read(git: Git) -> dict[tuple[str, str], Intent]:
    """Everything decided, from the mirror (fetch :data:`FETCH` first)."""
    tip = git.resolve(REF)
    if tip is None:
        return {}
    files = git.files(tip)
    found = {}
    for path, content in zip(files, git.read_all(list(files.values())), strict=True):
        environment, slash, app = path.removesuffix(".json").partition("/")
        if slash:
            found[environment, app] = _parse(content)
    return found


def change(
    git: Git,
    environment: str,
    app: str,
    decide: Callable[[Intent], Intent],
    *,
    message: str,
    by: Person,
    at: datetime,
) -> Intent:
    """Apply ``decide`` to what is decided about (environment, app) and push it; a writer that was first is built on.

    Nothing is written when nothing changes. Returns what is decided now. Raises :class:`~ghapp.git.GitError`.
    """
    path = f"{environment}/{app}.json"
    for _ in range(_ATTEMPTS):
        with git.lock():
            git.fetch(FETCH)
            tip = git.resolve(REF)
            content = git.read(tip, path) if tip else None
            before = _parse(content) if content else Intent()
            after = decide(before)
            if after == before:
                return after
            files = {} if after.empty else {path: _format(after)}
            new = git.write(
                parent=tip, message=message, author=by, at=at, files=files, remove=[path] if content else []
            )
        try:
            git.push(new, REF, old=tip)
        except Moved:
            continue
        return after
    raise GitError(f"{REF} moved {_ATTEMPTS} times while a decision was being written; try again")


def _parse(content: bytes) -> Intent:
    data = json.loads(content)
    return Intent(**{f.name: Decision.from_json(data[f.name]) for f in dataclasses.fields(Intent) if data.get(f.name)})


def _format(intent: Intent) -> bytes:
    parts = {f.name: getattr(intent, f.name) for f in dataclasses.fields(intent)}
    data = {name: decision.to_json() for name, decision in parts.items() if decision}
    return json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False).encode() + b"\n"
