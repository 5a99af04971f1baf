"""The check runs of one commit during one look at it: what GitHub has, kept current as they are put."""

from __future__ import annotations

from collections.abc import Sequence

from ghapp import names
from ghapp.github import checks
from ghapp.github.checks import Check, CheckRun
from ghapp.github.client import RepositoryClient


class Board:
    """``present`` are this app's newest check runs by name. Making one costs a call, finding them cost one."""

    def __init__(self, client: RepositoryClient, sha: str) -> None:
        self._client, self._sha = client, sha
        self.present = checks.ours(client, sha)

    def put(self, check: Check) -> None:
        """Show ``check``; no call if it is shown already."""
        made = checks.put(self._client, self._sha, check, self.present.get(check.name))
        if made is not None:
            self.present[check.name] = made

    def runs_of(self, app: str, stages: Sequence[str]) -> dict[str, CheckRun]:
        """Stage → its check run, where a run has made one (a remark such as "skipped" belongs to no run)."""
        found = {stage: self.present.get(names.stage_check(app, stage)) for stage in stages}
        return {stage: check for stage, check in found.items() if check is not None and check.external_id}
