"""One promotion's pull request and the people behind its source commits, in one GraphQL query where that is enough.

Complete or nothing: a list that goes on past its first page is read to its end, one that cannot be raises.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ghapp import git
from ghapp.github.client import RepositoryClient
from policies.gates import facts

_COMMITS_A_QUERY = 100
MOST_COMMITS = 1000

_PULL = """
  pullRequest(number: $number) {
    number state isDraft mergeable headRefOid headRefName baseRefName body title
    labels(first: 100) { nodes { name } }
    reviews(first: 100, after: $after) {
      pageInfo { hasNextPage endCursor }
      nodes { author { login __typename } state body submittedAt commit { oid } }
    }
  }
"""
_COMMIT = """
fragment who on Commit {
  oid message committedViaWeb
  author { email user { login } }
  committer { email user { login } }
  authors(first: 20) { nodes { email user { login } } }
}
"""


@dataclass(frozen=True)
class Conversation:
    """What people have done to one pull request. ``state`` is ``OPEN``, ``CLOSED`` or ``MERGED``."""

    number: int
    state: str
    draft: bool
    mergeable: str
    head: str
    title: str
    body: str
    labels: frozenset[str]
    reviews: tuple[facts.Review, ...]


def read(
    client: RepositoryClient, number: int, commits: Sequence[git.Commit]
) -> tuple[Conversation, tuple[facts.Commit, ...]]:
    """The pull request and who GitHub says wrote ``commits``; one query for up to 100 commits and 100 reviews."""
    chunks = [commits[i : i + _COMMITS_A_QUERY] for i in range(0, len(commits), _COMMITS_A_QUERY)] or [()]
    people: dict[str, facts.Commit] = {}
    pull: dict[str, Any] = {}
    reviews: list[dict[str, Any]] = []
    for i, chunk in enumerate(chunks):
        data = _query(client, number, chunk, with_pull=i == 0, after=None)
        people |= {c.sha: c for c in _people(data, chunk)}
        if i == 0:
            pull = data["pullRequest"]
            reviews = list(pull["reviews"]["nodes"])
    page = pull["reviews"]["pageInfo"]
    while page["hasNextPage"]:
        more = _query(client, number, (), with_pull=True, after=page["endCursor"])["pullRequest"]["reviews"]
        reviews += more["nodes"]
        page = more["pageInfo"]
    return _conversation(pull, reviews), tuple(people[c.sha] for c in commits)


def _query(
    client: RepositoryClient, number: int, commits: Sequence[git.Commit], *, with_pull: bool, after: str | None
) -> Any:
    wanted = "".join(f'  c{i}: object(oid: "{c.sha}") {{ ...who }}\n' for i, c in enumerate(commits))
    query = (
        "query($owner: String!, $name: String!, $number: Int!, $after: String) {\n"
        f"  repository(owner: $owner, name: $name) {{\n{_PULL if with_pull else ''}{wanted}  }}\n}}\n"
        f"{_COMMIT if commits else ''}"
    )
    if not with_pull:
        query = query.replace(", $number: Int!, $after: String", "")
    variables: dict[str, Any] = {"owner": client.owner, "name": client.name}
    if with_pull:
        variables |= {"number": number, "after": after}
    return client.graphql(query, variables)["repository"]


def _people(data: Mapping[str, Any], commits: Sequence[git.Commit]) -> list[facts.Commit]:
    return [_commit(data.get(f"c{i}"), c) for i, c in enumerate(commits)]


def _commit(node: Mapping[str, Any] | None, known: git.Commit) -> facts.Commit:
    if node is None:  # GitHub does not have it (any more): nobody is known to have written it
        return facts.Commit(sha=known.sha, author=None, committer=None, message=known.message)
    author, committer = node.get("author") or {}, node.get("committer") or {}
    others = [a for a in node["authors"]["nodes"] if a and a.get("email") != author.get("email")]
    return facts.Commit(
        sha=known.sha,
        author=_login(author),
        committer=_login(committer),
        committed_via_web=bool(node.get("committedViaWeb")),
        co_authors=tuple(_login(a) for a in others),
        message=known.message,
    )


def _login(actor: Mapping[str, Any]) -> str | None:
    user = actor.get("user")
    return str(user["login"]) if user else None


def _conversation(pull: Mapping[str, Any], reviews: Sequence[Mapping[str, Any]]) -> Conversation:
    return Conversation(
        number=int(pull["number"]),
        state=str(pull["state"]),
        draft=bool(pull["isDraft"]),
        mergeable=str(pull["mergeable"]),
        head=str(pull["headRefOid"]),
        title=str(pull["title"]),
        body=str(pull["body"]),
        labels=frozenset(str(label["name"]) for label in pull["labels"]["nodes"]),
        reviews=tuple(_review(r) for r in reviews if r.get("submittedAt")),
    )


def _review(node: Mapping[str, Any]) -> facts.Review:
    author = node.get("author") or {}
    login = author.get("login")
    if login and author.get("__typename") == "Bot" and not login.endswith("[bot]"):
        login = f"{login}[bot]"
    return facts.Review(
        author=login,
        state=str(node["state"]),
        commit=str((node.get("commit") or {}).get("oid") or ""),
        submitted_at=datetime.fromisoformat(node["submittedAt"].replace("Z", "+00:00")),
        body=str(node.get("body") or ""),
    )
