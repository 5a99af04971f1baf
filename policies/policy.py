"""One policy as read from Git, and all of them together: what it says, who wrote it, in which file it stands.

Reading text is :mod:`policies.kinds`' part; joining organisation and repository, :mod:`policies.organisation`'s.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from policies.scope import Place, Scope
from policies.yamltext import Problem


class Origin(StrEnum):
    """Whose policy it is. A repository can add demands; it cannot take the organisation's away."""

    ORGANISATION = "organisation"
    REPOSITORY = "repository"


@dataclass(frozen=True)
class Policy:
    """One document of a policy file. ``body`` is what its kind's reader made of it; ``line`` where it begins."""

    kind: str
    name: str
    body: Any
    file: str
    line: int = 1
    origin: Origin = Origin.REPOSITORY
    scope: Scope = field(default_factory=Scope)

    @property
    def title(self) -> str:
        """How a sentence names it: ``the organisation's policy 'year end'``."""
        return f"the {self.origin}'s policy {self.name!r}"

    @property
    def where(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class BrokenPolicy:
    """A policy that cannot be read. ``kind`` is empty where not even that is known."""

    problems: tuple[Problem, ...]
    kind: str = ""
    origin: Origin = Origin.REPOSITORY


@dataclass(frozen=True)
class PolicySet:
    """Every policy that could apply, and every one that is broken: a broken policy never counts as an absent one."""

    policies: tuple[Policy, ...] = ()
    broken: tuple[BrokenPolicy, ...] = ()

    def of(self, kind: str, place: Place | None = None) -> tuple[Policy, ...]:
        """Those of one kind (that apply to ``place``), the organisation's first."""
        found = (p for p in self.policies if p.kind == kind and (place is None or p.scope.covers(place)))
        return tuple(sorted(found, key=lambda p: (p.origin is Origin.REPOSITORY, p.file, p.line)))

    def problems(self, kind: str) -> Iterator[Problem]:
        """What is wrong in policies of this kind, or of a kind that cannot be told."""
        return (p for broken in self.broken if broken.kind in ("", kind) for p in broken.problems)
