"""Who approved a rule: which candidates count towards it, and why the others do not.

The order is the language's: latest word of each person, edits, pushes, bans, and only then whom the rule means. An
organisation that cannot be read therefore matters only once somebody who would otherwise count has to be looked up.
"""

from __future__ import annotations

from dataclasses import dataclass

from policies.approval import candidates, commits
from policies.approval.actors import Actors
from policies.approval.case import Case
from policies.approval.facts import Commit, Login
from policies.approval.result import Candidate, Rejection, Source
from policies.approval.rules import Rule


@dataclass(frozen=True)
class Approval:
    """``open_to`` are those whose approval would count now, ``None`` where the facts do not tell."""

    approvers: tuple[Candidate, ...] = ()
    rejections: tuple[Rejection, ...] = ()
    hidden: Commit | None = None  # a commit behind which GitHub does not know everybody
    open_to: frozenset[str] | None = None

    def enough(self, rule: Rule) -> bool:
        return rule.count <= 0 or len(self.approvers) >= rule.count


def of(rule: Rule, case: Case, *, changes_requested_ends: bool) -> Approval:
    """Judge the candidates of ``rule``. Raises :class:`policies.approval.case.CannotJudge`.

    ``changes_requested_ends``: whether a person's later request for changes takes their approval back, which it does
    unless the policy has a disapproval rule that says what such a request means.
    """
    if rule.count <= 0:
        return Approval()
    kept: list[Candidate] = []
    rejections: list[Rejection] = []
    stale = _Stale(rule, case)
    for candidate in candidates.latest(case, rule.options.methods):
        reason = _withdrawn(case, candidate) if changes_requested_ends else ""
        if not reason and rule.options.ignore_edited_comments and candidate.edited:
            reason = "was edited"
        reason = reason or stale.reason(candidate)
        if reason:
            rejections.append(Rejection(candidate, reason))
        else:
            kept.append(candidate)
    banned = _Banned(rule, case)
    approvers: list[Candidate] = []
    for candidate in kept:
        reason = banned.reason(candidate.login)
        if not reason and not rule.actors.include(case, candidate.login):
            reason = f"does not count: {_named(candidate.login)} is not {_wanted(rule.actors)}"
        if reason:
            rejections.append(Rejection(candidate, reason))
        else:
            approvers.append(candidate)
    people = rule.actors.members(case.facts)
    done = {candidate.login for candidate in approvers}
    open_to = None if people is None else frozenset(p for p in people - done if not banned.reason(p))
    return Approval(tuple(approvers), tuple(rejections), banned.contributors.hidden, open_to)


def _withdrawn(case: Case, candidate: Candidate) -> str:
    asked = candidates.changes_requested(case).get(candidate.login)
    if asked is None or asked[0] < candidate.created_at:
        return ""
    if asked[0] == candidate.created_at and candidate.source is Source.REVIEW and asked[1] < candidate.order:
        return ""
    return "no longer counts, for they have since requested changes"


NOBODY = commits.Contributors({}, None)


class _Stale:
    """Which candidates a push has ended. A review is bound to the head its writer saw, anything else to its time."""

    def __init__(self, rule: Rule, case: Case) -> None:
        self.case = case
        self.counted: tuple[Commit, ...] = ()
        if rule.options.invalidate_on_push:
            self.counted = counted(rule, case)
        if self.counted:
            self.newest, self.moment = commits.newest_push(case, self.counted)

    def reason(self, candidate: Candidate) -> str:
        if not self.counted:
            return ""
        if candidate.source is Source.REVIEW:
            if commits.seen_by_reviewer(self.case, self.counted, candidate.commit_oid):
                return ""
            seen = candidate.commit_oid
            return f"was for {seen[:7]} and no longer counts" if seen else "was for a commit that is gone"
        if candidate.created_at > self.moment:
            return ""
        return f"came before the push of {self.newest.oid[:7]} and no longer counts"


class _Banned:
    """Who may not approve, because they opened the pull request or wrote part of it."""

    def __init__(self, rule: Rule, case: Case) -> None:
        options = rule.options
        self.author = case.facts.author
        self.author_banned = not options.allow_author and not options.allow_contributor
        self.contributors = NOBODY
        if not options.allow_contributor and not options.allow_non_author_contributor:
            self.contributors = commits.contributors(case, counted(rule, case))

    def reason(self, login: Login) -> str:
        if login == self.author:
            return "does not count: they opened this pull request" if self.author_banned else ""
        if login is not None and (commit := self.contributors.people.get(login)):
            return f"does not count: they contributed {commit.oid[:7]}"
        if hidden := self.contributors.hidden:
            return f"cannot count while nobody knows who is behind {hidden.oid[:7]}"
        return ""


def counted(rule: Rule, case: Case) -> tuple[Commit, ...]:
    options = rule.options
    return commits.counted(case, ignore_update_merges=options.ignore_update_merges, ignore_by=options.ignore_commits_by)


def _named(login: Login) -> str:
    return f"@{login}" if login else "a deleted account"


def _wanted(actors: Actors) -> str:
    listed = actors.listed()
    if not listed:
        return "listed (the rule names nobody)"
    return listed[0] if len(listed) == 1 else f"any of {', '.join(listed)}"
