"""What people did that may count as an approval or a disapproval: one candidate a person, the latest.

Only finds. Whether a candidate counts is the rule's part.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from policies.approval.case import Case
from policies.approval.facts import Login
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
        yield from _comments(case, methods)
    if methods.body_patterns:
        case.require("body")
        body = case.facts.body
        if _matches(case, methods.body_patterns, body.text):
            yield Candidate(Source.BODY, body.author, body.created_at, body.edited_at is not None)
    if methods.review or methods.review_patterns:
        case.require("reviews")
        for order, review in enumerate(case.facts.reviews):
            if review.state != methods.state:
                continue
            if methods.review_patterns and not _matches(case, methods.review_patterns, review.body):
                continue
            edited = review.edited_at is not None
            yield Candidate(Source.REVIEW, review.author, review.submitted_at, edited, review.commit_oid, order)


def _comments(case: Case, methods: Methods) -> Iterator[Candidate]:
    case.require("comments")
    case.require("reviews")
    for comment in case.facts.comments:
        if _says(case, methods, comment.body):
            yield Candidate(Source.COMMENT, comment.author, comment.created_at, comment.edited_at is not None)
    for order, review in enumerate(case.facts.reviews):
        if review.state == "COMMENTED" and _says(case, methods, review.body):
            edited = review.edited_at is not None
            yield Candidate(Source.REVIEW, review.author, review.submitted_at, edited, review.commit_oid, order)


def _says(case: Case, methods: Methods, text: str) -> bool:
    for wanted in methods.comments:  # a plain loop: this runs for every rule and comment
        if wanted in text:
            return True
    return bool(methods.comment_patterns) and _matches(case, methods.comment_patterns, text)


def _matches(case: Case, wanted: PatternList, text: str) -> bool:
    """Whether any of the patterns matches; the whole policy's patterns are asked at once, and once a text."""
    if not case.memo.setdefault("text patterns", frozenset(case.text_patterns)).issuperset(wanted.sources):
        return wanted.matches(text)
    known: dict[str, frozenset[str]] = case.memo.setdefault("texts", {})
    if text not in known:
        together = every(case.text_patterns)
        known[text] = frozenset(together.sources[i] for i in together.which(text)) if together else frozenset()
    return not known[text].isdisjoint(wanted.sources)


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
