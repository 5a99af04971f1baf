"""The ``search`` field: qualifiers (``repo:``, ``is:``, ``author:`` …) and words that must occur.

The part of GitHub's search that apps use to find pull requests, repositories and people.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ghapp.sandbox.forge.graphql.context import Context
from ghapp.sandbox.forge.model import Issue, Organization, PullRequest, Repository, User

_TERM = re.compile(r'(?P<minus>-?)(?:(?P<key>[a-z-]+):)?(?:"(?P<quoted>[^"]*)"|(?P<plain>\S+))')


def _terms(query: str) -> list[tuple[bool, str, str]]:
    """(negated, qualifier or "", value) of each term, values in lower case."""
    return [
        (bool(m["minus"]), m["key"] or "", (m["quoted"] if m["quoted"] is not None else m["plain"]).lower())
        for m in _TERM.finditer(query)
    ]


def _pull(test: Callable[[PullRequest, str], bool]) -> Callable[[Issue, str], bool]:
    return lambda issue, value: isinstance(issue, PullRequest) and test(issue, value)


def _is(issue: Issue, value: str) -> bool:
    pull = issue if isinstance(issue, PullRequest) else None
    return {
        "pr": pull is not None,
        "issue": pull is None,
        "open": issue.state == "open",
        "closed": issue.state == "closed",
        "merged": pull is not None and pull.merged,
        "unmerged": pull is not None and not pull.merged,
        "draft": pull is not None and pull.draft,
        "public": not issue.repository.private,
        "private": issue.repository.private,
    }.get(value, False)


def _reviewed(pull: PullRequest, value: str) -> bool:
    states = {review.state for review in list(pull.reviews)}
    return {"none": not states, "approved": "APPROVED" in states, "changes_requested": "CHANGES_REQUESTED" in states}[
        value
    ]


_ISSUES: dict[str, Callable[[Issue, str], bool]] = {
    "": lambda issue, value: value in f"{issue.title}\n{issue.body or ''}".lower(),
    "is": _is,
    "type": _is,
    "state": _is,
    "repo": lambda issue, value: issue.repository.full_name.lower() == value,
    "org": lambda issue, value: issue.repository.owner.login.lower() == value,
    "user": lambda issue, value: issue.repository.owner.login.lower() == value,
    "author": lambda issue, value: issue.user.login.lower() in (value, f"{value.removeprefix('app/')}[bot]"),
    "label": lambda issue, value: value in {label.name.lower() for label in list(issue.labels)},
    "assignee": lambda issue, value: value in {user.login.lower() for user in list(issue.assignees)},
    "draft": _pull(lambda pull, value: pull.draft == (value == "true")),
    "head": _pull(lambda pull, value: pull.head_ref.lower() == value),
    "base": _pull(lambda pull, value: pull.base_ref.lower() == value),
    "sha": _pull(lambda pull, value: pull.head_sha.startswith(value)),
    "review": _pull(_reviewed),
    "reviewed-by": _pull(lambda pull, value: value in {review.user.login.lower() for review in list(pull.reviews)}),
}


def search_issues(ctx: Context, query: str) -> list[Issue]:
    """Issues and pull requests, newest first; an unknown qualifier matches nothing."""
    found = [issue for repository in ctx.visible_repositories() for issue in list(repository.issues.values())]
    for negated, key, value in _terms(query):
        if key != "sort":
            found = [issue for issue in found if (key in _ISSUES and _ISSUES[key](issue, value)) != negated]
    return sorted(found, key=lambda issue: -issue.id)


def search_repositories(ctx: Context, query: str) -> list[Repository]:
    """Repositories by ``org:``/``user:``, ``repo:``, ``topic:`` and words in name or description."""
    tests: dict[str, Callable[[Repository, str], bool]] = {
        "": lambda r, value: value in f"{r.name} {r.description or ''}".lower(),
        "org": lambda r, value: r.owner.login.lower() == value,
        "user": lambda r, value: r.owner.login.lower() == value,
        "repo": lambda r, value: r.full_name.lower() == value,
        "topic": lambda r, value: value in r.topics,
    }
    found = ctx.visible_repositories()
    for negated, key, value in _terms(query):
        found = [r for r in found if (key in tests and tests[key](r, value)) != negated]
    return sorted(found, key=lambda r: r.full_name.lower())


def search_users(ctx: Context, query: str) -> list[User | Organization]:
    """People and organisations with all words in their login or name."""
    words = [value for _, key, value in _terms(query) if not key]
    accounts = [a for a in list(ctx.state.accounts.values()) if a.type != "Bot"]
    return [a for a in accounts if all(word in f"{a.login} {a.name or ''}".lower() for word in words)]
