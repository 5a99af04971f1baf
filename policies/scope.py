"""Where a policy applies: repositories, apps, environments and branches by glob, and how narrow that is.

Only says whether a place is meant; what then follows is the policy's own business.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import Field

from policies.globs import matches, matches_any
from policies.strict import Block


@dataclass(frozen=True, slots=True)
class Place:
    """What a decision is about. ``repository`` is ``owner/name``; what does not play a part is empty."""

    repository: str
    app: str = ""
    environment: str = ""
    branch: str = ""


class Scope(Block):
    """Where a policy applies. Globs; a leading `!` excludes; a key that is absent means everywhere."""

    repositories: tuple[str, ...] = Field((), description="`owner/name`, or the name alone: `acme/*`, `guestbook`")
    apps: tuple[str, ...] = Field((), description="apps as `.ghapp.yml` names them")
    environments: tuple[str, ...] = Field((), description="environments: `prod`, `prod-*`")
    branches: tuple[str, ...] = Field((), description="source branches: `main`, `release/**`")

    def covers(self, place: Place) -> bool:
        """Whether the place is meant. A place without, say, an environment is not meant by a scope that names some."""
        return (
            self.names("repositories", place.repository)
            and self.names("apps", place.app)
            and self.names("environments", place.environment)
            and self.names("branches", place.branch)
        )

    def names(self, key: str, value: str) -> bool:
        """Whether one key (``repositories``, ``apps`` …), taken alone, reaches ``value``."""
        globs: tuple[str, ...] = getattr(self, key)
        return not globs or (_repository(globs, value) if key == "repositories" else matches_any(globs, value))

    @property
    def narrowness(self) -> int:
        """Higher is narrower: organisation 0, repository 1, app 2, environment 3, app in environment 4."""
        if self.environments:
            return 4 if self.apps else 3
        return 2 if self.apps else 1 if self.repositories else 0

    def __str__(self) -> str:
        named = {
            "repositories": self.repositories,
            "apps": self.apps,
            "environments": self.environments,
            "branches": self.branches,
        }
        return "; ".join(f"{key} {', '.join(globs)}" for key, globs in named.items() if globs) or "everywhere"


def _repository(globs: tuple[str, ...], repository: str) -> bool:
    name = repository.rpartition("/")[2]
    included = all(g.startswith("!") for g in globs)
    for glob in globs:
        bare = glob.removeprefix("!")
        if matches(bare, repository if "/" in bare else name, fold=True):
            included = not glob.startswith("!")
    return included
