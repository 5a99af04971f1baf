"""Branches and their protection."""

from __future__ import annotations

from typing import Any

from ghapp.sandbox.forge.model import BranchProtection, Organization, RequiredCheck, RequiredReviews, Restrictions
from ghapp.sandbox.forge.operations import repositories as operations
from ghapp.sandbox.forge.rest import finding
from ghapp.sandbox.forge.serialize import gitdata, protection
from ghapp.sandbox.forge.web.call import Body, Call, Reply
from ghapp.sandbox.forge.web.errors import ApiError, invalid
from ghapp.sandbox.forge.web.routing import Route

_HEADS = "refs/heads/"

_FLAGS = (
    "required_linear_history",
    "allow_force_pushes",
    "allow_deletions",
    "block_creations",
    "required_conversation_resolution",
    "lock_branch",
)


def _list(call: Call) -> Reply:
    found = [(name.removeprefix(_HEADS), sha) for name, (sha, _) in call.repository.git.refs(_HEADS).items()]
    if (wanted := call.query.get("protected")) is not None:
        found = [b for b in found if (call.repository.protection(b[0]) is not None) == (wanted == "true")]
    return call.page(found, lambda b: protection.short_branch(call.state, call.repository, *b))


def _get(call: Call) -> dict[str, Any]:
    name = call.params["branch"]
    sha = call.repository.git.branch(name)
    commit = call.repository.git.commit(sha) if sha else None
    if commit is None:
        raise ApiError(404, "Branch not found")
    described = gitdata.commit(call.state, call.repository, commit)
    return protection.branch(call.state, call.repository, name, described)


def _rule(call: Call) -> BranchProtection:
    if call.repository.git.branch(call.params["branch"]) is None:
        raise ApiError(404, "Branch not found")
    found = call.repository.protection(call.params["branch"])
    if found is None:
        raise ApiError(404, "Branch not protected")
    return found


def _described(call: Call, rule: BranchProtection) -> dict[str, Any]:
    return protection.protection(call.state, call.repository, call.params["branch"], rule)


def _get_protection(call: Call) -> dict[str, Any]:
    return _described(call, _rule(call))


def _checks(given: dict[str, Any]) -> list[RequiredCheck]:
    """From ``checks`` (with app ids; -1 is any) or the older ``contexts``."""
    body = Body(given)
    if "checks" in body:
        checks = body.objects("checks")
        ids = [check.integer("app_id", -1) for check in checks]
        return [RequiredCheck(c.required("context"), i if i != -1 else None) for c, i in zip(checks, ids, strict=True)]
    return [RequiredCheck(context) for context in body.texts("contexts")]


def _reviews(given: dict[str, Any]) -> RequiredReviews:
    body = Body(given)
    return RequiredReviews(
        required_approving_review_count=body.integer("required_approving_review_count", 1),
        dismiss_stale_reviews=body.flag("dismiss_stale_reviews"),
        require_code_owner_reviews=body.flag("require_code_owner_reviews"),
        require_last_push_approval=body.flag("require_last_push_approval"),
    )


def _restrictions(call: Call, given: dict[str, Any]) -> Restrictions:
    if not isinstance(call.repository.owner, Organization):
        raise invalid(
            "ProtectedBranch", "restrictions", "custom", "Only organization repositories can have restrictions"
        )
    body = Body(given)
    found = [call.state.app(slug) for slug in body.texts("apps")]
    return Restrictions(
        finding.users(call.state, body.texts("users"), "ProtectedBranch", "users"),
        finding.teams(call.repository, body.texts("teams"), "ProtectedBranch", "teams"),
        [app for app in found if app is not None],
    )


def _set_protection(call: Call) -> dict[str, Any]:
    branch, body = call.params["branch"], call.body
    if call.repository.git.branch(branch) is None:
        raise ApiError(404, "Branch not found")
    checks, reviews = body.mapping("required_status_checks"), body.mapping("required_pull_request_reviews")
    has_checks = body.get("required_status_checks") is not None
    has_reviews = body.get("required_pull_request_reviews") is not None
    rule = operations.protect(
        call.state,
        call.repository,
        branch,
        required_checks=_checks(checks) if has_checks else None,
        strict=bool(checks.get("strict")),
        required_reviews=_reviews(reviews) if has_reviews else None,
        restrictions=_restrictions(call, body.mapping("restrictions"))
        if body.get("restrictions") is not None
        else None,
        enforce_admins=body.flag("enforce_admins"),
        **{name: body.flag(name) for name in _FLAGS},
    )
    return _described(call, rule)


def _unprotect(call: Call) -> None:
    operations.unprotect(call.state, call.repository, _rule(call).pattern)


def _required_checks(call: Call) -> dict[str, Any]:
    rule = _rule(call)
    if rule.required_checks is None:
        raise ApiError(404, "Required status checks not enabled")
    url = protection.protection_url(call.state, call.repository, call.params["branch"])
    return protection.required_checks(url, rule.required_checks, rule.strict)


def _set_required_checks(call: Call) -> dict[str, Any]:
    rule, body = _rule(call), call.body
    if "checks" in body or "contexts" in body:
        rule.required_checks = _checks(body.fields)
    rule.strict = body.flag("strict", rule.strict)
    return _required_checks(call)


def _drop_required_checks(call: Call) -> None:
    _rule(call).required_checks = None


def _required_contexts(call: Call) -> list[str]:
    contexts: list[str] = _required_checks(call)["contexts"]
    return contexts


def _required_reviews(call: Call) -> dict[str, Any]:
    described = _described(call, _rule(call)).get("required_pull_request_reviews")
    if described is None:
        raise ApiError(404, "Pull request reviews not enabled")
    found: dict[str, Any] = described
    return found


def _restricted(call: Call) -> dict[str, Any]:
    rule = _rule(call)
    if rule.restrictions is None:
        raise ApiError(404, "Push restrictions not enabled")
    url = protection.protection_url(call.state, call.repository, call.params["branch"])
    return protection.restrictions(call.state, url, rule.restrictions)


def _enforce_admins(call: Call) -> dict[str, Any]:
    enforced: dict[str, Any] = _described(call, _rule(call))["enforce_admins"]
    return enforced


def _branch_rules(call: Call) -> Reply:
    """Rules from rulesets, of which the forge has none."""
    return call.page([], lambda rule: rule)


_BRANCH = "/repos/{owner}/{repo}/branches/{branch}"
_PROTECTION = f"{_BRANCH}/protection"
_READ, _WRITE = "administration:read", "administration:write"

ROUTES = [
    Route("GET", "/repos/{owner}/{repo}/branches", _list, "contents:read"),
    Route("GET", _BRANCH, _get, "contents:read"),
    Route("GET", "/repos/{owner}/{repo}/rules/branches/{branch}", _branch_rules, "metadata:read"),
    Route("GET", _PROTECTION, _get_protection, _READ, access="signed-in"),
    Route("PUT", _PROTECTION, _set_protection, _WRITE),
    Route("DELETE", _PROTECTION, _unprotect, _WRITE),
    Route("GET", f"{_PROTECTION}/required_status_checks", _required_checks, _READ, access="signed-in"),
    Route("PATCH", f"{_PROTECTION}/required_status_checks", _set_required_checks, _WRITE),
    Route("DELETE", f"{_PROTECTION}/required_status_checks", _drop_required_checks, _WRITE),
    Route("GET", f"{_PROTECTION}/required_status_checks/contexts", _required_contexts, _READ, access="signed-in"),
    Route("GET", f"{_PROTECTION}/required_pull_request_reviews", _required_reviews, _READ, access="signed-in"),
    Route("GET", f"{_PROTECTION}/restrictions", _restricted, _READ, access="signed-in"),
    Route("GET", f"{_PROTECTION}/enforce_admins", _enforce_admins, _READ, access="signed-in"),
]
