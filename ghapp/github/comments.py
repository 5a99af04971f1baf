"""Comments and reactions on issues and pull requests: one comment a purpose, kept up to date, never posted twice.

A comment of ours carries a hidden marker; only comments by this app's own bot are ever looked at or changed.
"""

from __future__ import annotations

from typing import Any, Literal

from ghapp.github.client import RepositoryClient
from ghapp.github.text import COMMENT_BYTES, clip

Reaction = Literal["+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"]


def marker(purpose: str) -> str:
    """The line that says which of our comments this is; invisible on the page."""
    return f"<!-- ghapp: {purpose} -->"


def find(client: RepositoryClient, number: int, purpose: str) -> dict[str, Any] | None:
    """Our comment with this purpose on a pull request, the oldest if there are several; ``None`` if there is none."""
    for comment in client.paginate(f"issues/{number}/comments"):
        by_us = (comment.get("performed_via_github_app") or {}).get("id") == client.app_id
        if by_us and marker(purpose) in (comment.get("body") or ""):
            found: dict[str, Any] = comment
            return found
    return None


def put(client: RepositoryClient, number: int, purpose: str, text: str) -> bool:
    """Make the comment with this purpose say ``text``; post it when there is none. Returns whether anything changed."""
    body = f"{clip(text, COMMENT_BYTES - 200)}\n{marker(purpose)}"
    present = find(client, number, purpose)
    if present is None:
        client.post(f"issues/{number}/comments", {"body": body})
        return True
    if present["body"].replace("\r\n", "\n").strip() == body.strip():
        return False
    client.patch(f"issues/comments/{present['id']}", {"body": body})
    return True


def reply(client: RepositoryClient, number: int, text: str) -> int:
    """Post a comment and return its id."""
    data = client.post(f"issues/{number}/comments", {"body": clip(text, COMMENT_BYTES)})
    return int(data["id"])


def react(client: RepositoryClient, comment: int, reaction: Reaction) -> None:
    """React to a comment; GitHub keeps one reaction of a kind from each user, so again changes nothing."""
    client.post(f"issues/comments/{comment}/reactions", {"content": reaction})


def reacted(client: RepositoryClient, comment: int, login: str) -> bool:
    """Whether the user ``login`` (our bot: ``app.login``) has reacted to a comment in any way."""
    reactions = client.paginate(f"issues/comments/{comment}/reactions")
    return any((reaction.get("user") or {}).get("login") == login for reaction in reactions)
