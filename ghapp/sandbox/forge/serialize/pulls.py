"""Pull requests, reviews and review comments in GitHub's shapes."""

from __future__ import annotations

from typing import Any

from ghapp.sandbox.forge.git.objects import FileChange
from ghapp.sandbox.forge.model import PullRequest, Repository, Review, ReviewComment, State
from ghapp.sandbox.forge.serialize import moment
from ghapp.sandbox.forge.serialize.accounts import optional_user, simple_user, team
from ghapp.sandbox.forge.serialize.issues import reaction_rollup
from ghapp.sandbox.forge.serialize.repositories import api_url, association, html_url, label, repository_with_settings


def minimal(state: State, pull: PullRequest) -> dict[str, Any]:
    """``pull-request-minimal``, as check runs list it."""
    head = pull.head_repository or pull.repository
    return {
        "id": pull.pull_id,
        "number": pull.number,
        "url": f"{api_url(state, pull.repository)}/pulls/{pull.number}",
        "head": {"ref": pull.head_ref, "sha": pull.head_sha, "repo": _named(state, head)},
        "base": {"ref": pull.base_ref, "sha": pull.base_sha, "repo": _named(state, pull.repository)},
    }


def _named(state: State, repository: Repository) -> dict[str, Any]:
    return {"id": repository.id, "url": api_url(state, repository), "name": repository.name}


def of_commit(state: State, repository: Repository, sha: str) -> list[dict[str, Any]]:
    """The open pull requests of a repository whose head is ``sha``."""
    found = [repository.pull(number) for number in sorted(repository.pulls_by_commit.get(sha, ()))]
    return [minimal(state, pull) for pull in found if pull and pull.head_sha == sha and pull.state == "open"]


def _side(state: State, repository: Repository | None, owner: str, ref: str, sha: str) -> dict[str, Any]:
    account = repository.owner if repository is not None else state.account(owner)
    return {
        "label": f"{owner}:{ref}",
        "ref": ref,
        "sha": sha,
        "user": optional_user(state, account),
        "repo": repository_with_settings(state, repository) if repository is not None else None,
    }


def simple_pull(state: State, pull: PullRequest) -> dict[str, Any]:
    """``pull-request-simple``: what needs no look into git."""
    repository = pull.repository
    api, page = api_url(state, repository), f"{html_url(state, repository)}/pull/{pull.number}"
    url, issue = f"{api}/pulls/{pull.number}", f"{api}/issues/{pull.number}"
    statuses = f"{api}/statuses/{pull.head_sha}"
    automatic = pull.auto_merge and {
        "enabled_by": simple_user(state, pull.auto_merge.enabled_by),
        "merge_method": pull.auto_merge.merge_method,
        "commit_title": pull.auto_merge.commit_title or "",
        "commit_message": pull.auto_merge.commit_message or "",
    }
    return {
        "url": url,
        "id": pull.pull_id,
        "node_id": pull.pull_node_id,
        "html_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "issue_url": issue,
        "number": pull.number,
        "state": pull.state,
        "locked": pull.locked,
        "active_lock_reason": None,
        "title": pull.title,
        "user": simple_user(state, pull.user),
        "body": pull.body,
        "created_at": moment(pull.created_at),
        "updated_at": moment(pull.updated_at),
        "closed_at": moment(pull.closed_at),
        "merged_at": moment(pull.merged_at),
        "merge_commit_sha": pull.merge_commit_sha,
        "assignee": simple_user(state, pull.assignees[0]) if pull.assignees else None,
        "assignees": [simple_user(state, user) for user in pull.assignees],
        "requested_reviewers": [simple_user(state, user) for user in pull.requested_reviewers],
        "requested_teams": [team(state, item) for item in pull.requested_teams],
        "labels": [label(state, repository, item) for item in pull.labels],
        "milestone": None,
        "draft": pull.draft,
        "commits_url": f"{url}/commits",
        "review_comments_url": f"{url}/comments",
        "review_comment_url": f"{api}/pulls/comments{{/number}}",
        "comments_url": f"{issue}/comments",
        "statuses_url": statuses,
        "head": _side(state, pull.head_repository, pull.head_owner, pull.head_ref, pull.head_sha),
        "base": _side(state, repository, repository.owner.login, pull.base_ref, pull.base_sha),
        "_links": {
            "self": {"href": url},
            "html": {"href": page},
            "issue": {"href": issue},
            "comments": {"href": f"{issue}/comments"},
            "review_comments": {"href": f"{url}/comments"},
            "review_comment": {"href": f"{api}/pulls/comments{{/number}}"},
            "commits": {"href": f"{url}/commits"},
            "statuses": {"href": statuses},
        },
        "author_association": association(repository, pull.user),
        "auto_merge": automatic,
    }


def full_pull(
    state: State,
    pull: PullRequest,
    *,
    mergeable: bool | None,
    mergeable_state: str,
    commits: int,
    files: tuple[FileChange, ...],
) -> dict[str, Any]:
    """``pull-request``."""
    return {
        **simple_pull(state, pull),
        "merged": pull.merged,
        "mergeable": mergeable,
        "rebaseable": mergeable,
        "mergeable_state": mergeable_state,
        "merged_by": optional_user(state, pull.merged_by),
        "comments": len(pull.comments),
        "review_comments": len(pull.review_comments),
        "maintainer_can_modify": pull.maintainer_can_modify,
        "commits": commits,
        "additions": sum(f.additions for f in files),
        "deletions": sum(f.deletions for f in files),
        "changed_files": len(files),
    }


def review(state: State, record: Review) -> dict[str, Any]:
    """``pull-request-review``; a pending one has no time of submission."""
    pull = record.pull
    url = f"{api_url(state, pull.repository)}/pulls/{pull.number}"
    page = f"{html_url(state, pull.repository)}/pull/{pull.number}#pullrequestreview-{record.id}"
    answer: dict[str, Any] = {
        "id": record.id,
        "node_id": record.node_id,
        "user": simple_user(state, record.user),
        "body": record.body,
        "state": record.state,
        "html_url": page,
        "pull_request_url": url,
        "author_association": association(pull.repository, record.user),
        "_links": {"html": {"href": page}, "pull_request": {"href": url}},
        "commit_id": record.commit_id,
    }
    if record.submitted_at is not None:
        answer["submitted_at"] = moment(record.submitted_at)
    return answer


def review_comment(state: State, record: ReviewComment) -> dict[str, Any]:
    """``pull-request-review-comment``."""
    pull = record.pull
    api = api_url(state, pull.repository)
    url, own = f"{api}/pulls/{pull.number}", f"{api}/pulls/comments/{record.id}"
    page = f"{html_url(state, pull.repository)}/pull/{pull.number}#discussion_r{record.id}"
    answer: dict[str, Any] = {
        "url": own,
        "pull_request_review_id": record.review.id,
        "id": record.id,
        "node_id": record.node_id,
        "diff_hunk": record.diff_hunk,
        "path": record.path,
        "commit_id": record.commit_id,
        "original_commit_id": record.original_commit_id,
        "user": simple_user(state, record.user),
        "body": record.body,
        "created_at": moment(record.created_at),
        "updated_at": moment(record.updated_at),
        "html_url": page,
        "pull_request_url": url,
        "author_association": association(pull.repository, record.user),
        "_links": {"self": {"href": own}, "html": {"href": page}, "pull_request": {"href": url}},
        "reactions": reaction_rollup(f"{own}/reactions", record.reactions),
        "start_line": record.start_line,
        "original_start_line": record.start_line,
        "start_side": record.start_side,
        "side": record.side,
        "subject_type": record.subject_type,
    }
    if record.line is not None:
        answer["line"] = answer["position"] = record.line
    if record.original_line is not None:
        answer["original_line"] = answer["original_position"] = record.original_line
    if record.in_reply_to_id is not None:
        answer["in_reply_to_id"] = record.in_reply_to_id
    return answer
