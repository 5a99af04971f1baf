"""What the agent and ghapp's server say to each other: three calls, all made by the agent; no inbound port.

Every call carries ``Authorization: Bearer <credential>``: a projected service-account token (its audience is the
server's URL), or a pre-shared key. Errors are 4xx/5xx with ``{"message": "<sentence>"}``.

``POST /agent/v1/token`` — a short-lived, read-only token for one repository::

    {"repository": "acme/guestbook"}
    200 {"token": "ghs_…", "expires_at": "2026-01-31T12:00:00Z", "repository": "acme/guestbook"}
    401 unknown credential   403 this agent may not read that repository   404 the app is not installed there

``GET /agent/v1/wait?repository=acme/guestbook&branch=env/prod&sha=<last seen, may be empty>&timeout=50`` — long poll::

    200 {"sha": "<where the branch is now>"}    as soon as it is not at ``sha`` (at once where it already is not)
    204                                         nothing moved for ``timeout`` seconds (server may cut it to 60)

The answer is a hint: the agent asks git before it believes it.

``POST /agent/v1/report`` — what happened, sent on change only::

    {"repository": "acme/guestbook", "branch": "env/prod", "environment": "prod", "sha": "<applied or tried>",
     "state": "in_progress" | "success" | "failure" | "error", "description": "<one line, at most 140 characters>",
     "objects": 12, "created": 1, "changed": 2, "pruned": 0,
     "errors": [{"object": "Deployment shop/web", "message": "…"}],                      at most 20
     "drift": [{"object": "Deployment shop/web", "fields": [".spec.replicas"], "managers": ["kubectl-edit"]}],
     "apps": [{"app": "guestbook", "state": "success", "description": "…", "release": "v1.2.3", "source_commit": "…",
               "tree": "<git tree of guestbook/>", "objects": 4, "errors": [...]}]}
    202 accepted

``state`` is GitHub's: ``in_progress`` while applying and waiting for health, ``success`` applied and healthy,
``failure`` applied but unhealthy or not everything applied, ``error`` nothing could be tried (no signature, no branch).
The server writes one GitHub Deployment status per app (task ``deploy:<app>``), and a commit status
``ghapp / agent / <environment>`` on ``sha``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson

WAIT_SECONDS = 50


class ServerError(RuntimeError):
    """The server refused or could not be reached; the message says which and what to do."""


@dataclass(frozen=True, slots=True)
class Token:
    """A short-lived credential for one repository. ``repr`` never shows it."""

    value: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"Token(expires_at={self.expires_at.isoformat()})"


class Server:
    """The three calls. ``credential`` is asked before each of them, since projected tokens are replaced on disk."""

    def __init__(self, url: str, credential: Callable[[], str], session: aiohttp.ClientSession) -> None:
        self.url = url.rstrip("/")
        refuse_plain_http(self.url)
        self._credential = credential
        self._session = session

    async def token(self, repository: str) -> Token:
        """A read-only token for one repository. Raises :class:`ServerError`."""
        data = await self._call("POST", "/agent/v1/token", body={"repository": repository})
        return Token(str(data["token"]), datetime.fromisoformat(str(data["expires_at"]).replace("Z", "+00:00")))

    async def wait(self, repository: str, branch: str, sha: str, seconds: int = WAIT_SECONDS) -> str:
        """The branch's SHA as soon as it is not ``sha``, else ``""`` after ``seconds``. Raises :class:`ServerError`."""
        query = {"repository": repository, "branch": branch, "sha": sha, "timeout": str(seconds)}
        data = await self._call("GET", "/agent/v1/wait", query=query, timeout=seconds + 15)
        return str(data.get("sha", ""))

    async def report(self, report: Mapping[str, Any]) -> None:
        """Say what happened. Raises :class:`ServerError`."""
        await self._call("POST", "/agent/v1/report", body=report)

    async def _call(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
        timeout: float = 30,
    ) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._credential()}", "Content-Type": "application/json"}
        try:
            async with self._session.request(
                method,
                self.url + path,
                params=query,
                data=orjson.dumps(body) if body is not None else None,
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=timeout),
                allow_redirects=False,
            ) as response:
                raw = await response.read()
                status = response.status
        except (aiohttp.ClientError, TimeoutError) as e:
            raise ServerError(f"ghapp's server at {self.url} does not answer ({type(e).__name__})") from None
        data = _object(raw)
        if status >= 300:
            said = str(data.get("message", "")) or f"HTTP {status}"
            raise ServerError(f"ghapp's server refused {method} {path}: {said[:300]}")
        return data


def _object(raw: bytes) -> dict[str, Any]:
    try:
        data = orjson.loads(raw) if raw else {}
    except orjson.JSONDecodeError:
        return {}
    return data if isinstance(data, dict) else {}


def refuse_plain_http(url: str) -> None:
    """Credentials travel over plain http to this machine alone. Raises :class:`ServerError`."""
    parts = urlsplit(url)
    if parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
        raise ServerError(f"{url} is plain http: a credential would be readable on the way; use https")
