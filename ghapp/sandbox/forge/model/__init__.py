"""The forge's records under GitHub's own names, and the :class:`State` that holds them. Nothing here speaks HTTP."""

from ghapp.sandbox.forge.model import ids
from ghapp.sandbox.forge.model.accounts import (
    LEGACY_PERMISSIONS,
    PERMISSIONS,
    Account,
    Organization,
    Permission,
    Team,
    User,
    UserToken,
)
from ghapp.sandbox.forge.model.apps import App, Delivery, Installation, InstallationToken
from ghapp.sandbox.forge.model.conversation import (
    REACTIONS,
    AutoMerge,
    HeadPush,
    Label,
    Reaction,
    ReviewState,
    TimelineEvent,
)
from ghapp.sandbox.forge.model.events import Event
from ghapp.sandbox.forge.model.protection import BranchProtection, RequiredCheck, RequiredReviews, Restrictions
from ghapp.sandbox.forge.model.reports import CONCLUSIONS, Annotation, DeploymentStatus, Release, Status, Verification
from ghapp.sandbox.forge.model.repositories import (
    CheckRun,
    CheckSuite,
    Deployment,
    Issue,
    IssueComment,
    PullRequest,
    Repository,
    Review,
    ReviewComment,
    WorkflowRun,
)
from ghapp.sandbox.forge.model.state import GitObject, State

__all__ = [
    "CONCLUSIONS",
    "LEGACY_PERMISSIONS",
    "PERMISSIONS",
    "REACTIONS",
    "Account",
    "Annotation",
    "App",
    "AutoMerge",
    "BranchProtection",
    "CheckRun",
    "CheckSuite",
    "Delivery",
    "Deployment",
    "DeploymentStatus",
    "Event",
    "GitObject",
    "HeadPush",
    "Installation",
    "InstallationToken",
    "Issue",
    "IssueComment",
    "Label",
    "Organization",
    "Permission",
    "PullRequest",
    "Reaction",
    "Release",
    "Repository",
    "RequiredCheck",
    "RequiredReviews",
    "Restrictions",
    "Review",
    "ReviewComment",
    "ReviewState",
    "State",
    "Status",
    "Team",
    "TimelineEvent",
    "User",
    "UserToken",
    "Verification",
    "WorkflowRun",
    "ids",
]
