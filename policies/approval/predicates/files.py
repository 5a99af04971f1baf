"""Predicates on the paths that a change touches; a rename counts under its old name and its new one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from policies.approval import patterns
from policies.approval.case import Case
from policies.approval.patterns import NO_PATTERNS, PatternList, any_of
from policies.approval.result import Finding
from policies.approval.shapes import Expression, ListOf, Record, Shape

_PATHS = ListOf(Expression(), "Paths that match any of these.")
_IGNORE = ListOf(Expression(), "Paths to leave out of the question.")


def paths_matching(case: Case, wanted: PatternList) -> set[int]:
    """The places in ``facts.changed_paths`` that any of ``wanted`` matches."""
    hits: dict[str, set[int]] = case.memo.setdefault("paths", {})
    if missing := [source for source in wanted.sources if source not in hits]:
        sources = tuple(dict.fromkeys((*case.path_patterns, *missing)))
        everything = patterns.every(sources)
        hits.update({source: set() for source in sources})
        for place, path in enumerate(case.facts.changed_paths):
            for index in everything.which(path):
                hits[sources[index]].add(place)
    return set[int]().union(*(hits[source] for source in wanted.sources))


def _quoted(sources: Iterable[str]) -> str:
    return ", ".join(f"`{pattern}`" for pattern in sources) or "no pattern at all"


@dataclass(frozen=True)
class PathPredicate:
    """What the predicates on paths share: the patterns they hold against them."""

    paths: PatternList
    ignore: PatternList = NO_PATTERNS

    @classmethod
    def of(cls, value: Any) -> Self:
        return cls(any_of(value.get("paths")), any_of(value.get("ignore")))


@dataclass(frozen=True)
class ChangedFiles(PathPredicate):
    """True when a path that no ``ignore`` matches is matched."""

    key: ClassVar[str] = "changed_files"
    shape: ClassVar[Shape] = Record({"paths": _PATHS, "ignore": _IGNORE}, "A changed file matches.")

    def first(self, case: Case) -> str | None:
        """The first changed path that is meant."""
        case.require("files")
        meant = paths_matching(case, self.paths)
        if meant and self.ignore:
            meant -= paths_matching(case, self.ignore)
        return case.facts.changed_paths[min(meant)] if meant else None

    def judge(self, case: Case) -> Finding:
        path = self.first(case)
        if path is not None:
            return Finding(self.key, True, f"{path} was changed")
        return Finding(self.key, False, f"no changed file matches {_quoted(self.paths.sources)}")


@dataclass(frozen=True)
class NoChangedFiles(ChangedFiles):
    """The negation of ``changed_files``."""

    key: ClassVar[str] = "no_changed_files"
    shape: ClassVar[Shape] = Record({"paths": _PATHS, "ignore": _IGNORE}, "No changed file matches.")

    def judge(self, case: Case) -> Finding:
        path = self.first(case)
        if path is not None:
            return Finding(self.key, False, f"{path} was changed")
        return Finding(self.key, True, f"no changed file matches {_quoted(self.paths.sources)}")


@dataclass(frozen=True)
class OnlyChangedFiles(PathPredicate):
    """True when at least one file changed and all of them match."""

    key: ClassVar[str] = "only_changed_files"
    shape: ClassVar[Shape] = Record({"paths": _PATHS}, "All changed files match.")

    def judge(self, case: Case) -> Finding:
        case.require("files")
        changed = case.facts.changed_paths
        if not changed:
            return Finding(self.key, False, "no files changed")
        matched = paths_matching(case, self.paths)
        if other := next((path for place, path in enumerate(changed) if place not in matched), None):
            return Finding(self.key, False, f"{other} matches none of {_quoted(self.paths.sources)}")
        if len(matched) < len(changed):  # the old name of a rename that GitHub does not tell
            return Finding(self.key, False, f"a renamed file matches none of {_quoted(self.paths.sources)}")
        return Finding(self.key, True, f"all changed files match {_quoted(self.paths.sources)}")
