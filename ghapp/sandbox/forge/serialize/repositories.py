"""Repositories, their labels, releases and environments in GitHub's shapes."""

from __future__ import annotations

from typing import Any

from ghapp.sandbox.forge.model import Label, Organization, Permission, Release, Repository, State, User
from ghapp.sandbox.forge.serialize import moment
from ghapp.sandbox.forge.serialize.accounts import permission_flags, simple_user

# The addresses below a repository that GitHub lists, by name.
_URLS = {
    "archive_url": "/{archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors",
    "deployments_url": "/deployments",
    "downloads_url": "/downloads",
    "events_url": "/events",
    "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "languages_url": "/languages",
    "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "tags_url": "/tags",
    "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
}


def api_url(state: State, record: Repository) -> str:
    """A repository's address in the API."""
    return f"{state.api_url}/repos/{record.full_name}"


def html_url(state: State, record: Repository) -> str:
    """A repository's page."""
    return f"{state.web_url}/{record.full_name}"


def repository(state: State, record: Repository, permission: Permission | None = None) -> dict[str, Any]:
    """``minimal-repository`` and ``repository``; ``permission`` is that of whoever asks."""
    url, page = api_url(state, record), html_url(state, record)
    open_issues = sum(issue.state == "open" for issue in list(record.issues.values()))
    forks = len(state.forks_of(record))
    answer: dict[str, Any] = {
        "id": record.id,
        "node_id": record.node_id,
        "name": record.name,
        "full_name": record.full_name,
        "private": record.private,
        "owner": simple_user(state, record.owner),
        "html_url": page,
        "description": record.description,
        "fork": record.fork,
        "url": url,
        **{name: url + path for name, path in _URLS.items()},
        "git_url": page.replace("http", "git", 1) + ".git",
        "ssh_url": f"git@{state.web_url.split('//')[-1].split(':')[0]}:{record.full_name}.git",
        "clone_url": f"{page}.git",
        "svn_url": page,
        "mirror_url": None,
        "homepage": record.homepage,
        "language": None,
        "license": None,
        "forks_count": forks,
        "forks": forks,
        "stargazers_count": 0,
        "watchers_count": 0,
        "watchers": 0,
        "size": 0,
        "default_branch": record.default_branch,
        "open_issues_count": open_issues,
        "open_issues": open_issues,
        "is_template": False,
        "topics": record.topics,
        "has_issues": True,
        "has_projects": False,
        "has_wiki": False,
        "has_pages": False,
        "has_downloads": False,
        "has_discussions": False,
        "archived": record.archived,
        "disabled": False,
        "visibility": record.visibility,
        "allow_forking": True,
        "web_commit_signoff_required": False,
        "pushed_at": moment(record.pushed_at),
        "created_at": moment(record.created_at),
        "updated_at": moment(record.updated_at),
    }
    if permission is not None:
        answer["permissions"] = permission_flags(permission)
        answer["role_name"] = permission
    return answer


def repository_with_settings(state: State, record: Repository, permission: Permission | None = None) -> dict[str, Any]:
    """``repository``: with how it merges."""
    return {
        **repository(state, record, permission),
        "allow_merge_commit": record.allow_merge_commit,
        "allow_squash_merge": record.allow_squash_merge,
        "allow_rebase_merge": record.allow_rebase_merge,
        "allow_auto_merge": record.allow_auto_merge,
        "allow_update_branch": record.allow_update_branch,
        "delete_branch_on_merge": record.delete_branch_on_merge,
    }


def full_repository(state: State, record: Repository, permission: Permission | None = None) -> dict[str, Any]:
    """``full-repository``."""
    answer = {
        **repository_with_settings(state, record, permission),
        "subscribers_count": 0,
        "network_count": len(state.forks_of(record)),
    }
    if isinstance(record.owner, Organization):
        answer["organization"] = simple_user(state, record.owner)
    if record.parent is not None:
        source = record.parent
        while source.parent is not None:
            source = source.parent
        answer["parent"], answer["source"] = repository(state, record.parent), repository(state, source)
    return answer


def label(state: State, record: Repository, item: Label) -> dict[str, Any]:
    """``label``."""
    return {
        "id": item.id,
        "node_id": item.node_id,
        "url": f"{api_url(state, record)}/labels/{item.name}",
        "name": item.name,
        "color": item.color,
        "default": item.default,
        "description": item.description,
    }


def release(state: State, record: Repository, item: Release) -> dict[str, Any]:
    """``release``."""
    url, page = api_url(state, record), html_url(state, record)
    return {
        "id": item.id,
        "node_id": item.node_id,
        "url": f"{url}/releases/{item.id}",
        "html_url": f"{page}/releases/tag/{item.tag_name}",
        "assets_url": f"{url}/releases/{item.id}/assets",
        "upload_url": f"{url}/releases/{item.id}/assets{{?name,label}}",
        "tarball_url": f"{url}/tarball/{item.tag_name}",
        "zipball_url": f"{url}/zipball/{item.tag_name}",
        "tag_name": item.tag_name,
        "target_commitish": item.target_commitish,
        "name": item.name,
        "body": item.body,
        "draft": item.draft,
        "prerelease": item.prerelease,
        "created_at": moment(item.created_at),
        "published_at": moment(item.published_at),
        "author": simple_user(state, item.author),
        "assets": [],
    }


def association(record: Repository, user: User) -> str:
    """``author_association``: what someone is to a repository."""
    if record.owner is user:
        return "OWNER"
    if isinstance(record.owner, Organization) and user.id in record.owner.members:
        return "MEMBER"
    if user.id in record.collaborators:
        return "COLLABORATOR"
    merged = any(pull.merged and pull.user is user for pull in record.pulls)
    return "CONTRIBUTOR" if merged else "NONE"
