"""The merge queue as far as apps see it: a group's branch, and the event that asks for checks on it."""

from __future__ import annotations

from typing import Any

from ghapp.sandbox.forge.git.objects import ZERO
from ghapp.sandbox.forge.model import Event, PullRequest, State
from ghapp.sandbox.forge.operations import comparison, refs
from ghapp.sandbox.forge.operations.identity import signature
from ghapp.sandbox.forge.serialize.gitdata import simple_commit
from ghapp.sandbox.forge.web.errors import ApiError


def enqueue(state: State, pull: PullRequest) -> str:
    """Make the group of one pull request and ask for its checks; the sha that they are wanted on."""
    git, base = pull.repository.git, comparison.base_tip(pull)
    tree = git.merge_tree(base, pull.head_sha)
    if tree is None:
        raise ApiError(422, "Pull Request is not mergeable")
    who = signature(state, pull.user)
    message = f"Merge pull request #{pull.number} from {pull.head_owner}/{pull.head_ref}\n\n{pull.title}"
    sha = git.write_commit(tree, (base, pull.head_sha), who, signature(state, state.web_flow), message)
    ref = f"refs/heads/gh-readonly-queue/{pull.base_ref}/pr-{pull.number}-{base}"
    refs.move(state, pull.repository, ref, sha, pull.user, ZERO)
    commit = git.commit(sha)

    def payload() -> dict[str, Any]:
        return {
            "merge_group": {
                "head_sha": sha,
                "head_ref": ref,
                "base_sha": base,
                "base_ref": f"refs/heads/{pull.base_ref}",
                "head_commit": simple_commit(commit) if commit else None,
            }
        }

    state.publish(Event("merge_group", "checks_requested", pull.user, payload, pull.repository))
    return sha
