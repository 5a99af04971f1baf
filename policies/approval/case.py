"""One evaluation: the facts, the moment, and what has been worked out so far so that thirty rules ask it once.

Holds no decision of its own, and never outlives the evaluation.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from policies.approval.facts import Facts


class CannotJudge(Exception):
    """The facts do not answer what the policy asks. Becomes an ``error``, never a pass; the text is the sentence."""


@dataclass(eq=False)
class Case:
    """``now`` is UTC; it stands in for a push time that nobody recorded.

    ``path_patterns`` and ``text_patterns`` are all patterns that the policy holds against paths and against comments,
    so that each path and each comment is matched in one pass.
    """

    facts: Facts
    now: datetime
    path_patterns: tuple[str, ...] = ()
    text_patterns: tuple[str, ...] = ()
    memo: dict[Any, Any] = field(default_factory=dict)

    def require(self, kind: str) -> None:
        """Raise :class:`CannotJudge` if the facts say that their ``kind`` could not be read in full."""
        if sentence := self.facts.incomplete.get(kind):
            raise CannotJudge(sentence)
