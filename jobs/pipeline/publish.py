"""Showing a run's stages on GitHub: every change at once, live text seldom, the end until it has arrived."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime

from ghapp.github import checks, errors
from ghapp.github.checks import Check, CheckRun
from ghapp.github.client import RepositoryClient

log = logging.getLogger(__name__)

LIVE_EVERY = 5.0  # seconds between two live texts; GitHub allows 80 writes a minute to an installation
_LIVE_SLOWER = 20.0  # after the first two minutes
_LONGEST_TRY = 900.0  # seconds that the end of a stage is tried to be shown


class Publisher:
    """The check runs of one run. ``present`` are those that GitHub has, by name."""

    def __init__(self, client: RepositoryClient, sha: str, present: dict[str, CheckRun]) -> None:
        self._client, self._sha, self._present = client, sha, present
        self._live_at = 0.0
        self._begun = time.monotonic()

    def belongs(self, name: str, run: str) -> bool:
        """Whether the check run of this name is still the run's, and waits for it."""
        check = self._present.get(name)
        return check is not None and check.external_id == run and check.status != "completed"

    def untouched(self, name: str) -> bool:
        """Whether nobody has begun with the check run of this name yet."""
        check = self._present.get(name)
        return check is not None and check.status == "queued"

    def live(self, check: Check) -> None:
        """Show progress, if the last time is a while ago. Failing to is no matter."""
        now = time.monotonic()
        every = LIVE_EVERY if now - self._begun < 120 else _LIVE_SLOWER
        if now - self._live_at < every:
            return
        self._live_at = now
        try:
            self._put(check)
        except errors.GitHubError as e:
            log.info("progress of %s could not be shown: %s", check.external_id, e)

    def change(self, check: Check) -> None:
        """Show a stage's beginning or end; tried again and again, because nobody else would."""
        self._live_at = time.monotonic()
        until = time.monotonic() + _LONGEST_TRY
        wait = 1.0
        while True:
            try:
                self._put(check)
                return
            except (errors.GitHubAway, errors.RateLimited) as e:
                if isinstance(e, errors.RateLimited):
                    wait = max(wait, min(120.0, (e.until - datetime.now(UTC)).total_seconds() + 1))
                if time.monotonic() + wait > until:
                    raise
                log.warning("%s cannot be shown yet: %s", check.name, e)
                time.sleep(wait)
                wait = min(30.0, 2 * wait)

    def _put(self, check: Check) -> None:
        made = checks.put(self._client, self._sha, check, self._present.get(check.name))
        if made is not None:
            self._present[check.name] = made
