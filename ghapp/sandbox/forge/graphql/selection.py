"""Filters and orders that several connections take: ``states``, ``labels``, ``orderBy`` and their like."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from ghapp.sandbox.forge.model import PullRequest, Repository

Record = TypeVar("Record")

Order = dict[str, str] | None  # {"field": "CREATED_AT", "direction": "DESC"}

_ATTRIBUTES = {"ALPHABETICAL": "name", "TAG_COMMIT_DATE": "name", "STARGAZERS": "id", "PERMISSION": "id"}


def ordered(records: Iterable[Record], order: Order) -> list[Record]:
    """Sorted as ``orderBy`` says; as they are when it says nothing."""
    if not order:
        return list(records)
    field = order["field"]
    attribute = _ATTRIBUTES.get(field, field.lower())

    def rank(record: Record) -> Any:
        value = getattr(record, attribute, None) or getattr(record, "id", 0)  # a label's id tells its age as well
        return len(value) if isinstance(value, list) else value.lower() if isinstance(value, str) else value

    return sorted(records, key=rank, reverse=order["direction"] == "DESC")


def pull_state(pull: PullRequest) -> str:
    """``OPEN``, ``CLOSED`` or ``MERGED``."""
    return "MERGED" if pull.merged else pull.state.upper()


def pulls_where(
    pulls: Iterable[PullRequest],
    states: Sequence[str] | None = None,
    labels: Sequence[str] | None = None,
    head_ref_name: str | None = None,
    base_ref_name: str | None = None,
    order_by: Order = None,
) -> list[PullRequest]:
    """The pull requests that a ``pullRequests`` connection asks for; labels are alternatives."""
    wanted = {name.lower() for name in labels or ()}
    found = [
        pull
        for pull in pulls
        if (states is None or pull_state(pull) in states)
        and (labels is None or wanted & {label.name.lower() for label in list(pull.labels)})
        and head_ref_name in (None, pull.head_ref)
        and base_ref_name in (None, pull.base_ref)
    ]
    return ordered(found, order_by)


def repositories_where(
    repositories: Iterable[Repository],
    privacy: str | None = None,
    visibility: str | None = None,
    is_fork: bool | None = None,
    is_archived: bool | None = None,
    order_by: Order = None,
    **_ignored: Any,
) -> list[Repository]:
    """The repositories that a ``repositories`` connection asks for; whose they are was settled before."""
    found = [
        repository
        for repository in repositories
        if (privacy is None or (privacy == "PRIVATE") == repository.private)
        and visibility in (None, repository.visibility.upper())
        and is_fork in (None, repository.fork)
        and is_archived in (None, repository.archived)
    ]
    return ordered(found, order_by or {"field": "NAME", "direction": "ASC"})
