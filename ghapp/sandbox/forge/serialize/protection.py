"""Branches and their protection in GitHub's shapes."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from ghapp.sandbox.forge.model import BranchProtection, Repository, RequiredCheck, Restrictions, State
from ghapp.sandbox.forge.serialize.accounts import simple_user, team
from ghapp.sandbox.forge.serialize.apps import app
from ghapp.sandbox.forge.serialize.repositories import api_url, html_url


def protection_url(state: State, repository: Repository, branch: str) -> str:
    return f"{api_url(state, repository)}/branches/{quote(branch, safe='')}/protection"


def required_checks(url: str, checks: list[RequiredCheck], strict: bool) -> dict[str, Any]:
    """``status-check-policy``."""
    return {
        "url": f"{url}/required_status_checks",
        "contexts_url": f"{url}/required_status_checks/contexts",
        "strict": strict,
        "contexts": [check.context for check in checks],
        "checks": [{"context": check.context, "app_id": check.app_id} for check in checks],
    }


def restrictions(state: State, url: str, record: Restrictions) -> dict[str, Any]:
    """``branch-restriction-policy``."""
    own = f"{url}/restrictions"
    return {
        "url": own,
        "users_url": f"{own}/users",
        "teams_url": f"{own}/teams",
        "apps_url": f"{own}/apps",
        "users": [simple_user(state, user) for user in record.users],
        "teams": [team(state, item) for item in record.teams],
        "apps": [app(state, item) for item in record.apps],
    }


def protection(state: State, repository: Repository, branch: str, rule: BranchProtection) -> dict[str, Any]:
    """``branch-protection`` and ``protected-branch``: parts that are not asked for are absent."""
    url = protection_url(state, repository, branch)
    answer: dict[str, Any] = {
        "url": url,
        "required_signatures": {"url": f"{url}/required_signatures", "enabled": rule.required_signatures},
        "enforce_admins": {"url": f"{url}/enforce_admins", "enabled": rule.enforce_admins},
        "required_linear_history": {"enabled": rule.required_linear_history},
        "allow_force_pushes": {"enabled": rule.allow_force_pushes},
        "allow_deletions": {"enabled": rule.allow_deletions},
        "block_creations": {"enabled": rule.block_creations},
        "required_conversation_resolution": {"enabled": rule.required_conversation_resolution},
        "lock_branch": {"enabled": rule.lock_branch},
        "allow_fork_syncing": {"enabled": False},
    }
    if rule.required_checks is not None:
        answer["required_status_checks"] = required_checks(url, rule.required_checks, rule.strict)
    if (reviews := rule.required_reviews) is not None:
        answer["required_pull_request_reviews"] = {
            "url": f"{url}/required_pull_request_reviews",
            "dismiss_stale_reviews": reviews.dismiss_stale_reviews,
            "require_code_owner_reviews": reviews.require_code_owner_reviews,
            "require_last_push_approval": reviews.require_last_push_approval,
            "required_approving_review_count": reviews.required_approving_review_count,
        }
    if rule.restrictions is not None:
        answer["restrictions"] = restrictions(state, url, rule.restrictions)
    return answer


def short_branch(state: State, repository: Repository, name: str, sha: str) -> dict[str, Any]:
    """``short-branch``."""
    rule = repository.protection(name)
    checks = rule.required_checks if rule and rule.required_checks is not None else []
    return {
        "name": name,
        "commit": {"sha": sha, "url": f"{api_url(state, repository)}/commits/{sha}"},
        "protected": rule is not None,
        "protection": {
            "enabled": rule is not None,
            "required_status_checks": {
                "enforcement_level": "non_admins" if checks else "off",
                "contexts": [check.context for check in checks],
                "checks": [{"context": check.context, "app_id": check.app_id} for check in checks],
            },
        },
        "protection_url": protection_url(state, repository, name),
    }


def branch(state: State, repository: Repository, name: str, commit: dict[str, Any]) -> dict[str, Any]:
    """``branch-with-protection``."""
    return {
        **short_branch(state, repository, name, commit["sha"]),
        "commit": commit,
        "_links": {
            "self": f"{api_url(state, repository)}/branches/{quote(name, safe='')}",
            "html": f"{html_url(state, repository)}/tree/{name}",
        },
    }
