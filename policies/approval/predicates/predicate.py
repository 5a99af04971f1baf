"""What a predicate is: a key in the policy file, the shape of its value, and a question to the facts."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol, Self, runtime_checkable

from policies.approval.case import Case
from policies.approval.result import Finding
from policies.approval.shapes import Shape


@runtime_checkable
class Predicate(Protocol):
    """One condition of a rule. ``about`` is shown in the published schema."""

    key: ClassVar[str]
    shape: ClassVar[Shape]

    @classmethod
    def of(cls, value: Any) -> Self:
        """From what :attr:`shape` read."""

    def judge(self, case: Case) -> Finding:
        """Raises :class:`policies.approval.case.CannotJudge` where the facts do not tell."""
