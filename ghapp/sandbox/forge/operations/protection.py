"""What branch protection still asks of a pull request, and whom it lets push, in GitHub's own sentences."""

from __future__ import annotations

from ghapp.sandbox.forge.model import (
    PERMISSIONS,
    App,
    BranchProtection,
    PullRequest,
    Repository,
    RequiredCheck,
    RequiredReviews,
    Review,
    State,
    User,
)
from ghapp.sandbox.forge.operations import comparison

_GOOD = ("success", "neutral", "skipped")


def check_state(repository: Repository, sha: str, check: RequiredCheck) -> str:
    """``success``, ``failure``, ``pending`` or, when nobody has reported, ``expected``."""
    found: list[str] = []
    for suite in repository.suites_of(sha):
        if check.app_id in (None, suite.app.id):
            for run in suite.latest_runs():
                if run.name == check.context:
                    done = run.status == "completed"
                    found.append(("success" if run.conclusion in _GOOD else "failure") if done else "pending")
    for status in repository.latest_statuses(sha):
        if status.context == check.context and (check.app_id is None or (status.app and status.app.id == check.app_id)):
            found.append("failure" if status.state == "error" else status.state)
    for worst in ("failure", "pending", "success"):
        if worst in found:
            return worst
    return "expected"


def context_state(repository: Repository, sha: str, context: str) -> str:
    """:func:`check_state` of a context from any app."""
    return check_state(repository, sha, RequiredCheck(context))


def _unmet_checks(repository: Repository, sha: str, checks: list[RequiredCheck]) -> list[str]:
    words = {"expected": "is expected", "pending": "is in progress", "failure": "is failing"}
    states = [(check, check_state(repository, sha, check)) for check in checks]
    unmet = [(check, state) for check, state in states if state != "success"]
    if len(unmet) > 1:
        worst = next(s for s in ("failure", "pending", "expected") if any(state == s for _, state in unmet))
        verb = {"expected": "are expected", "pending": "are in progress", "failure": "are failing"}[worst]
        return [f"{len(unmet)} of {len(checks)} required status checks {verb}."]
    return [f'Required status check "{check.context}" {words[state]}.' for check, state in unmet]


def latest_opinions(pull: PullRequest) -> list[Review]:
    """Each reviewer's newest review that approves, asks for changes or was dismissed; comments leave it standing."""
    newest: dict[int, Review] = {}
    for review in sorted(pull.reviews, key=lambda r: (r.submitted_at or r.created_at, r.id)):
        if review.state in ("APPROVED", "CHANGES_REQUESTED", "DISMISSED"):
            newest[review.user.id] = review
    return list(newest.values())


def counted_reviews(state: State, pull: PullRequest) -> list[Review]:
    """The newest opinions of those who may write, which are the ones that count."""
    enough = PERMISSIONS.index("write")

    def may_write(user: User) -> bool:
        if (app := state.app_of_bot(user)) is not None:
            installation = state.installation_on(app, pull.repository.owner)
            return installation is not None and installation.permissions.get("contents") == "write"
        return PERMISSIONS.index(state.permission(pull.repository, user)) >= enough

    return [r for r in latest_opinions(pull) if r.state != "DISMISSED" and may_write(r.user)]


def _unmet_reviews(state: State, pull: PullRequest, rule: RequiredReviews) -> list[str]:
    counted = counted_reviews(state, pull)
    if any(review.state == "CHANGES_REQUESTED" for review in counted):
        return ["Changes requested by reviewers with write access."]
    approvals = [review for review in counted if review.state == "APPROVED"]
    if rule.require_last_push_approval and pull.head_pushes:
        approvals = [a for a in approvals if a.user is not pull.head_pushes[-1].pusher]
    wanted = rule.required_approving_review_count
    if len(approvals) >= wanted:
        return []
    some = f"{wanted} approving review is" if wanted == 1 else f"{wanted} approving reviews are"
    return [f"At least {some} required by reviewers with write access."]


def unmet(state: State, pull: PullRequest) -> list[str]:
    """What stands between a pull request and its merge, one sentence for each rule; empty when nothing does."""
    rule = pull.repository.protection(pull.base_ref)
    if rule is None:
        return []
    reasons: list[str] = []
    if rule.lock_branch:
        reasons.append("The base branch is locked.")
    if rule.required_reviews is not None:
        reasons += _unmet_reviews(state, pull, rule.required_reviews)
    if rule.required_checks is not None:
        if rule.strict and comparison.is_behind(pull):
            reasons.append("The head branch is not up to date with the base branch.")
        reasons += _unmet_checks(pull.repository, pull.head_sha, rule.required_checks)
    if rule.required_signatures and _unsigned(pull):
        reasons.append("Commits must have verified signatures.")
    return reasons


def _unsigned(pull: PullRequest) -> bool:
    repository = pull.repository
    known = repository.verifications
    return any(
        sha not in repository.web_commits and not (sha in known and known[sha].verified)
        for sha in comparison.commits(pull)
    )


def may_push(state: State, repository: Repository, rule: BranchProtection, user: User, app: App | None) -> bool:
    """Whether the rule's restrictions let someone push at all."""
    if rule.lock_branch:
        return False
    allowed = rule.restrictions
    if allowed is None:
        return True
    if app is not None:
        return app in allowed.apps
    if not rule.enforce_admins and state.permission(repository, user) == "admin":
        return True
    return user in allowed.users or any(user in state.team_members(team) for team in allowed.teams)


def is_exempt(state: State, repository: Repository, rule: BranchProtection, user: User, app: App | None) -> bool:
    """Whether the rules are not for this person: an administrator, where administrators are not included."""
    return app is None and not rule.enforce_admins and state.permission(repository, user) == "admin"


def push_refusal(
    state: State,
    repository: Repository,
    branch: str,
    before: str | None,
    after: str | None,
    user: User,
    app: App | None,
) -> str | None:
    """Why a direct push to a branch is refused, as far as can be told without its objects."""
    rule = repository.protection(branch)
    if rule is None:
        return None
    if after is None:
        return None if rule.allow_deletions else "Cannot delete this protected branch."
    if before is None and not rule.block_creations:
        return None
    if is_exempt(state, repository, rule, user, app):
        return None
    if not may_push(state, repository, rule, user, app):
        return "You're not authorized to push to this branch." if not rule.lock_branch else "This branch is locked."
    if rule.required_reviews is not None:
        return "Changes must be made through a pull request."
    if rule.required_checks:
        unmet_checks = _unmet_checks(repository, after, rule.required_checks)
        return unmet_checks[0] if unmet_checks else None
    return None


def forbids_force(repository: Repository, branch: str) -> bool:
    """Whether a branch may only be moved forward; administrators too are held to that."""
    rule = repository.protection(branch)
    return rule is not None and not rule.allow_force_pushes
