"""githubkit, set up for one GitHub: signing in, connections that are kept, and nothing that it would do by itself.

Imported by the first call only, since githubkit takes a while.
"""

from __future__ import annotations

import ssl
from typing import Any

import httpx
from githubkit import AppAuthStrategy, GitHub, Response, TokenAuthStrategy
from githubkit.cache import MemCacheStrategy

from ghapp.github import errors
from ghapp.settings import Settings

_TIMEOUT = 30.0  # seconds; GitHub itself gives up after 10


class _Plain(GitHub[Any]):
    """Leaves rate limits to ``connection.py``, which knows more of their forms (a date in ``Retry-After``)."""

    def _check_rate_limit(self, response: Response[Any]) -> None:
        """Nothing: the caller gets the response."""


class _Kept(httpx.HTTPTransport):
    """Its connections outlive the short-lived clients that githubkit makes for each call."""

    def close(self) -> None:
        """They end with the process."""

    def __exit__(self, *_: object) -> None:
        """As :meth:`close`."""


def sign_in(settings: Settings) -> GitHub[Any]:
    """A client that signs with the App's key. Raises ``GitHubError`` when there is none."""
    app_id, key = settings.app_id, settings.private_key
    if app_id is None or key is None:
        missing = "GHAPP_APP_ID" if app_id is None else "GHAPP_PRIVATE_KEY or GHAPP_PRIVATE_KEY_FILE"
        raise errors.GitHubError(f"{missing} is not set, so ghapp cannot sign in to GitHub; set it.")
    bundle = settings.github_ca_bundle
    verify: ssl.SSLContext | bool = ssl.create_default_context(cafile=str(bundle)) if bundle else True
    return _Plain(
        AppAuthStrategy(app_id, key.get_secret_value()),
        base_url=settings.github_api_url,
        user_agent="ghapp",
        timeout=_TIMEOUT,
        transport=_Kept(verify=verify, limits=httpx.Limits(max_connections=100, max_keepalive_connections=20)),
        cache_strategy=MemCacheStrategy(),  # the default one is shared by all of a process's clients, by app id alone
        http_cache=False,  # hishel's would keep bodies on disk; see conditional.py
        auto_retry=False,
    )


def with_token(github: GitHub[Any], token: str) -> GitHub[Any]:
    """The same GitHub, as the installation that ``token`` is for."""
    return _Plain(TokenAuthStrategy(token), config=github.config)
