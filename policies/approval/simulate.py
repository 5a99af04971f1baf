"""What if: the same pull request with comments and reviews added or left out, or going into another branch.

Only the facts change; the judging is :func:`policies.approval.judge.judge`'s as ever.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from policies.approval.actors import NOBODY, Actors
from policies.approval.case import Case
from policies.approval.facts import Comment, Facts, Review


@dataclass(frozen=True)
class Simulation:
    """``ignore_…``: whose comments or reviews to leave out. An empty ``base_branch`` keeps the real one."""

    ignore_comments: Actors = NOBODY
    ignore_reviews: Actors = NOBODY
    add_comments: tuple[Comment, ...] = ()
    add_reviews: tuple[Review, ...] = ()
    base_branch: str = ""


def simulate(facts: Facts, simulation: Simulation, now: datetime) -> Facts:
    """The facts as they would be. Raises :class:`policies.approval.case.CannotJudge` as membership may.

    The text of a review that only comments is a comment, and is ignored as one.
    """
    case = Case(facts, now)

    def kept(actors: Actors, author: str | None) -> bool:
        return actors.empty or not actors.include(case, author)

    comments = tuple(c for c in facts.comments if kept(simulation.ignore_comments, c.author))
    reviews = tuple(
        review
        for review in facts.reviews
        if kept(simulation.ignore_comments if review.state == "COMMENTED" else simulation.ignore_reviews, review.author)
    )
    return replace(
        facts,
        comments=comments + simulation.add_comments,
        reviews=reviews + simulation.add_reviews,
        base_branch=simulation.base_branch or facts.base_branch,
    )
