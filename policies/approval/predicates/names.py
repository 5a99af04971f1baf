"""Predicates on what a pull request and its repository are called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from policies.approval.case import Case
from policies.approval.patterns import PatternList, any_of
from policies.approval.result import Finding
from policies.approval.shapes import Expression, ListOf, Record, Shape

_FIELDS = {
    "matches": ListOf(Expression(), "True when any of these matches."),
    "not_matches": ListOf(Expression(), "True when there are some and none of them matches."),
}


@dataclass(frozen=True)
class Repository:
    """True when ``owner/name`` matches any of ``matches``, or ``not_matches`` is given and none of it matches."""

    key: ClassVar[str] = "repository"
    shape: ClassVar[Shape] = Record(_FIELDS, "The repository, as owner/name.")
    wanted: PatternList
    unwanted: PatternList

    @classmethod
    def of(cls, value: Any) -> Self:
        return cls(any_of(value.get("matches")), any_of(value.get("not_matches")))

    def judge(self, case: Case) -> Finding:
        return self._judge(f"the repository {case.facts.repository}", case.facts.repository)

    def _judge(self, what: str, text: str) -> Finding:
        if self.wanted.matches(text):
            return Finding(self.key, True, f"{what} matches one of {_quoted(self.wanted)}")
        if self.unwanted and not self.unwanted.matches(text):
            return Finding(self.key, True, f"{what} matches none of {_quoted(self.unwanted)}")
        if self.unwanted:
            return Finding(self.key, False, f"{what} matches one of {_quoted(self.unwanted)}")
        return Finding(self.key, False, f"{what} matches none of {_quoted(self.wanted)}")


@dataclass(frozen=True)
class Title(Repository):
    """The same of the pull request's title."""

    key: ClassVar[str] = "title"
    shape: ClassVar[Shape] = Record(_FIELDS, "The title of the pull request.")

    def judge(self, case: Case) -> Finding:
        return self._judge(f"the title “{case.facts.title}”", case.facts.title)


def _quoted(patterns: PatternList) -> str:
    return ", ".join(f"`{source}`" for source in patterns.sources) or "no pattern at all"
