"""Reporting straight to GitHub where there is no ghapp server: deployment statuses and one commit status.

Uses a token that a file holds (statuses and deployments: write). A status that is already there is not sent again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp
import orjson

from ghapp.agent.server import ServerError, refuse_plain_http


def context(environment: str) -> str:
    """The commit status on the environment branch's commit."""
    return f"ghapp / agent / {environment}"


class GitHub:
    """Writes reports (as :mod:`server` describes them) to one repository."""

    def __init__(
        self, api_url: str, repository: str, token: Callable[[], Awaitable[str]], session: aiohttp.ClientSession
    ) -> None:
        refuse_plain_http(api_url)
        self._root = f"{api_url.rstrip('/')}/repos/{repository}"
        self._token = token
        self._session = session

    async def report(self, report: Mapping[str, Any]) -> None:
        """Raises :class:`ServerError`."""
        environment, sha = str(report["environment"]), str(report["sha"])
        if sha:
            await self._status(environment, sha, report)
        for app in report["apps"]:
            found = await self._call(
                "GET", f"/deployments?environment={environment}&task=deploy:{app['app']}&per_page=1"
            )
            if found:
                await self._deployment(int(found[0]["id"]), app)

    async def _status(self, environment: str, sha: str, report: Mapping[str, Any]) -> None:
        state = {"in_progress": "pending"}.get(report["state"], report["state"])
        body = {"context": context(environment), "state": state, "description": report["description"]}
        known = await self._call("GET", f"/commits/{sha}/statuses?per_page=100")
        newest = next((s for s in known if s["context"] == body["context"]), None)
        if newest is None or (newest["state"], newest["description"]) != (state, body["description"]):
            await self._call("POST", f"/statuses/{sha}", body)

    async def _deployment(self, number: int, app: Mapping[str, Any]) -> None:
        body = {"state": app["state"], "description": app["description"], "auto_inactive": False}
        known = await self._call("GET", f"/deployments/{number}/statuses?per_page=1")
        if not known or (known[0]["state"], known[0]["description"]) != (body["state"], body["description"]):
            await self._call("POST", f"/deployments/{number}/statuses", body)

    async def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        headers = {
            "Authorization": f"Bearer {await self._token()}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        data = orjson.dumps(body) if body is not None else None
        timeout = aiohttp.ClientTimeout(total=30)
        try:
            async with self._session.request(
                method, self._root + path, data=data, headers=headers, timeout=timeout, allow_redirects=False
            ) as response:
                raw = await response.read()
                if response.status >= 300:
                    raise ServerError(f"GitHub answered {response.status} to {method} {path.partition('?')[0]}")
        except (aiohttp.ClientError, TimeoutError) as e:
            raise ServerError(f"GitHub does not answer ({type(e).__name__})") from None
        return orjson.loads(raw) if raw else None
