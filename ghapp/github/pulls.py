"""Pull requests: open, find, merge exactly the head that was judged, and change references only from a known value."""

from __future__ import annotations

from typing import Any, Literal

from ghapp.github import errors
from ghapp.github.client import RepositoryClient

Method = Literal["merge", "squash", "rebase"]


def opened(client: RepositoryClient, *, head: str = "", base: str = "") -> list[dict[str, Any]]:
    """Open pull requests, optionally from a branch of the same repository, optionally into a base."""
    qualified = f"{client.owner}:{head}" if head else None
    return client.paginate("pulls", state="open", head=qualified, base=base or None)


def merge(
    client: RepositoryClient, number: int, *, sha: str, method: Method = "merge", title: str = "", message: str = ""
) -> str:
    """Merge a pull request if its head is still ``sha``; returns the merge commit's SHA.

    Raises ``Conflict`` when the head has moved (409) and ``NotMergeable`` when GitHub refuses (405): in both cases read
    again and judge again.
    """
    body: dict[str, Any] = {"sha": sha, "merge_method": method}
    if title:
        body["commit_title"] = title
    if message:
        body["commit_message"] = message
    data = client.put(f"pulls/{number}/merge", body)
    if not data.get("merged"):
        raise errors.NotMergeable(str(data.get("message") or "GitHub did not merge."), status=200)
    return str(data["sha"])


def of_commit(client: RepositoryClient, sha: str) -> list[dict[str, Any]]:
    """Pull requests, open or not, that contain a commit."""
    return client.paginate(f"commits/{sha}/pulls")


def ref_sha(client: RepositoryClient, ref: str) -> str | None:
    """What a reference (``heads/main``) points at; ``None`` when there is no such reference."""
    try:
        data = client.get(f"git/ref/{ref}")
    except errors.NotFound:
        return None
    return str(data["object"]["sha"])


def delete_branch(client: RepositoryClient, branch: str) -> None:
    """Delete a branch; one that is gone already is as good."""
    try:
        client.delete(f"git/refs/heads/{branch}")
    except errors.NotFound:
        return
    except errors.Invalid as e:
        if "does not exist" not in e.sentence:
            raise
