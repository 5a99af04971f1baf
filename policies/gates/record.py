"""A promotion's facts as JSON and back: what replays, test cases and simulations read and write.

What is misspelt or has the wrong shape is refused with its place: a broken record is never judged as an empty one.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from policies.gates.facts import Promotion

_LEFT_OUT = "0" * 40


class BadFacts(ValueError):
    """Facts that cannot be read; the message names the place and what is wrong there."""


@dataclass(frozen=True)
class Record:
    """A promotion as it was judged at ``at``. ``decided`` maps a gate to the state it had, where that is known."""

    id: str
    at: datetime
    facts: Promotion
    decided: Mapping[str, str] = field(default_factory=dict)


@cache
def _adapter() -> TypeAdapter[Promotion]:
    return TypeAdapter(Promotion)


def read_promotion(data: Any) -> Promotion:
    """Facts from JSON data. What a test need not say (a head, a release) is filled in. Raises :class:`BadFacts`."""
    if not isinstance(data, dict):
        raise BadFacts("the facts are not a map")
    filled = _filled(data)
    try:
        facts = _adapter().validate_python(filled)
    except ValidationError as e:
        error = e.errors(include_url=False)[0]
        place = ".".join(str(p) for p in error["loc"])
        raise BadFacts(f"{place}: {error['msg'].removeprefix('Value error, ').lower()}") from None
    for place, key, known in _unknown(facts, filled, ""):
        close = difflib.get_close_matches(key, known, n=1)
        raise BadFacts(f"{place}{key}: unknown key" + (f"; did you mean {close[0]}?" if close else ""))
    return facts


def write_promotion(facts: Promotion) -> dict[str, Any]:
    """Facts as JSON data; what has its default is left out."""
    data: dict[str, Any] = _adapter().dump_python(facts, mode="json", exclude_defaults=True)
    return data


def read_record(data: Any) -> Record:
    """One record: ``{"id", "at", "facts", "decided"}``. Raises :class:`BadFacts`."""
    if not isinstance(data, dict) or not {"id", "at", "facts"} <= data.keys():
        raise BadFacts("a record is a map with id, at and facts")
    return Record(
        str(data["id"]), read_moment(data["at"], "at"), read_promotion(data["facts"]), data.get("decided") or {}
    )


def write_record(record: Record) -> dict[str, Any]:
    """What :func:`read_record` reads."""
    at = record.at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return {"id": record.id, "at": at, "facts": write_promotion(record.facts), "decided": dict(record.decided)}


def read_moment(value: Any, place: str) -> datetime:
    """RFC 3339, or without a zone, which is UTC. Raises :class:`BadFacts`."""
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        raise BadFacts(f"{place}: {str(value)[:40]!r} is not a time; write it like 2026-12-24T12:00:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def schema() -> dict[str, Any]:
    """The JSON Schema of the facts."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_adapter().json_schema()}


def _filled(data: dict[str, Any]) -> dict[str, Any]:
    """With what a short case leaves out; an environment may be given by its name alone.

    Only what every record has is filled in, so that nothing a record left out as usual is taken for something else.
    """
    filled = {"repository": "acme/app", "app": "app", "head_sha": _LEFT_OUT, **data}
    environment = filled.get("environment", "prod")
    filled["environment"] = {"name": environment} if isinstance(environment, str) else environment
    release = filled.get("release") or {}
    if isinstance(release, dict):
        release = {"id": "release", "commit": _LEFT_OUT, "created_at": "1970-01-01T00:00:00Z", **release}
        if isinstance(release.get("evidence"), list):
            release["evidence"] = [_evidence(e, release["commit"]) for e in release["evidence"]]
    filled["release"] = release
    if isinstance(filled.get("reviews"), list):
        filled["reviews"] = [_review(r, filled["head_sha"]) for r in filled["reviews"]]
    return filled


def _review(review: Any, head: Any) -> Any:
    blank = {"state": "APPROVED", "commit": head, "submitted_at": "1970-01-01T00:00:00Z"}
    return {**blank, **review} if isinstance(review, dict) else {**blank, "author": review}


def _evidence(evidence: Any, commit: Any) -> Any:
    blank = {"commit": commit, "at": "1970-01-01T00:00:00Z"}
    return {**blank, **evidence} if isinstance(evidence, dict) else evidence


def _unknown(read: Any, written: Any, place: str) -> Iterator[tuple[str, str, list[str]]]:
    """Keys that were written and read by nobody: pydantic leaves them aside in dataclasses."""
    if dataclasses.is_dataclass(read) and isinstance(written, dict):
        known = [f.name for f in dataclasses.fields(read)]
        for key, value in written.items():
            if key not in known:
                yield place, str(key), known
            else:
                yield from _unknown(getattr(read, key), value, f"{place}{key}.")
    elif isinstance(read, tuple) and isinstance(written, list | tuple):
        for i, (one, other) in enumerate(zip(read, written, strict=False)):
            yield from _unknown(one, other, f"{place}{i}.")
