"""Step 2, fetch: where the branch is, and its newest commit, one deep.

The remote is asked for the SHA first; nothing is cloned while that is known. Credentials are minted just before use and
never sent over plain http to another machine. A repository on this machine is read where it is.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from ghapp.agent.server import ServerError, refuse_plain_http
from ghapp.git import Git, GitError

Mint = Callable[[], Awaitable[str]]


class FetchError(Exception):
    """The branch cannot be had now; the message says why and what to do."""


class Source:
    """A branch of a repository. ``mint`` gives a token for it (may be empty); ``directory`` is ours to fill."""

    def __init__(self, repo: str, branch: str, directory: Path, mint: Mint | None = None, ssh_key: str = "") -> None:
        self.repo = repo
        self.branch = branch
        self._mint = mint
        self._ssh_key = ssh_key
        local = Path(repo.removeprefix("file://"))
        self._local = "://" not in repo.removeprefix("file://") and local.is_dir()
        self.git = Git(local) if self._local else Git(directory, url=repo)

    @property
    def pace(self) -> float:
        """How many seconds to leave between two looks at the head while something waits for it to move."""
        return 0.5 if self._local else 5.0

    async def head(self) -> str:
        """The branch's commit now. Raises :class:`FetchError`."""
        ref = f"refs/heads/{self.branch}"
        try:
            if self._local:
                sha = await asyncio.to_thread(self.git.resolve, ref)
            else:
                git = await self._with_credentials()
                await asyncio.to_thread(git.create)
                sha = (await asyncio.to_thread(git.remote_refs, ref)).get(ref)
        except GitError as e:
            raise FetchError(f"{self.repo} cannot be asked for {self.branch}: {_shortly(e)}") from None
        if not sha:
            raise FetchError(
                f"{self.repo} has no branch {self.branch}; what was applied last stays, until there is one again"
            )
        return sha

    async def bring(self) -> str:
        """Have the branch's newest commit here, and its SHA. Raises :class:`FetchError`."""
        ref = f"refs/heads/{self.branch}"
        if self._local:
            return await self.head()
        try:
            git = await self._with_credentials()
            await asyncio.to_thread(git.create)
            await asyncio.to_thread(lambda: git.fetch(f"+{ref}:{ref}", depth=1, prune=False))
            sha = await asyncio.to_thread(git.resolve, ref)
        except GitError as e:
            raise FetchError(f"{self.branch} of {self.repo} cannot be fetched: {_shortly(e)}") from None
        if not sha:
            raise FetchError(f"{self.repo} has no branch {self.branch}")
        return sha

    async def _with_credentials(self) -> Git:
        env: dict[str, str] = {}
        if self._mint is not None and urlsplit(self.repo).scheme in ("http", "https"):
            try:
                refuse_plain_http(self.repo)
                token = await self._mint()
            except ServerError as e:
                raise FetchError(str(e)) from None
            env = header(self.repo, token) if token else {}
        if self._ssh_key:
            env["GIT_SSH_COMMAND"] = f"ssh -i {self._ssh_key} -o IdentitiesOnly=yes -o BatchMode=yes"
        return replace(self.git, credentials=lambda: env)


def header(url: str, token: str) -> dict[str, str]:
    """git's configuration, as environment variables, that sends a token to one host alone and follows no redirect."""
    parts = urlsplit(url)
    pair = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    return {
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": f"http.{parts.scheme}://{parts.netloc}/.extraHeader",
        "GIT_CONFIG_VALUE_0": f"Authorization: Basic {pair}",
        "GIT_CONFIG_KEY_1": "http.followRedirects",
        "GIT_CONFIG_VALUE_1": "false",
    }


def repository(url: str) -> str:
    """``https://github.com/acme/guestbook.git`` → ``acme/guestbook``."""
    path = urlsplit(url).path if "://" in url else url.rpartition(":")[2]
    return "/".join(path.strip("/").removesuffix(".git").split("/")[-2:])


def _shortly(e: GitError) -> str:
    return str(e).strip()[-300:]
