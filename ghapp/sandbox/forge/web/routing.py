"""Which handler answers which request and what it takes to be let in: a table of :class:`Route`, and its search.

A route's needs are data, so that the permissions of every endpoint can be listed, read and tested without calling it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import unquote

# Parameters that may contain slashes: names of refs and branches, paths, and what is compared.
_SLASHED = frozenset({"ref", "branch", "path", "basehead", "tag", "environment_name"})

Access = Literal["", "app", "installation", "user", "signed-in"]


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint; ``handler`` takes a ``Call``, ``template`` is the published description's path.

    ``needs`` is what an installation must have (``checks:write``; with ``|`` any one of several); ``user`` what a
    person must have in the repository, derived from ``needs`` when empty; ``access`` for which kind of credentials it
    is; ``free`` lets an app's JWT in as well.
    """

    method: str
    template: str
    handler: Callable[[Any], Any]
    needs: str = ""
    user: str = ""
    access: Access = ""
    resource: str = "core"
    free: bool = False

    @property
    def alternatives(self) -> list[tuple[str, str]]:
        """(permission, ``read``/``write``/``admin``) pairs, any one of which is enough."""
        pairs = (need.partition(":") for need in self.needs.split("|") if need)
        return [(name, level) for name, _, level in pairs]

    @property
    def user_permission(self) -> str:
        """The least permission that a person needs in the repository."""
        if self.user:
            return self.user
        if not self.alternatives or all(level == "read" for _, level in self.alternatives):
            return "read"
        return "admin" if self.alternatives[0][0] == "administration" else "write"

    @property
    def accepted(self) -> str:
        """``X-Accepted-GitHub-Permissions``."""
        return "; ".join(f"{name}={level}" for name, level in self.alternatives)


def _compile(template: str) -> re.Pattern[str]:
    # The root folder's path is empty, and may be left out with its slash.
    whole = template.removesuffix("/{path}")
    optional = "(?:/(?P<path>.*))?" if whole != template else ""
    parts = re.split(r"\{(\w+)\}", whole)
    pattern = "".join(
        re.escape(part) if i % 2 == 0 else f"(?P<{part}>{'.+' if part in _SLASHED else '[^/]+'})"
        for i, part in enumerate(parts)
    )
    return re.compile(pattern + optional)


def _specificity(template: str) -> tuple[int, list[int]]:
    segments = template.split("/")
    return (-len(segments), [1 if s.startswith("{") else 0 for s in segments])


class Router:
    """Finds the route for a method and a path that is still percent-encoded, so that ``%2F`` stays inside a name."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes = sorted(routes, key=lambda route: _specificity(route.template))
        self._by_key: dict[str, list[tuple[re.Pattern[str], Route]]] = {}
        for route in self.routes:
            self._by_key.setdefault(self._key(route.template), []).append((_compile(route.template), route))

    @staticmethod
    def _key(path: str) -> str:
        """What narrows the search: the first word, and below a repository the fourth."""
        words = path.split("/")
        if words[1] == "repos" and len(words) > 4:
            return f"repos/{words[4]}"
        return words[1] if len(words) > 1 else ""

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """The route and its decoded parameters; HEAD is answered by GET."""
        wanted = "GET" if method == "HEAD" else method
        for pattern, route in self._by_key.get(self._key(path), ()):
            if route.method == wanted and (match := pattern.fullmatch(path)):
                return route, {name: unquote(value or "") for name, value in match.groupdict().items()}
        return None
