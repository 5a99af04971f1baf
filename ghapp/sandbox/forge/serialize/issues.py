"""Issues, their comments and reactions in GitHub's shapes."""

from __future__ import annotations

from typing import Any

from ghapp.sandbox.forge.model import REACTIONS, Issue, IssueComment, PullRequest, Reaction, State
from ghapp.sandbox.forge.serialize import moment
from ghapp.sandbox.forge.serialize.accounts import optional_user, simple_user
from ghapp.sandbox.forge.serialize.apps import optional_app
from ghapp.sandbox.forge.serialize.repositories import api_url, association, html_url, label


def reaction_rollup(url: str, reactions: list[Reaction]) -> dict[str, Any]:
    """``reaction-rollup``."""
    counts = dict.fromkeys(REACTIONS, 0)
    for item in list(reactions):
        counts[item.content] += 1
    return {"url": url, "total_count": len(reactions), **counts}


def reaction(state: State, record: Reaction) -> dict[str, Any]:
    """``reaction``."""
    return {
        "id": record.id,
        "node_id": record.node_id,
        "user": simple_user(state, record.user),
        "content": record.content,
        "created_at": moment(record.created_at),
    }


def _page(state: State, issue: Issue) -> str:
    kind = "pull" if isinstance(issue, PullRequest) else "issues"
    return f"{html_url(state, issue.repository)}/{kind}/{issue.number}"


def issue(state: State, record: Issue) -> dict[str, Any]:
    """``issue``; a pull request's has a ``pull_request`` part."""
    api = api_url(state, record.repository)
    url = f"{api}/issues/{record.number}"
    answer: dict[str, Any] = {
        "id": record.id,
        "node_id": record.node_id,
        "url": url,
        "repository_url": api,
        "labels_url": f"{url}/labels{{/name}}",
        "comments_url": f"{url}/comments",
        "events_url": f"{url}/events",
        "timeline_url": f"{url}/timeline",
        "html_url": _page(state, record),
        "number": record.number,
        "state": record.state,
        "state_reason": record.state_reason,
        "title": record.title,
        "body": record.body,
        "user": simple_user(state, record.user),
        "labels": [label(state, record.repository, item) for item in record.labels],
        "assignee": simple_user(state, record.assignees[0]) if record.assignees else None,
        "assignees": [simple_user(state, user) for user in record.assignees],
        "milestone": None,
        "locked": record.locked,
        "active_lock_reason": None,
        "comments": len(record.comments),
        "closed_at": moment(record.closed_at),
        "closed_by": optional_user(state, record.closed_by),
        "created_at": moment(record.created_at),
        "updated_at": moment(record.updated_at),
        "author_association": association(record.repository, record.user),
        "performed_via_github_app": optional_app(state, record.performed_via_app),
        "reactions": reaction_rollup(f"{url}/reactions", record.reactions),
    }
    if isinstance(record, PullRequest):
        page = _page(state, record)
        answer["draft"] = record.draft
        answer["pull_request"] = {
            "url": f"{api}/pulls/{record.number}",
            "html_url": page,
            "diff_url": f"{page}.diff",
            "patch_url": f"{page}.patch",
            "merged_at": moment(record.merged_at),
        }
    return answer


def comment(state: State, record: IssueComment) -> dict[str, Any]:
    """``issue-comment``."""
    repository = record.issue.repository
    url = f"{api_url(state, repository)}/issues/comments/{record.id}"
    return {
        "id": record.id,
        "node_id": record.node_id,
        "url": url,
        "html_url": f"{_page(state, record.issue)}#issuecomment-{record.id}",
        "issue_url": f"{api_url(state, repository)}/issues/{record.issue.number}",
        "body": record.body,
        "user": simple_user(state, record.user),
        "created_at": moment(record.created_at),
        "updated_at": moment(record.updated_at),
        "author_association": association(repository, record.user),
        "performed_via_github_app": optional_app(state, record.performed_via_app),
        "reactions": reaction_rollup(f"{url}/reactions", record.reactions),
    }
