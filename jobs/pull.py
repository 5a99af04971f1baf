"""The reconcile of one pull request: a promotion is looked at as its environment; any other gets its preview."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ghapp.github import checks, errors
from jobs import subjects
from jobs.mirrors import mirror
from jobs.promotion.carry_out import promotion_of
from jobs.promotion.preview import fetch, preview
from jobs.reconcile import Context
from jobs.subjects import Subject


def reconcile(subject: Subject, context: Context) -> None:
    """Look at one pull request."""
    client = context.github.for_repository(subject.repository)
    try:
        pull = client.get(f"pulls/{subject.number}")
    except errors.NotFound:
        return
    app, environment = promotion_of(pull)
    if environment and _same_repository(pull):
        context.queue.enqueue(
            subjects.environment(subject.repository, app, environment), reason=f"#{subject.number} has changed"
        )
        return
    if pull["state"] != "open":
        return
    git = mirror(context.settings.mirrors, client)
    shas = fetch(git, subject.number, str(pull["base"]["ref"]))
    check = preview(git, *shas) if shas else None
    if check is not None:
        head = str(pull["head"]["sha"])
        checks.put(client, head, check, checks.ours(client, head, check.name).get(check.name))


def _same_repository(pull: Mapping[str, Any]) -> bool:
    """A fork may call its branch what it likes."""
    head, base = (pull[side].get("repo") or {} for side in ("head", "base"))
    return head.get("id") is not None and head.get("id") == base.get("id")
