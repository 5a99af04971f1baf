"""Releases and rejections, as read from the evidence on commits. What a release is made of is decided here once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ghapp import names
from ghapp.evidence.statement import Malformed, Statement, canonical


@dataclass(frozen=True, slots=True)
class Release:
    """An immutable candidate: one app at one source commit, with its images by digest (repository → ``sha256:…``).

    ``evidence`` are the ids of the statements it rests on; ``sbom`` the digest of its bill of materials or ``""``;
    ``at`` when it was made, in UTC; ``run`` which run made it; ``ref`` the branch or tag it was made for; ``tags`` the
    image tags that were set.
    """

    app: str
    commit: str
    at: datetime
    images: Mapping[str, str] = field(default_factory=dict)
    evidence: tuple[str, ...] = ()
    sbom: str = ""
    run: str = ""
    ref: str = ""
    tags: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """``<first 7 of the commit>-<6 hex digits>``; two runs that made the same thing made the same release."""
        content = canonical({"app": self.app, "commit": self.commit, "images": dict(self.images)})
        return f"{self.commit[:7]}-{hashlib.sha256(content).hexdigest()[:6]}"

    def statement(self) -> Statement:
        predicate = {
            "app": self.app,
            "release": self.name,
            "evidence": list(self.evidence),
            "sbom": self.sbom,
            "at": self.at.astimezone(UTC).isoformat(timespec="seconds"),
            "run": self.run,
            "ref": self.ref,
            "tags": list(self.tags),
        }
        return Statement(names.PREDICATE_RELEASE, self.commit, predicate, self.images)


@dataclass(frozen=True, slots=True)
class Rejection:
    """Someone's word that a release is bad: it is never proposed again."""

    app: str
    commit: str
    release: str
    reason: str
    by: str
    at: datetime

    def statement(self) -> Statement:
        predicate = {
            "app": self.app,
            "release": self.release,
            "reason": self.reason,
            "by": self.by,
            "at": self.at.astimezone(UTC).isoformat(timespec="seconds"),
        }
        return Statement(names.PREDICATE_REJECTION, self.commit, predicate)


def releases(notes: Mapping[str, Sequence[Statement]]) -> list[Release]:
    """Every release in ``notes`` (as :func:`ghapp.evidence.notes.read_notes` gives them), oldest first.

    The name is computed afresh, never believed: a statement whose content and name disagree is no release.
    """
    found = {r.name: r for statements in notes.values() for s in statements if (r := _release(s)) is not None}
    return sorted(found.values(), key=lambda r: (r.at, r.name))


def rejections(notes: Mapping[str, Sequence[Statement]]) -> dict[tuple[str, str], Rejection]:
    """(app, release name) → the first rejection of it."""
    found: dict[tuple[str, str], Rejection] = {}
    for statement in _of_kind(notes, names.PREDICATE_REJECTION):
        p = statement.predicate
        try:
            at = _moment(p["at"])
            one = Rejection(
                str(p["app"]), statement.commit, str(p["release"]), str(p.get("reason", "")), str(p.get("by", "")), at
            )
        except (KeyError, Malformed):
            continue
        known = found.get((one.app, one.release))
        if known is None or one.at < known.at:
            found[one.app, one.release] = one
    return found


def _of_kind(notes: Mapping[str, Sequence[Statement]], kind: str) -> Iterable[Statement]:
    return (s for statements in notes.values() for s in statements if s.kind == kind)


def _release(statement: Statement) -> Release | None:
    p = statement.predicate
    if statement.kind != names.PREDICATE_RELEASE:
        return None
    try:
        release = Release(
            app=str(p["app"]),
            commit=statement.commit,
            images=statement.images,
            evidence=tuple(map(str, p.get("evidence", ()))),
            sbom=str(p.get("sbom", "")),
            at=_moment(p["at"]),
            run=str(p.get("run", "")),
            ref=str(p.get("ref", "")),
            tags=tuple(map(str, p.get("tags", ()))),
        )
    except (KeyError, TypeError, Malformed):
        return None
    return release if p.get("release") == release.name else None


def _moment(text: object) -> datetime:
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        raise Malformed(f"{str(text)[:40]!r} is not a time") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
