"""Where else the App may look: other organisations that it is installed on, for policies that name their teams."""

from __future__ import annotations

from ghapp.approvals.gather import Asker, Elsewhere
from ghapp.github.app import GitHubApp


def elsewhere(app: GitHubApp) -> Elsewhere:
    """A client for an account that the App is installed on; ``None`` for any other. Installations are listed once."""
    installations: dict[str, int] = {}

    def find(account: str) -> Asker | None:
        if not installations:
            installations.update({i.account.lower(): i.id for i in app.installations() if not i.suspended})
        found = installations.get(account.lower())
        if found is None:
            return None
        return app.for_installation(found, {"contents": "read", "members": "read", "metadata": "read"})

    return find
