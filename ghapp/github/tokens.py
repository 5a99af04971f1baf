"""Installation tokens: minted for one repository with the permissions that a use needs, kept in memory only.

A token is never written to Redis, a log, a URL or an argument list; it lives at most an hour and is replaced before it
expires.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ghapp.github import errors
from ghapp.github.connection import Call, Connection

Permissions = Mapping[str, str]

# What reconciles do: read code and people, write checks, comments, branches, pull requests and deployments.
RECONCILE: Permissions = {
    "actions": "read",
    "checks": "write",
    "contents": "write",
    "deployments": "write",
    "issues": "write",
    "members": "read",
    "metadata": "read",
    "pull_requests": "write",
    "statuses": "read",
}
READ_CODE: Permissions = {"contents": "read", "metadata": "read"}
WRITE_CODE: Permissions = {"contents": "write", "metadata": "read"}

_REFRESH_BEFORE = 300.0  # seconds left at which a token is replaced, so that none expires in the middle of a fetch
_STRENGTH = {"read": 1, "write": 2, "admin": 3}


@dataclass(frozen=True, slots=True)
class Token:
    """An installation token; ``expires`` in seconds since the epoch. Its value is not part of its ``repr``."""

    value: str
    expires: float
    permissions: Permissions

    def __repr__(self) -> str:
        return f"Token(expires={self.expires:.0f}, permissions={dict(self.permissions)})"


class Tokens:
    """The tokens of this process. Safe for threads."""

    def __init__(self, connection: Connection, *, clock: Callable[[], float] = time.time) -> None:
        self._connection, self._clock = connection, clock
        self._kept: dict[tuple[int, tuple[int, ...], frozenset[tuple[str, str]]], Token] = {}
        self._granted: dict[int, Permissions] = {}
        self._lock = threading.Lock()

    def token(self, installation: int, repositories: tuple[int, ...], permissions: Permissions) -> Token:
        """A token for ``repositories`` (ids; empty for all of the installation) that is good for minutes to come.

        A permission that the installation has not granted is left out: the call that needs it fails with a sentence
        that names it, and every other call goes on. Raises :class:`~ghapp.github.errors.NotInstalled`.
        """
        key = (installation, repositories, frozenset(permissions.items()))
        with self._lock:
            kept = self._kept.get(key)
            if kept is None or kept.expires - self._clock() < _REFRESH_BEFORE:
                kept = self._kept[key] = self._mint(installation, repositories, permissions)
            return kept

    def forget(self, installation: int) -> None:
        """Drop every token of one installation: it was removed, suspended, or GitHub no longer accepts one."""
        with self._lock:
            self._granted.pop(installation, None)
            for key in [key for key in self._kept if key[0] == installation]:
                del self._kept[key]

    def _mint(self, installation: int, repositories: tuple[int, ...], permissions: Permissions) -> Token:
        asked = self._grantable(installation, permissions) if installation in self._granted else permissions
        try:
            return self._post(installation, repositories, asked)
        except errors.Invalid:
            # Something asked for is not granted. What is granted can be read, and the rest asked for again.
            self._granted[installation] = self._read_granted(installation)
            return self._mint_granted(installation, repositories, permissions)
        except errors.NotFound:
            raise errors.NotInstalled(
                f"The app is not installed there any more (installation {installation}).", status=404
            ) from None

    def _mint_granted(self, installation: int, repositories: tuple[int, ...], permissions: Permissions) -> Token:
        try:
            return self._post(installation, repositories, self._grantable(installation, permissions))
        except errors.Invalid as e:
            if not repositories:
                raise
            raise errors.NotInstalled(
                f"The app is not installed on the repository with id {repositories[0]} any more: {e.sentence}",
                status=422,
            ) from None

    def _post(self, installation: int, repositories: tuple[int, ...], permissions: Permissions) -> Token:
        body: dict[str, Any] = {"permissions": dict(permissions)}
        if repositories:
            body["repository_ids"] = list(repositories)
        call = Call("POST", f"/app/installations/{installation}/access_tokens", json=body)
        data = self._connection.send(call).data
        expires = datetime.fromisoformat(data["expires_at"]).timestamp()
        return Token(data["token"], expires, data.get("permissions") or permissions)

    def _read_granted(self, installation: int) -> Permissions:
        answer = self._connection.send(Call("GET", f"/app/installations/{installation}"))
        granted: Permissions = answer.data.get("permissions", {})
        return granted

    def _grantable(self, installation: int, permissions: Permissions) -> Permissions:
        """What of ``permissions`` the installation has granted, no more than it granted."""
        granted = self._granted[installation]
        weaker = {
            name: min(level, granted.get(name, ""), key=lambda v: _STRENGTH.get(v, 0))
            for name, level in permissions.items()
        }
        return {name: level for name, level in weaker.items() if level}
