"""Which commits of a pull request count, who is behind them, and when they arrived.

policy-bot follows first parents only; here every commit that is reachable from the head counts, so that work merged in
from a side branch is nobody's blind spot.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from policies.approval.actors import Actors
from policies.approval.case import CannotJudge, Case
from policies.approval.facts import Commit, Facts


def all_commits(case: Case) -> tuple[Commit, ...]:
    """The commits of the pull request in the order GitHub lists them. Raises :class:`CannotJudge`."""
    case.require("commits")
    if case.facts.head_sha not in case.facts.commits_by_oid:
        raise CannotJudge(f"head commit {case.facts.head_sha[:10]} is missing, probably due to a force-push")
    return case.facts.commits


def first_parents(facts: Facts) -> list[Commit]:
    """The head and its line of first parents, newest first, as far as it belongs to the pull request."""
    line: list[Commit] = []
    seen: set[str] = set()
    oid = facts.head_sha
    while (commit := facts.commits_by_oid.get(oid)) and oid not in seen:
        seen.add(oid)
        line.append(commit)
        if not commit.parents:
            break
        oid = commit.parents[0]
    return line


def reachable(facts: Facts, oid: str) -> frozenset[str]:
    """``oid`` and its ancestors within the pull request."""
    seen: set[str] = set()
    waiting = [oid]
    while waiting:
        commit = facts.commits_by_oid.get(waiting.pop())
        if commit is not None and commit.oid not in seen:
            seen.add(commit.oid)
            waiting.extend(commit.parents)
    return frozenset(seen)


def is_update_merge(facts: Facts, commit: Commit) -> bool:
    """Whether GitHub made the commit to bring the base branch in: two parents, the first ours, the second the base's.

    What is not in the pull request is on its base branch, for the facts hold everything that is not. (policy-bot looks
    for the second parent among first parents only, and takes a merged side branch for the base.)
    """
    if len(commit.parents) != 2 or not commit.via_web:
        return False
    ours, theirs = commit.parents
    return ours in facts.commits_by_oid and theirs not in facts.commits_by_oid


def counted(case: Case, *, ignore_update_merges: bool, ignore_by: Actors) -> tuple[Commit, ...]:
    """The commits that make people contributors and end approvals, newest of the first-parent line first."""
    key = ("counted", ignore_update_merges, ignore_by)
    if key not in case.memo:
        case.memo[key] = _counted(case, ignore_update_merges, ignore_by)
    result: tuple[Commit, ...] = case.memo[key]
    return result


def _counted(case: Case, ignore_update_merges: bool, ignore_by: Actors) -> tuple[Commit, ...]:
    all_commits(case)
    facts = case.facts
    line = first_parents(facts)
    on_line = {commit.oid for commit in line}
    ours = reachable(facts, facts.head_sha)
    side = [commit for commit in facts.commits if commit.oid in ours and commit.oid not in on_line]
    return tuple(
        commit
        for commit in (*line, *side)
        if not (ignore_update_merges and is_update_merge(facts, commit))
        and not (not ignore_by.empty and _is_by(case, commit, ignore_by))
    )


def _is_by(case: Case, commit: Commit, actors: Actors) -> bool:
    # Somebody unknown is not one of them: a commit that hides a contributor cannot be ignored.
    people = commit.people
    return all(actors.include(case, login) for login in people) and bool(people) and not commit.unattributed


def pushed_at(case: Case, oid: str) -> datetime:
    """When ``oid`` arrived: its own time, else that of the first descendant that has one, else now.

    Of a batch of pushed commits only the last has a time. "Now" ends every approval that is bound to a time, which is
    the safe side of not knowing.
    """
    facts = case.facts
    if "children" not in case.memo:
        children: dict[str, str] = {}
        for commit in facts.commits:
            for parent in commit.parents:
                children.setdefault(parent, commit.oid)
        case.memo["children"] = children
    seen: set[str] = set()
    while oid not in seen:
        seen.add(oid)
        known = facts.commits_by_oid.get(oid)
        if known is not None and known.pushed_at is not None:
            return known.pushed_at
        if oid == facts.head_sha:
            break
        oid = case.memo["children"].get(oid, oid)
    return case.now


def newest_push(case: Case, commits: tuple[Commit, ...]) -> tuple[Commit, datetime]:
    """The push that a time-bound approval has to come after: of the newest on the line, or of a later side branch.

    ``commits`` is what :func:`counted` gave.
    """
    key = ("newest push", id(commits))
    if key not in case.memo:
        case.memo[key] = _newest_push(case, commits)
    result: tuple[Commit, datetime] = case.memo[key]
    return result


def _newest_push(case: Case, commits: tuple[Commit, ...]) -> tuple[Commit, datetime]:
    line = {commit.oid for commit in first_parents(case.facts)}
    newest, moment = commits[0], pushed_at(case, commits[0].oid)
    for other in commits[1:]:
        if other.oid not in line and (time := pushed_at(case, other.oid)) > moment:
            newest, moment = other, time
    return newest, moment


def seen_by_reviewer(case: Case, commits: tuple[Commit, ...], oid: str | None) -> bool:
    """Whether somebody who reviewed ``oid`` had all of ``commits``, which :func:`counted` gave, before them."""
    if oid is None:
        return False
    key = ("seen", id(commits), oid)
    if key not in case.memo:
        before = reachable(case.facts, oid)
        case.memo[key] = all(commit.oid in before for commit in commits)
    return bool(case.memo[key])


@dataclass(frozen=True)
class Contributors:
    """Who is behind some commits, each with one of theirs; ``hidden`` is a commit behind which somebody is unknown."""

    people: Mapping[str, Commit]
    hidden: Commit | None


def contributors(case: Case, commits: tuple[Commit, ...]) -> Contributors:
    """``commits`` is what :func:`counted` gave."""
    key = ("contributors", id(commits))
    if key not in case.memo:
        people: dict[str, Commit] = {}
        for commit in commits:
            for login in commit.people:
                people.setdefault(login, commit)
        case.memo[key] = Contributors(people, next((c for c in commits if c.unattributed), None))
    found: Contributors = case.memo[key]
    return found
