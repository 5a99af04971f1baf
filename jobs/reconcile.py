"""The registry of reconciles: for each kind of subject, the one function that looks at it afresh.

A reconcile reads GitHub and Git, does whatever is missing, and may be repeated or killed at any point without harm. The
queue sees to it that no subject is reconciled twice at once.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.subjects import Again, Ask, Subject

if TYPE_CHECKING:
    from ghapp.github.app import GitHubApp
    from ghapp.settings import Settings
    from jobs.queue import Queue

__all__ = ["RECONCILERS", "Again", "Ask", "Context", "Reconciler", "Subject", "reconciler"]


@dataclass(frozen=True, slots=True)
class Context:
    """What a reconcile is given: where things are and what time it is; no facts.

    ``asks`` is what people pressed or called about this subject since its last finished reconcile, oldest first;
    usually empty. ``now`` is in UTC.
    """

    settings: Settings
    github: GitHubApp
    queue: Queue
    now: datetime
    data_dir: Path
    asks: tuple[Ask, ...] = ()


Reconciler = Callable[[Subject, Context], Again | None]

# kind → "module:function"; imported when it is needed, so that a worker for pipelines loads no promotion code.
RECONCILERS: dict[str, str] = {
    "installation": "jobs.sweep:reconcile_installation",
    "repository": "jobs.sweep:reconcile_repository",
    "commit": "jobs.commit:reconcile",
    "pull": "jobs.pull:reconcile",
    "comment": "jobs.comment:reconcile",
    "environment": "jobs.environment:reconcile",
}


def reconciler(kind: str) -> Reconciler:
    """The function registered for ``kind``."""
    module, _, name = RECONCILERS[kind].partition(":")
    function: Reconciler = getattr(importlib.import_module(module), name)
    return function
