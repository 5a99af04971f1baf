"""Branch protection: which branches a rule is for and what it asks. Enforcing it is not done here."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from ghapp.sandbox.forge.model.accounts import Team, User
from ghapp.sandbox.forge.model.apps import App


@dataclass(slots=True, eq=False)
class RequiredCheck:
    """A check that must have passed; from any app when ``app_id`` is None."""

    context: str
    app_id: int | None = None


@dataclass(slots=True, eq=False)
class RequiredReviews:
    """How many approvals a merge needs and what becomes of them on a push."""

    required_approving_review_count: int = 1
    dismiss_stale_reviews: bool = False
    require_code_owner_reviews: bool = False
    require_last_push_approval: bool = False


@dataclass(slots=True, eq=False)
class Restrictions:
    """Who may push; everybody else may not, whatever their permission."""

    users: list[User] = field(default_factory=list)
    teams: list[Team] = field(default_factory=list)
    apps: list[App] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class BranchProtection:
    """The rules of the branches that match ``pattern`` (an exact name or a glob)."""

    id: int
    node_id: str
    pattern: str
    required_checks: list[RequiredCheck] | None = None
    strict: bool = False
    required_reviews: RequiredReviews | None = None
    restrictions: Restrictions | None = None
    enforce_admins: bool = False
    required_linear_history: bool = False
    required_signatures: bool = False
    required_conversation_resolution: bool = False
    allow_force_pushes: bool = False
    allow_deletions: bool = False
    block_creations: bool = False
    lock_branch: bool = False

    def matches(self, branch: str) -> bool:
        return self.pattern == branch or fnmatchcase(branch, self.pattern)
