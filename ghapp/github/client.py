"""Calls on behalf of an installation: for one repository, or for everything that it covers.

Complete lists or none: a list that GitHub cuts short raises :class:`~ghapp.github.errors.Truncated`.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from ghapp.github import errors
from ghapp.github.connection import Answer, Call, Connection
from ghapp.github.tokens import Permissions, Token, Tokens

# Lists that end early without saying so, and the length at which they do.
# https://docs.github.com/en/rest/pulls/pulls (files, commits), https://docs.github.com/en/rest/commits/commits
_CAPS = (
    (re.compile(r"(?:^|/)pulls/\d+/commits$"), 250),
    (re.compile(r"(?:^|/)pulls/\d+/files$"), 3000),
    (re.compile(r"(?:^|/)commits/[^/]+$"), 3000),
)


class Client:
    """REST and GraphQL as one installation, with the permissions that it was made with."""

    def __init__(
        self,
        connection: Connection,
        tokens: Tokens,
        installation: int,
        permissions: Permissions,
        repositories: tuple[int, ...] = (),
    ) -> None:
        self.connection, self._tokens = connection, tokens
        self.installation, self.permissions, self._repositories = installation, permissions, repositories

    def get(self, path: str, **params: Any) -> Any:
        """The JSON at ``path`` (below this client's root, or from the API's root with a leading ``/``)."""
        return self._send("GET", path, params=params).data

    def post(self, path: str, json: Any = None) -> Any:
        return self._send("POST", path, json=json, repeatable=False).data

    def put(self, path: str, json: Any = None) -> Any:
        return self._send("PUT", path, json=json).data

    def patch(self, path: str, json: Any = None) -> Any:
        return self._send("PATCH", path, json=json).data

    def delete(self, path: str, json: Any = None) -> Any:
        return self._send("DELETE", path, json=json).data

    def paginate(self, path: str, *, key: str = "", limit: int = 100_000, **params: Any) -> list[Any]:
        """Every item of a list, through all its pages.

        ``key`` names the list inside of an object (``check_runs``). Raises ``Truncated`` when there are more than
        ``limit`` items, or when GitHub itself gives only the first part.
        """
        items: list[Any] = []
        answer = self._send("GET", path, params={"per_page": 100, **params})
        while True:
            page = answer.data[key] if key else answer.data
            items += page
            if len(items) > limit:
                raise errors.Truncated(f"{path} has more than {limit} entries; nothing is decided from a part of them.")
            if not answer.next:
                break
            answer = self._send("GET", answer.next)
        self._refuse_part(path, items, answer.data if key else {})
        return items

    def graphql(self, query: str, variables: Mapping[str, Any] | None = None) -> Any:
        """The ``data`` of a GraphQL answer. Raises ``GraphQLError`` when it has errors."""
        body = {"query": query, "variables": dict(variables or {})}
        mutation = query.lstrip().startswith("mutation")
        url = self.connection.graphql_url
        data = self._send("POST", url, json=body, repeatable=not mutation).data
        if problems := data.get("errors"):
            sentence = "; ".join(str(problem.get("message", problem)) for problem in problems[:3])
            raise errors.GraphQLError(f"GraphQL: {sentence}", errors=problems, data=data.get("data"))
        return data["data"]

    def minted(self) -> Token:
        """The token itself and when it expires, for an agent or a step that was promised one. Never log it."""
        return self._tokens.token(self.installation, self._repositories, self.permissions)

    def token(self) -> str:
        """As :meth:`minted`, the value alone."""
        return self.minted().value

    # --- inside ---------------------------------------------------------------------------------------
    def _url(self, path: str) -> str:
        return path if "://" in path or path.startswith("/") else f"/{path}"

    def _send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        repeatable: bool = True,
    ) -> Answer:
        params = {name: value for name, value in (params or {}).items() if value is not None}
        for fresh in (False, True):
            call = Call(
                method,
                self._url(path),
                self.installation,
                self.token(),
                params=params or None,
                json=json,
                repeatable=repeatable,
            )
            try:
                return self.connection.send(call)
            except errors.NotInstalled:
                self._tokens.forget(self.installation)
                raise
            except errors.GitHubError as e:
                if e.status != 401 or fresh:
                    raise
                self._tokens.forget(self.installation)  # revoked early: one new token, one more try
        raise AssertionError("the second attempt answers or raises")

    def _refuse_part(self, path: str, items: list[Any], envelope: Mapping[str, Any]) -> None:
        capped = any(pattern.search(path) and len(items) >= cap for pattern, cap in _CAPS)
        if capped or envelope.get("incomplete_results") or envelope.get("total_count", 0) > len(items):
            raise errors.Truncated(
                f"GitHub gives only the first {len(items)} entries of {path}; nothing is decided from a part."
            )


class RepositoryClient(Client):
    """Calls below one repository: ``get("pulls/7")`` is ``GET /repos/<owner>/<name>/pulls/7``.

    ``id`` stays when the repository is renamed; ``full_name`` is what it was called when this client was made.
    """

    def __init__(
        self,
        connection: Connection,
        tokens: Tokens,
        installation: int,
        permissions: Permissions,
        repository_id: int,
        full_name: str,
    ) -> None:
        super().__init__(connection, tokens, installation, permissions, (repository_id,))
        self.id, self.full_name = repository_id, full_name
        self.owner, _, self.name = full_name.partition("/")
        self.app_id = connection.app_id

    @property
    def clone_url(self) -> str:
        """Where git finds the repository; it carries no credentials."""
        return f"{self.connection.web_url}/{self.full_name}.git"

    def git_credentials(self) -> dict[str, str]:
        """Environment variables by which git signs in for this GitHub host, and nowhere else.

        See ``GIT_CONFIG_COUNT`` in git-config(1). Ask again for each git command: the token may have been replaced.
        """
        basic = base64.b64encode(f"x-access-token:{self.token()}".encode()).decode()
        return {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"http.{self.connection.web_url}/.extraHeader",
            "GIT_CONFIG_VALUE_0": f"Authorization: Basic {basic}",
            "GIT_TERMINAL_PROMPT": "0",
        }

    def _url(self, path: str) -> str:
        if "://" in path or path.startswith("/"):
            return path
        root = f"/repos/{quote(self.owner)}/{quote(self.name)}"
        return f"{root}/{path}" if path else root
