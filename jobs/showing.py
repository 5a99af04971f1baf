"""Making check runs say what they should, with no call at all where they say it already.

What was shown last is remembered (as a digest) where all processes see it. Forgetting costs one call that looks.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence

from ghapp.github import checks
from ghapp.github.checks import Check, CheckRun
from ghapp.github.client import RepositoryClient
from ghapp.github.shared import Store

_KEPT = 86_400  # seconds


def show(store: Store, client: RepositoryClient, commit: str, wanted: Sequence[Check]) -> int:
    """Make the checks on ``commit`` say so; returns how many runs were written.

    One call to look, if anything may have changed, and one for each run that does.
    """
    keys = {check.name: f"ghapp:shown:{client.id}:{commit}:{check.name}" for check in wanted}
    new = [check for check in wanted if store.get(keys[check.name]) != _digest(check)]
    if not new:
        return 0
    present: dict[str, CheckRun] = checks.ours(client, commit)
    written = 0
    for check in new:
        written += checks.put(client, commit, check, present.get(check.name)) is not None
        store.set(keys[check.name], _digest(check), seconds=_KEPT)
    return written


def shown(store: Store, client: RepositoryClient, commit: str, name: str) -> bool:
    """Whether a check of this name was shown on the commit not long ago."""
    return store.get(f"ghapp:shown:{client.id}:{commit}:{name}") is not None


def _digest(check: Check) -> str:
    # When it was completed is not part of what it says.
    said = dataclasses.replace(check, started_at=None, completed_at=None)
    return hashlib.sha256(repr(said).encode()).hexdigest()
