"""What happened to a pull request, in order: its commits, comments, reviews and recorded events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ghapp.sandbox.forge.graphql import gitnodes
from ghapp.sandbox.forge.graphql.context import Context
from ghapp.sandbox.forge.graphql.gitnodes import PullCommit
from ghapp.sandbox.forge.graphql.registry import Fields, kind_by, type_name
from ghapp.sandbox.forge.graphql.types.pulls import commits
from ghapp.sandbox.forge.graphql.types.reviews import Thread, review_threads
from ghapp.sandbox.forge.model import Issue, PullRequest, TimelineEvent

_NAMES = {
    "base_ref_changed": "BaseRefChangedEvent",
    "closed": "ClosedEvent",
    "convert_to_draft": "ConvertToDraftEvent",
    "head_ref_deleted": "HeadRefDeletedEvent",
    "head_ref_force_pushed": "HeadRefForcePushedEvent",
    "labeled": "LabeledEvent",
    "merged": "MergedEvent",
    "ready_for_review": "ReadyForReviewEvent",
    "renamed": "RenamedTitleEvent",
    "reopened": "ReopenedEvent",
    "review_dismissed": "ReviewDismissedEvent",
    "review_request_removed": "ReviewRequestRemovedEvent",
    "review_requested": "ReviewRequestedEvent",
    "unlabeled": "UnlabeledEvent",
}


@dataclass(frozen=True, slots=True)
class Happening:
    """An event together with the issue or pull request that it happened to."""

    issue: Issue
    event: TimelineEvent

    @property
    def node_id(self) -> str:
        return self.event.node_id

    @property
    def created_at(self) -> datetime:
        return self.event.created_at


EVENT = Fields(*_NAMES.values())
kind_by(Happening, lambda happening: _NAMES[happening.event.event])
kind_by(Thread, lambda _: "PullRequestReviewThread")


@Fields("PullRequest").connection("timelineItems")
def timeline_items(
    pull: PullRequest, ctx: Context, item_types: list[str] | None = None, since: datetime | None = None
) -> list[Any]:
    """Oldest first; ``itemTypes`` are the types' names in capitals."""
    wanted = None if item_types is None else {name.replace("_", "").lower() for name in item_types}
    sources: tuple[tuple[str, Callable[[], list[Any]]], ...] = (
        ("PullRequestCommit", lambda: commits(pull, ctx)),
        ("IssueComment", lambda: list(pull.comments)),
        ("PullRequestReview", lambda: [review for review in list(pull.reviews) if review.state != "PENDING"]),
        ("PullRequestReviewThread", lambda: review_threads(pull, ctx)),
    )
    items = [item for name, read in sources if wanted is None or name.lower() in wanted for item in read()]
    happenings = [Happening(pull, event) for event in list(pull.events) if event.event in _NAMES]
    items += [happening for happening in happenings if wanted is None or type_name(happening).lower() in wanted]
    dated = sorted(((_moment(item), item) for item in items), key=lambda pair: pair[0])
    return [item for moment, item in dated if since is None or moment >= since]


def _moment(item: Any) -> datetime:
    """When an item took its place in the timeline."""
    if isinstance(item, PullCommit):
        return item.commit.facts.committer.date.astimezone(UTC)
    if isinstance(item, Thread):
        return item.first.created_at
    at: datetime = getattr(item, "submitted_at", None) or item.created_at
    return at


# Fields of the events -------------------------------------------------------------------------------------------------


def _about(*fields: str, read: Callable[[Any], Any]) -> None:
    """``Type.field`` names that are answered from the event or its issue alone."""
    for name in fields:
        kind, _, field = name.partition(".")
        Fields(kind)(field)(lambda happening, _ctx: read(happening))


EVENT.renamed(id="node_id")
EVENT.same("createdAt")
EVENT("actor")(lambda happening, _ctx: happening.event.actor)

_OF_ISSUES = {"LabeledEvent", "UnlabeledEvent", "ClosedEvent", "ReopenedEvent", "RenamedTitleEvent"}
Fields(*(set(_NAMES.values()) - _OF_ISSUES)).renamed(pullRequest="issue")
Fields("LabeledEvent", "UnlabeledEvent").renamed(labelable="issue")
Fields("ClosedEvent", "ReopenedEvent").renamed(closable="issue")
Fields("ClosedEvent", "ReopenedEvent").constant(stateReason=None)
Fields("RenamedTitleEvent").renamed(subject="issue")

_about("LabeledEvent.label", "UnlabeledEvent.label", read=lambda h: h.event.subject)
_about("ReviewRequestedEvent.requestedReviewer", read=lambda h: h.event.subject)
_about("ReviewRequestRemovedEvent.requestedReviewer", read=lambda h: h.event.subject)
_about("RenamedTitleEvent.previousTitle", "BaseRefChangedEvent.previousRefName", read=lambda h: h.event.before)
_about("RenamedTitleEvent.currentTitle", "BaseRefChangedEvent.currentRefName", read=lambda h: h.event.after)
_about("BaseRefChangedEvent.databaseId", "ReviewDismissedEvent.databaseId", read=lambda h: h.event.id)
_about("ReviewDismissedEvent.review", read=lambda h: h.event.subject)
_about("ReviewDismissedEvent.dismissalMessage", read=lambda h: h.event.after)
_about("ReviewDismissedEvent.previousReviewState", read=lambda h: h.event.before)
_about("ReviewDismissedEvent.pullRequestCommit", read=lambda _: None)
_about("HeadRefDeletedEvent.headRefName", read=lambda h: h.issue.head_ref)
_about("MergedEvent.mergeRefName", read=lambda h: h.issue.base_ref)
_about("HeadRefForcePushedEvent.beforeCommit", read=lambda h: gitnodes.commit(h.issue.repository, h.event.before))
_about("HeadRefForcePushedEvent.afterCommit", read=lambda h: gitnodes.commit(h.issue.repository, h.event.after))
_about("MergedEvent.commit", read=lambda h: gitnodes.commit(h.issue.repository, h.event.after))
_about("MergedEvent.mergeRef", read=lambda h: gitnodes.ref(h.issue.repository, f"refs/heads/{h.issue.base_ref}"))


@Fields("HeadRefDeletedEvent")("headRef")
@Fields("HeadRefForcePushedEvent")("ref")
def head_ref(happening: Happening, _ctx: Context) -> gitnodes.Ref | None:
    pull = happening.issue
    if not isinstance(pull, PullRequest) or pull.head_repository is None:
        return None
    return gitnodes.ref(pull.head_repository, f"refs/heads/{pull.head_ref}")


_ADDRESSED = Fields("ClosedEvent", "ConvertToDraftEvent", "MergedEvent", "ReadyForReviewEvent", "ReviewDismissedEvent")


@_ADDRESSED("resourcePath")
def event_path(happening: Happening, ctx: Context) -> str:
    return f"{ctx.path(happening.issue)}#event-{happening.event.id}"


@_ADDRESSED("url")
def event_url(happening: Happening, ctx: Context) -> str:
    return ctx.url(event_path(happening, ctx))
