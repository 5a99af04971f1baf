"""How something is written or deleted: what requests and controllers say to the object store besides the object."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ghapp.sandbox.cluster.types import Object

STATUS = ("status", "approval")
"""Subresources through which a status is written."""

Guard = Callable[[Object], None]
"""Sees an object just before it is stored, and raises ApiError to refuse it."""


@dataclass(frozen=True, slots=True)
class Write:
    """By which field manager something is written, for real or not, and how strictly.

    ``validation`` is what to do with unknown fields: Ignore, Warn or Strict. ``warnings`` collects what to tell.
    """

    manager: str = "unknown"
    dry_run: bool = False
    validation: str = "Warn"
    subresource: str = ""
    guard: Guard | None = None
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Delete:
    """What must hold of a deleted object, and what becomes of those it owns: Background, Foreground, Orphan, or "" for
    the kind's default."""

    uid: str = ""
    version: str = ""
    propagation: str = ""
    dry_run: bool = False
