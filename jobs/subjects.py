"""What can be reconciled, and how it is named: the subject of a job, whose text form names it everywhere.

A subject names a repository by id, so that renames and transfers change nothing. It carries no facts: a job
re-reads GitHub. The one thing that cannot be re-read, a button pressed or a call made, travels as an :class:`Ask`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

# How many parts follow the kind in a subject's text form.
_PARTS = {"installation": 1, "repository": 1, "commit": 2, "pull": 2, "comment": 2, "environment": 3}
KINDS = tuple(_PARTS)

_NUMBER = re.compile(r"[1-9][0-9]{0,18}\Z")
_SHA = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64})\Z")
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?\Z")


@dataclass(frozen=True, slots=True, order=True)
class Subject:
    """One thing to look at afresh. Build it by the functions named after its kind, or from text by :meth:`parse`.

    ``kind`` is one of :data:`KINDS`; ``parts`` are what follows it in the text form: an installation's id, or a
    repository's id and then nothing, a commit's SHA, a pull request's number, a comment's id, or app and environment.
    """

    kind: str
    parts: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.parts) != _PARTS.get(self.kind, -1):
            raise ValueError(f"{self.kind}/{'/'.join(self.parts)} is not a subject")
        number, *rest = self.parts
        good = bool(_NUMBER.match(number))
        if self.kind == "commit":
            good = good and bool(_SHA.match(rest[0]))
        elif self.kind in ("pull", "comment"):
            good = good and bool(_NUMBER.match(rest[0]))
        elif self.kind == "environment":
            good = good and all(_NAME.match(name) for name in rest)
        if not good:
            raise ValueError(f"{self.kind}/{'/'.join(self.parts)} is not a subject: a part has the wrong form")

    def __str__(self) -> str:
        return "/".join((self.kind, *self.parts))

    @classmethod
    def parse(cls, text: str) -> Self:
        """The subject whose text form is ``text``. Raises ``ValueError`` for anything else."""
        kind, _, rest = text.partition("/")
        return cls(kind, tuple(rest.split("/")))

    @property
    def job_id(self) -> str:
        """The text form in the letters that RQ allows in the id of a job; no two subjects share one."""
        return str(self).replace("_", "_u").replace(".", "_d").replace("/", "__")

    @property
    def installation(self) -> int:
        """The installation's id. Only an ``installation`` has one."""
        return int(self._part("installation", 0))

    @property
    def repository(self) -> int:
        """The repository's id. Every kind but ``installation`` has one."""
        if self.kind == "installation":
            raise AttributeError(f"{self} belongs to no repository")
        return int(self.parts[0])

    @property
    def sha(self) -> str:
        return self._part("commit", 1)

    @property
    def number(self) -> int:
        """The pull request's number."""
        return int(self._part("pull", 1))

    @property
    def comment(self) -> int:
        """The issue comment's id."""
        return int(self._part("comment", 1))

    @property
    def app(self) -> str:
        return self._part("environment", 1)

    @property
    def environment(self) -> str:
        return self._part("environment", 2)

    def _part(self, kind: str, index: int) -> str:
        if self.kind != kind:
            raise AttributeError(f"{self} is not a subject of kind {kind}")
        return self.parts[index]


def installation(installation_id: int) -> Subject:
    return Subject("installation", (str(installation_id),))


def repository(repository_id: int) -> Subject:
    return Subject("repository", (str(repository_id),))


def commit(repository_id: int, sha: str) -> Subject:
    return Subject("commit", (str(repository_id), sha))


def pull(repository_id: int, number: int) -> Subject:
    return Subject("pull", (str(repository_id), str(number)))


def comment(repository_id: int, comment_id: int) -> Subject:
    return Subject("comment", (str(repository_id), str(comment_id)))


def environment(repository_id: int, app: str, environment: str) -> Subject:
    return Subject("environment", (str(repository_id), app, environment))


@dataclass(frozen=True, slots=True)
class Ask:
    """Something that someone pressed or called, which GitHub keeps nowhere to be read again.

    It reaches the reconcile of its subject at least once, so acting on it twice must do no harm. ``delivery`` is the id
    of the webhook delivery, the same each time. Verbs:

    ================ ==================================================================================
    ``rerun``        a check run was re-requested; ``about`` is its ``external_id`` (the run's id), ``data["name"]``
                     its name
    ``rerun_failed`` a check suite was re-requested; ``about`` is empty
    ``action``       a button of a check run; ``about`` and ``data["name"]`` as above, ``data["identifier"]`` the button
    ``dispatch``     a ``repository_dispatch``; ``about`` is its type, ``data`` its client payload
    ``members``      someone joined or left a team or the organisation: cached memberships no longer hold
    ================ ==================================================================================

    ``sender`` is the login of whoever asked; whether they may must be looked up.
    """

    verb: str
    about: str = ""
    sender: str = ""
    delivery: str = ""
    data: dict[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Again:
    """What a reconcile returns when time alone will give it something to do: ``at`` (UTC), and why."""

    at: datetime
    reason: str = ""
