"""Which installations are told of an event: those that see where it happened, asked for it and may know."""

from __future__ import annotations

from ghapp.sandbox.forge.model import Event, Installation, State
from ghapp.sandbox.forge.web.admission import IMPLIED

# What an installation must be allowed to read to be told; any one of several is enough.
READS: dict[str, tuple[str, ...]] = {
    "check_run": ("checks",),
    "check_suite": ("checks",),
    "create": ("contents",),
    "delete": ("contents",),
    "deployment": ("deployments",),
    "deployment_status": ("deployments",),
    "fork": ("contents",),
    "issue_comment": ("issues", "pull_requests"),
    "issues": ("issues",),
    "member": ("members", "metadata"),
    "membership": ("members",),
    "merge_group": ("merge_queues",),
    "organization": ("members",),
    "pull_request": ("pull_requests",),
    "pull_request_review": ("pull_requests",),
    "pull_request_review_comment": ("pull_requests",),
    "push": ("contents",),
    "release": ("contents",),
    "repository": ("metadata",),
    "repository_dispatch": ("contents",),
    "status": ("statuses",),
    "team": ("members",),
    "workflow_run": ("actions",),
}


def recipients(state: State, event: Event) -> list[Installation]:
    """The installations to tell, oldest first."""
    if event.installation is not None:
        return [event.installation]
    return [i for i in _near(state, event) if _wants(i, event)]


def _near(state: State, event: Event) -> list[Installation]:
    if event.repository is not None:
        found = state.installed_on(event.repository)
    else:
        found = [i for i in list(state.installations.values()) if i.account is event.organization]
    return [i for i in found if event.app in (None, i.app)]


def _wants(installation: Installation, event: Event) -> bool:
    if installation.suspended_at is not None:
        return False
    if not event.unsolicited and event.name not in installation.events:
        return False
    held = {**IMPLIED, **installation.permissions}
    return event.name not in READS or any(name in held for name in READS[event.name])
