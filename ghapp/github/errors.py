"""What can go wrong with GitHub, as types that a reconcile can tell apart; each message is a sentence for a person."""

from __future__ import annotations

from datetime import datetime
from typing import Any


class GitHubError(Exception):
    """GitHub did not do what was asked. ``status`` is the HTTP status, 0 where there was none."""

    def __init__(self, sentence: str, *, status: int = 0) -> None:
        self.sentence, self.status = sentence, status
        super().__init__(sentence)


class GitHubAway(GitHubError):
    """GitHub cannot be reached or answers with 5xx, after several tries; the same call may work in a minute."""


class RateLimited(GitHubError):
    """An installation's budget is used up. Calls for it make sense again at ``until`` (UTC), not before."""

    def __init__(self, sentence: str, *, until: datetime, installation: int | None = None, status: int = 0) -> None:
        super().__init__(sentence, status=status)
        self.until, self.installation = until, installation


class NotInstalled(GitHubError):
    """The app is not (or no longer) installed there, or suspended: there is nothing to do for that repository."""


class NotFound(GitHubError):
    """There is no such thing, or the installation may not see it (404, 410)."""


class MissingPermission(GitHubError):
    """The installation lacks a permission; the sentence names it (403)."""


class Conflict(GitHubError):
    """What the call was based on has changed meanwhile (409): read again and judge again."""


class NotMergeable(GitHubError):
    """GitHub refuses to merge now (405): a conflict, a missing required check or review, a draft."""


class Invalid(GitHubError):
    """GitHub understood the call and refuses its content (422); ``errors`` is its own list of reasons."""

    def __init__(self, sentence: str, *, errors: list[Any], status: int = 422) -> None:
        super().__init__(sentence, status=status)
        self.errors = errors


class Truncated(GitHubError):
    """GitHub gives only the first part of a list. Nothing may be decided from a part."""


class GraphQLError(GitHubError):
    """A GraphQL query with errors; ``data`` is what was answered beside them."""

    def __init__(self, sentence: str, *, errors: list[Any], data: Any) -> None:
        super().__init__(sentence, status=200)
        self.errors, self.data = errors, data
