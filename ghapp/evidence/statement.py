"""in-toto statements: what happened (a step, a scan, a build, a release) on which commit and which images.

A statement is a fact, canonical and content-addressed; this module neither signs nor stores it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ghapp import names

_SHA = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64})\Z")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z")
COMMIT = "commit"  # the name of the subject that is the source commit


class Malformed(ValueError):
    """A payload that is not a statement of ours; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One fact about ``commit`` and, where it is about images, about ``images`` (repository → ``sha256:…``).

    ``predicate`` is plain JSON data, different for each ``kind`` (a predicate type of :mod:`ghapp.names`).
    """

    kind: str
    commit: str
    predicate: Mapping[str, Any]
    images: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """What other evidence calls it: the SHA-256 of its payload, in hex."""
        return hashlib.sha256(self.payload()).hexdigest()

    def payload(self) -> bytes:
        """The statement as canonical JSON; the same facts give the same bytes."""
        subjects: list[dict[str, Any]] = [{"name": COMMIT, "digest": {"gitCommit": self.commit}}]
        for repository, digest in sorted(self.images.items()):
            subjects.append({"name": repository, "digest": {"sha256": digest.removeprefix("sha256:")}})
        return canonical(
            {
                "_type": names.STATEMENT_TYPE,
                "subject": subjects,
                "predicateType": self.kind,
                "predicate": dict(self.predicate),
            }
        )


def canonical(data: Any) -> bytes:
    """JSON with sorted keys and without spaces."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def parse(payload: bytes) -> Statement:
    """The statement in a (verified) payload. Raises :class:`Malformed`."""
    try:
        data = json.loads(payload)
    except (ValueError, RecursionError):
        raise Malformed("the payload is not JSON") from None
    if not isinstance(data, dict) or data.get("_type") != names.STATEMENT_TYPE:
        raise Malformed("the payload is not an in-toto statement")
    kind, predicate, subjects = data.get("predicateType"), data.get("predicate"), data.get("subject")
    if not isinstance(kind, str) or not isinstance(predicate, dict) or not isinstance(subjects, list):
        raise Malformed("the statement lacks a subject, a predicate or its type")
    commit, images = "", {}
    for subject in subjects:
        name, digest = (subject.get("name"), subject.get("digest")) if isinstance(subject, dict) else (None, None)
        if not isinstance(name, str) or not isinstance(digest, dict):
            raise Malformed("a subject lacks its name or digest")
        if name == COMMIT:
            commit = str(digest.get("gitCommit", ""))
        else:
            images[name] = f"sha256:{digest.get('sha256', '')}"
    if not _SHA.match(commit):
        raise Malformed("the statement names no commit")
    if wrong := [name for name, digest in images.items() if not _DIGEST.match(digest)]:
        raise Malformed(f"the digest of {wrong[0]} is not a SHA-256")
    return Statement(kind, commit, predicate, images)
