"""What people did that may count as an approval or a disapproval: one candidate a person, the latest.

Only finds. Whether a candidate counts is the rule's part.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from policies.approval.case import Case
from policies.approval.facts import Login
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
        if methods.body_patterns.matches(body.text):
            yield Candidate(Source.BODY, body.author, body.created_at, body.edited_at is not None)
    if methods.review or methods.review_patterns:
        case.require("reviews")
        for order, review in enumerate(case.facts.reviews):
            if review.state != methods.state:
                continue
            if methods.review_patterns and not methods.review_patterns.matches(review.body):
                continue
            edited = review.edited_at is not None
            yield Candidate(Source.REVIEW, review.author, review.submitted_at, edited, review.commit_oid, order)


def _comments(case: Case, methods: Methods) -> Iterator[Candidate]:
    case.require("comments")
    case.require("reviews")
    for comment in case.facts.comments:
        if _says(methods, comment.body):
            yield Candidate(Source.COMMENT, comment.author, comment.created_at, comment.edited_at is not None)
    for order, review in enumerate(case.facts.reviews):
        if review.state == "COMMENTED" and _says(methods, review.body):
            edited = review.edited_at is not None
            yield Candidate(Source.REVIEW, review.author, review.submitted_at, edited, review.commit_oid, order)


def _says(methods: Methods, text: str) -> bool:
    return any(wanted in text for wanted in methods.comments) or methods.comment_patterns.matches(text)


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
