"""What is around an agent: ghapp's server or GitHub itself, git's credentials, where its metrics are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import aiohttp

from ghapp.agent import broker
from ghapp.agent.fetch import Mint
from ghapp.agent.github import GitHub
from ghapp.agent.server import Server
from ghapp.agent.service import Reporter

_PROJECTED = Path("/var/run/secrets/ghapp/token")


@dataclass(frozen=True)
class Surroundings:
    """Everything is optional. ``token_file`` is for git over https, ``github_token_file`` for writing statuses."""

    server: str = ""
    server_token_file: Path | None = None
    token_file: Path | None = None
    ssh_key: str = ""
    github_api_url: str = "https://api.github.com"
    github_token_file: Path | None = None
    metrics_port: int = 0
    metrics_host: str = "0.0.0.0"  # noqa: S104 - probes and Prometheus come from outside the pod

    def connect(self, session: aiohttp.ClientSession) -> Server | None:
        """ghapp's server, if there is one. Raises ServerError for an address that would leak the credential."""
        if not self.server:
            return None
        return Server(self.server, broker.credential(self.server_token_file or _PROJECTED), session)

    def mint(self, server: Server | None, repository: str) -> Mint | None:
        """How git gets its token: from a file, else from the server."""
        if self.token_file is not None:
            return broker.from_file(self.token_file)
        return broker.minting(server, repository) if server is not None else None

    def reporters(self, server: Server | None, repository: str, session: aiohttp.ClientSession) -> list[Reporter]:
        """Who is told what happened: the server, else GitHub, else nobody."""
        if server is not None:
            return [server.report]
        if self.github_token_file is None:
            return []
        return [GitHub(self.github_api_url, repository, broker.from_file(self.github_token_file), session).report]
