"""Tokens for git from ghapp's server: short-lived, read-only, for one repository, minted when they are needed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ghapp.agent.fetch import Mint
from ghapp.agent.server import Server, Token

_MARGIN = timedelta(minutes=5)


def minting(server: Server, repository: str) -> Mint:
    """Gives a token that is good for at least five minutes."""
    kept: list[Token] = []

    async def mint() -> str:
        if not kept or kept[0].expires_at - datetime.now(UTC) < _MARGIN:
            kept[:] = [await server.token(repository)]
        return kept[0].value

    return mint


def from_file(path: Path) -> Mint:
    """Gives what a file holds now."""

    async def mint() -> str:
        return path.read_text().strip()

    return mint


def credential(path: Path) -> Callable[[], str]:
    """What the agent shows to the server: a projected service-account token, or a pre-shared key."""

    def read() -> str:
        return path.read_text().strip()

    return read
