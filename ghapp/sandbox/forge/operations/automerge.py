"""Auto-merge: pull requests for which someone asked for it are merged as soon as nothing stands in the way."""

from __future__ import annotations

from ghapp.sandbox.forge.model import AutoMerge, Event, PullRequest, State, User
from ghapp.sandbox.forge.operations import merging, pulls
from ghapp.sandbox.forge.web.errors import ApiError, unprocessable

# After these, something that stood in the way may have gone.
_WAKING = ("check_run", "status", "pull_request_review", "pull_request", "push")


def enable(
    state: State, pull: PullRequest, user: User, method: str, title: str | None = None, message: str | None = None
) -> None:
    """Ask for auto-merge; refused where the repository does not allow it or the pull request could be merged now."""
    if not pull.repository.allow_auto_merge:
        raise unprocessable("Pull request Auto merge is not allowed for this repository")
    if merging.mergeable_state(state, pull) in ("clean", "unstable"):
        raise unprocessable("Pull request is in clean status")
    pull.auto_merge = AutoMerge(user, method, state.now(), title, message)
    pulls.announce(state, pull, "auto_merge_enabled", user)


def disable(state: State, pull: PullRequest, user: User) -> None:
    if pull.auto_merge is not None:
        pull.auto_merge = None
        pulls.announce(state, pull, "auto_merge_disabled", user)


def watch(state: State) -> None:
    """Begin to look after the pull requests of this forge."""

    def consider(event: Event) -> None:
        if event.repository is None or event.name not in _WAKING:
            return
        for pull in event.repository.pulls:
            wish = pull.auto_merge
            if wish is None or pull.state != "open":
                continue
            if merging.mergeable_state(state, pull) not in ("clean", "unstable"):
                continue
            try:
                merging.merge(
                    state,
                    pull,
                    wish.enabled_by,
                    app=state.app_of_bot(wish.enabled_by),
                    method=wish.merge_method,
                    title=wish.commit_title,
                    message=wish.commit_message,
                )
            except ApiError:
                continue

    state.listeners.append(consider)
