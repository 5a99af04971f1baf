"""The promotion's pull request on GitHub: exactly one open for an (app, environment), kept current in place.

Which one is ours is told by its branches, never by its title or number, which people may change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ghapp import names
from ghapp.config import Environment
from ghapp.github import comments, errors, pulls
from ghapp.github.client import RepositoryClient
from jobs.promotion import body as text

_CLOSED_BY_US = "closed"


def find(client: RepositoryClient, app: str, environment: str) -> dict[str, Any] | None:
    """The open pull request of this promotion; one call. Of several the oldest counts and the others are closed."""
    head, base = names.promotion_branch(environment, app), names.environment_branch(environment)
    found = sorted(pulls.opened(client, head=head, base=base), key=lambda p: int(p["number"]))
    for extra in found[1:]:
        close(client, extra, f"#{found[0]['number']} carries {app} to {environment}.")
    return found[0] if found else None


def open_or_update(
    client: RepositoryClient,
    present: Mapping[str, Any] | None,
    *,
    app: str,
    environment: Environment,
    title: str,
    body: str,
) -> tuple[int, bool]:
    """Make the pull request say this; returns its number and whether it is new. No call when it says so already."""
    if present is not None:
        number = int(present["number"])
        changes = {
            key: value
            for key, value in {"title": title, "body": body}.items()
            if _lines(str(present.get(key) or "")) != _lines(value)
        }
        if changes:
            client.patch(f"pulls/{number}", changes)
        return number, False
    head, base = names.promotion_branch(environment.name, app), names.environment_branch(environment.name)
    try:
        made = client.post("pulls", {"title": title, "head": head, "base": base, "body": body})
    except errors.Invalid:
        # Another worker was first: theirs is the one.
        theirs = find(client, app, environment.name)
        if theirs is None:
            raise
        return open_or_update(client, theirs, app=app, environment=environment, title=title, body=body)
    number = int(made["number"])
    client.post(f"issues/{number}/labels", {"labels": [names.LABEL_PROMOTION, *environment.labels]})
    if environment.assignees:
        client.post(f"issues/{number}/assignees", {"assignees": list(environment.assignees)})
    return number, True


def close(client: RepositoryClient, pull: Mapping[str, Any], why: str) -> None:
    """Close a promotion that is not wanted any more, with one sentence that says why.

    The record in the body says that it was us, so that it does not count as declined by a person.
    """
    number = int(pull["number"])
    record = text.mark_of(pull.get("body")) | {_CLOSED_BY_US: True}
    kept = str(pull.get("body") or "").rpartition("<!-- ghapp-promotion")[0].rstrip()
    comments.put(client, number, "closed", why)
    client.patch(f"pulls/{number}", {"state": "closed", "body": f"{kept}\n\n{text.mark(**record)}\n"})


def declined(client: RepositoryClient, app: str, environment: str, *, looked_at: int = 20) -> frozenset[str]:
    """Releases whose promotion a person has closed without merging it; one call."""
    head, base = names.promotion_branch(environment, app), names.environment_branch(environment)
    newest: Sequence[Mapping[str, Any]] = client.get(
        "pulls", state="closed", head=f"{client.owner}:{head}", base=base, per_page=looked_at
    )
    found = set()
    for pull in newest:
        record = text.mark_of(pull.get("body"))
        if not pull.get("merged_at") and not record.get(_CLOSED_BY_US) and record.get("release"):
            found.add(str(record["release"]))
    return frozenset(found)


def _lines(value: str) -> str:
    return value.replace("\r\n", "\n").strip()
