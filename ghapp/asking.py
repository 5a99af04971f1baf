"""Giving a command from a laptop: it is written as a comment on a promotion's pull request, like any other command.

So there is one road for commands, with GitHub's own record of who asked, and ghapp's answer beside it.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from ghapp import names, process
from ghapp.git import Git, GitError

_REMOTE = re.compile(r"[:/]([^/:]+)/([^/]+?)(?:\.git)?/?$")


class AskError(RuntimeError):
    """The command could not be given; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A command that was given, and ghapp's answer if it came in time: ``done``, ``refused`` or ``waiting``."""

    comment: str
    pull_request: int
    state: str
    words: str = ""


class Asker:
    """One repository, as the person whose token it is."""

    def __init__(self, repository: str, *, api: str, token: str) -> None:
        self.repository = repository
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"}
        self._http = httpx.Client(base_url=f"{api.rstrip('/')}/repos/{repository}/", headers=headers, timeout=30)

    def ask(self, command: str, environment: str, *, wait: float = 20) -> Asked:
        """Write ``command`` where it is understood, and wait up to ``wait`` seconds for the answer."""
        pull = self._newest_promotion(environment)
        comment = self._call("POST", f"issues/{pull}/comments", {"body": command})
        until = time.monotonic() + wait
        while time.monotonic() < until:
            reactions = self._call("GET", f"issues/comments/{comment['id']}/reactions")
            given = {r["content"] for r in reactions if (r.get("user") or {}).get("type") == "Bot"}
            if given & {"+1", "confused"}:
                words = self._answer(pull, int(comment["id"]))
                return Asked(comment["html_url"], pull, "done" if "+1" in given else "refused", words)
            time.sleep(0.5)
        return Asked(comment["html_url"], pull, "waiting")

    def _newest_promotion(self, environment: str) -> int:
        newest = self._call("GET", f"pulls?state=all&per_page=1&base={names.environment_branch(environment)}")
        if not newest:
            raise AskError(
                f"{self.repository} has no promotion to {environment} yet, so there is no place for the command; "
                f"is the environment's name right, and has a release been made?"
            )
        return int(newest[0]["number"])

    def _answer(self, pull: int, comment: int) -> str:
        mark = f"<!-- ghapp: answer to {comment} -->"
        for one in self._call("GET", f"issues/{pull}/comments?per_page=100"):
            if mark in (one.get("body") or ""):
                return str(one["body"]).replace(mark, "").strip()
        return ""

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        try:
            answer = self._http.request(method, path, json=body)
        except httpx.HTTPError as e:
            raise AskError(f"GitHub at {self._http.base_url.host} does not answer: {e}") from None
        if answer.status_code in (401, 403, 404):
            fix = f"is the token right, and may its owner write to {self.repository}?"
            raise AskError(f"GitHub refuses ({answer.status_code}): {fix}")
        if answer.is_error:
            raise AskError(f"GitHub answered {answer.status_code}: {answer.text[:300]}")
        return answer.json()


def token(environ: Mapping[str, str] = os.environ) -> str:
    """The person's token: ``GH_TOKEN``, ``GITHUB_TOKEN``, or what ``gh auth token`` says."""
    for variable in ("GH_TOKEN", "GITHUB_TOKEN"):
        if found := environ.get(variable):
            return found
    try:
        return process.run(("gh", "auth", "token"), timeout=10).text.strip()
    except process.ProcessError:
        raise AskError("there is no token: set GH_TOKEN, or sign in with `gh auth login`") from None


def api(environ: Mapping[str, str] = os.environ) -> str:
    """The API's address: ``GHAPP_GITHUB_API_URL``, ``GITHUB_API_URL``, else github.com's."""
    return environ.get("GHAPP_GITHUB_API_URL") or environ.get("GITHUB_API_URL") or "https://api.github.com"


def repository_here() -> str:
    """``owner/name`` of the checkout's remote ``origin``. Raises :class:`AskError`."""
    try:
        url = Git(Path()).text("remote", "get-url", "origin")
    except GitError:
        raise AskError("this is no checkout with a remote `origin`; name the repository: --repo owner/name") from None
    match = _REMOTE.search(url)
    if match is None:
        raise AskError(f"the remote {url} does not look like owner/name; name the repository: --repo owner/name")
    return f"{match[1]}/{match[2]}"
