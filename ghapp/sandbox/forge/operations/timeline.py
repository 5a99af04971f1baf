"""Remembers in each issue and pull request what happened to it, by listening to what is published.

What no webhook tells (why a review was dismissed) is recorded by the operation itself, through :func:`record`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ghapp.sandbox.forge.model import Event, Issue, PullRequest, Repository, State, TimelineEvent, User

# GitHub's word in the timeline for a webhook's action, where nothing more is to be said.
_PLAIN = {
    "reopened": "reopened",
    "converted_to_draft": "convert_to_draft",
    "ready_for_review": "ready_for_review",
}

Facts = dict[str, Any]  # keyword arguments of ``record``
Reader = Callable[[State, Issue, str, dict[str, Any]], list[Facts]]


def record(
    state: State,
    issue: Issue,
    kind: str,
    actor: User,
    *,
    subject: Any = None,
    before: str | None = None,
    after: str | None = None,
) -> TimelineEvent:
    """Add one event to a timeline."""
    number, node_id = state.new_id("EV")
    event = TimelineEvent(number, node_id, kind, actor, state.now(), subject, before, after)
    issue.events.append(event)
    return event


def watch(state: State) -> None:
    """Begin to keep the timelines of this forge."""

    def note(event: Event) -> None:
        if event.repository is None:
            return
        if event.name == "delete":
            _branch_deleted(state, event.repository, event.payload(), event.sender)
        elif event.name in ("issues", "pull_request") and event.action and event.action in _READERS:
            payload = event.payload()
            number = payload["number"] if event.name == "pull_request" else payload["issue"]["number"]
            issue = event.repository.issues[number]
            for facts in _READERS[event.action](state, issue, event.action, payload):
                record(state, issue, actor=event.sender, **facts)

    state.listeners.append(note)


def _branch_deleted(state: State, repository: Repository, payload: dict[str, Any], sender: User) -> None:
    """The pull requests from a branch remember that it is gone; the older ones have forgotten it by then."""
    heads = [p for p in repository.pulls if p.head_repository is repository and p.head_ref == payload["ref"]]
    if heads and payload["ref_type"] == "branch":
        record(state, heads[-1], "head_ref_deleted", sender)


def _label(_state: State, issue: Issue, action: str, payload: dict[str, Any]) -> list[Facts]:
    return [{"kind": action, "subject": issue.repository.label(payload["label"]["name"])}]


def _reviewer(state: State, issue: Issue, action: str, payload: dict[str, Any]) -> list[Facts]:
    if (person := payload.get("requested_reviewer")) is not None:
        return [{"kind": action, "subject": state.account_by_id(person["id"])}]
    team = state.team(issue.repository.owner.login, payload["requested_team"]["slug"])
    return [{"kind": action, "subject": team}]


def _closed(_state: State, issue: Issue, _action: str, _payload: dict[str, Any]) -> list[Facts]:
    if isinstance(issue, PullRequest) and issue.merged:
        return [{"kind": "merged", "after": issue.merge_commit_sha}, {"kind": "closed"}]
    return [{"kind": "closed"}]


def _edited(_state: State, issue: Issue, _action: str, payload: dict[str, Any]) -> list[Facts]:
    changes = payload["changes"]
    found: list[Facts] = []
    if "title" in changes:
        found.append({"kind": "renamed", "before": changes["title"]["from"], "after": issue.title})
    if "base" in changes and isinstance(issue, PullRequest):
        found.append({"kind": "base_ref_changed", "before": changes["base"]["ref"]["from"], "after": issue.base_ref})
    return found


def _pushed(_state: State, issue: Issue, _action: str, _payload: dict[str, Any]) -> list[Facts]:
    push = issue.head_pushes[-1] if isinstance(issue, PullRequest) else None
    if push is None or not push.forced:
        return []
    return [{"kind": "head_ref_force_pushed", "before": push.before, "after": push.after}]


def _plain(_state: State, _issue: Issue, action: str, _payload: dict[str, Any]) -> list[Facts]:
    return [{"kind": _PLAIN[action]}]


_READERS: dict[str, Reader] = {
    "labeled": _label,
    "unlabeled": _label,
    "review_requested": _reviewer,
    "review_request_removed": _reviewer,
    "closed": _closed,
    "edited": _edited,
    "synchronize": _pushed,
    **dict.fromkeys(_PLAIN, _plain),
}
