"""What people did that may count as an approval or a disapproval: one candidate a person, the latest.

Only finds. Whether a candidate counts is the rule's part.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from policies.approval.case import Case
from policies.approval.facts import Login, Review
from policies.approval.patterns import PatternList, every
from policies.approval.result import Candidate, Source
from policies.approval.rules import Methods


def latest(case: Case, methods: Methods) -> tuple[Candidate, ...]:
    """Everybody's latest candidate, oldest first; of two at the same time the first found stands."""
    key = ("candidates", id(methods))
    if key not in case.memo:
        people: dict[Login, Candidate] = {}
        for candidate in _all(case, methods):
            before = people.get(candidate.login)
            if before is None or before.created_at < candidate.created_at:
                people[candidate.login] = candidate
        case.memo[key] = tuple(sorted(people.values(), key=lambda c: c.created_at))
    found: tuple[Candidate, ...] = case.memo[key]
    return found


def _all(case: Case, methods: Methods) -> Iterator[Candidate]:
    if methods.comments or methods.comment_patterns:
        case.require("comments")
        case.require("reviews")
        matching = _texts_matching(case, methods.comment_patterns)
        words = methods.comments
        for said in _said(case):
            if said.text in matching or _contains_any(said.text, words):
                yield said.candidate
    if methods.body_patterns:
        case.require("body")
        body = case.facts.body
        if methods.body_patterns.matches(body.text):
            yield Candidate(Source.BODY, body.author, body.created_at, body.edited_at is not None)
    if methods.review or methods.review_patterns:
        case.require("reviews")
        for review, candidate in _reviews(case):
            if review.state == methods.state and (
                not methods.review_patterns or methods.review_patterns.matches(review.body)
            ):
                yield candidate


@dataclass(frozen=True, slots=True)
class _Said:
    """A comment, or the text of a review that only comments."""

    text: str
    candidate: Candidate


def _said(case: Case) -> tuple[_Said, ...]:
    if "said" not in case.memo:
        comments = (
            _Said(c.body, Candidate(Source.COMMENT, c.author, c.created_at, c.edited_at is not None))
            for c in case.facts.comments
        )
        reviews = (_Said(review.body, c) for review, c in _reviews(case) if review.state == "COMMENTED")
        case.memo["said"] = (*comments, *reviews)
    found: tuple[_Said, ...] = case.memo["said"]
    return found


def _reviews(case: Case) -> tuple[tuple[Review, Candidate], ...]:
    if "reviews" not in case.memo:
        case.memo["reviews"] = tuple(
            (r, Candidate(Source.REVIEW, r.author, r.submitted_at, r.edited_at is not None, r.commit_oid, order))
            for order, r in enumerate(case.facts.reviews)
        )
    found: tuple[tuple[Review, Candidate], ...] = case.memo["reviews"]
    return found


def _contains_any(text: str, words: tuple[str, ...]) -> bool:
    for word in words:  # noqa: SIM110 - a plain loop is twice as fast, and this runs for every rule and comment
        if word in text:
            return True
    return False


def _texts_matching(case: Case, wanted: PatternList) -> set[str]:
    """The texts that people wrote which match any of the patterns.

    The comment patterns of the whole policy are asked at once, and once a text.
    """
    if not wanted.sources:
        return set()
    hits: dict[str, set[str]] = case.memo.setdefault("texts", {})
    if missing := [source for source in wanted.sources if source not in hits]:
        together = every(tuple(dict.fromkeys((*case.text_patterns, *missing))))
        hits.update({source: set() for source in together.sources})
        for text in {said.text for said in _said(case)}:
            for index in together.which(text):
                hits[together.sources[index]].add(text)
    return set[str]().union(*(hits[source] for source in wanted.sources))


def changes_requested(case: Case) -> dict[Login, tuple[datetime, int]]:
    """When each person last asked for changes in a review that still stands, and its place among the reviews."""
    if "changes requested" not in case.memo:
        case.require("reviews")
        asked: dict[Login, tuple[datetime, int]] = {}
        for order, review in enumerate(case.facts.reviews):
            if review.state == "CHANGES_REQUESTED":
                moment = (review.submitted_at, order)
                asked[review.author] = max(moment, asked.get(review.author, moment))
        case.memo["changes requested"] = asked
    found: dict[Login, tuple[datetime, int]] = case.memo["changes requested"]
    return found
