"""Whose approval of a promotion counts by itself: of this very head, by a person who may write and wrote none of it.

Shared by the gates that count approvals; the approval language has rules of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from policies.gates.facts import Commit, Promotion, Review
from policies.people import at_least, is_bot

# States of a review that end what the same person said before; a mere comment does not.
_SAYS = ("APPROVED", "CHANGES_REQUESTED", "DISMISSED")


@dataclass(frozen=True)
class Counted:
    """``approvers`` count; ``others`` are sentences on approvals that do not. ``unknown``: why nobody's can."""

    approvers: tuple[str, ...]
    others: tuple[str, ...] = ()
    unknown: str = ""


@dataclass(frozen=True)
class Rule:
    """Whose approvals count. ``permission`` is the least one needed, ``""`` where the caller asks people by name."""

    permission: str = "write"
    builders: bool = False
    requester: bool = True


USUAL = Rule()


def count(facts: Promotion, rule: Rule = USUAL) -> Counted:
    """The approvals of the head that is proposed.

    Apps never count, nor does an approval of another commit. Where ``builders`` do not count, a commit whose people
    GitHub does not know could be anyone's, and then nobody's approval does.
    """
    unknown = "" if rule.builders else _unknown(facts)
    approvers: list[str] = []
    others: list[str] = []
    for review in latest(facts.reviews):
        if review.author is None:
            continue
        if review.state == "CHANGES_REQUESTED":
            others.append(f"@{review.author} asks for changes")
        elif review.state == "APPROVED":
            why = _does_not_count(facts, review, review.author, rule)
            if why:
                others.append(f"@{review.author}'s approval {why}")
            else:
                approvers.append(review.author)
    return Counted(() if unknown else tuple(approvers), tuple(others), unknown)


def was_for(review: Review) -> str:
    """What is said of an approval of another head."""
    return f"was for {review.commit[:7] or 'an unknown commit'} and no longer counts"


def contributors(facts: Promotion) -> frozenset[str]:
    """Everyone known to have written, committed, co-written or built the release."""
    people = {facts.release.built_by}
    for commit in facts.release.commits:
        people |= {commit.author, *commit.co_authors}
        if not _by_the_web(commit):
            people.add(commit.committer)
    return frozenset(login for login in people if login)


def _by_the_web(commit: Commit) -> bool:
    return commit.committed_via_web or commit.committer == "web-flow"


def _unknown(facts: Promotion) -> str:
    """Why it cannot be said who wrote the release; ``""`` when it can."""
    for commit in facts.release.commits:
        who = (
            "its author"
            if commit.author is None
            else "its committer"
            if commit.committer is None and not _by_the_web(commit)
            else "a co-author"
            if None in commit.co_authors
            else ""
        )
        if who:
            return (
                f"commit {commit.sha[:7]} is by someone GitHub does not know ({who}), so nobody can be shown not to "
                "have written it; add the address to an account, or promote a release without it"
            )
    if not facts.release.commits_complete:
        return "the release has more commits than could be listed, so nobody can be shown not to have written it"
    return ""


def latest(reviews: Iterable[Review]) -> list[Review]:
    """What each person said last, in the order in which they said it; every deleted account is somebody else."""
    latest: dict[object, Review] = {}
    for i, review in enumerate(sorted(reviews, key=lambda r: r.submitted_at)):
        if review.state in _SAYS:
            key: object = review.author.lower() if review.author else i
            latest.pop(key, None)
            latest[key] = review
    return list(latest.values())


def _does_not_count(facts: Promotion, review: Review, login: str, rule: Rule) -> str:
    """Why an approval does not count; ``""`` if it does."""
    folded = login.lower()
    if is_bot(login):
        return "does not count: an App's"
    if review.commit != facts.head_sha:
        return was_for(review)
    permission = next((p for who, p in facts.permissions.items() if who.lower() == folded), None)
    if rule.permission and not at_least(permission, rule.permission):
        return f"does not count: {f'only {permission}' if permission else 'no'} permission here"
    if not rule.builders and folded in {who.lower() for who in contributors(facts)}:
        return "does not count: they wrote or built part of the release"
    if not rule.requester and (facts.requested_by or "").lower() == folded:
        return "does not count: they asked for it"
    return ""
