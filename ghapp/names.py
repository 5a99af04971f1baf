"""Every name of ours that appears on GitHub or in a repository: checks, trailers, labels, commands, refs, types.

Scripts, branch protection rules and auditors' queries depend on these; renaming one is a breaking change.
"""

from __future__ import annotations

# --- files and refs -------------------------------------------------------------------------------
CONFIG_FILE = ".ghapp.yml"
POLICY_FOLDER = ".ghapp/policies"
ORGANISATION_REPOSITORY = ".github"
ENVIRONMENT_PREFIX = "env/"  # env/<environment>: the desired state of an environment
PROMOTION_PREFIX = "ghapp/promote/"  # ghapp/promote/<environment>/<app>: the head branch of a promotion
NOTES_REF = "refs/notes/ghapp"  # evidence and releases, as notes on source commits
PROMOTIONS_REF = "refs/notes/ghapp-promotions"  # the facts of each promotion, as notes on its merge commit
DEPLOYED_FOLDER = ".ghapp"  # on an environment branch: .ghapp/<app>.json says what is deployed, signed


def environment_branch(environment: str) -> str:
    return f"{ENVIRONMENT_PREFIX}{environment}"


def promotion_branch(environment: str, app: str) -> str:
    return f"{PROMOTION_PREFIX}{environment}/{app}"


def promotion_of(branch: str) -> tuple[str, str] | None:
    """(app, environment) of the promotion whose head branch this is; ``None`` for any other branch."""
    environment, slash, app = branch.removeprefix(PROMOTION_PREFIX).partition("/")
    return (app, environment) if slash and branch.startswith(PROMOTION_PREFIX) else None


def deployed_file(app: str) -> str:
    return f"{DEPLOYED_FOLDER}/{app}.json"


# --- check runs -----------------------------------------------------------------------------------
OURS = "ghapp / "  # what every check and status of ours begins with
CHECK_CONFIG = "ghapp / config"
CHECK_READY = "ghapp / ready"
CHECK_PREVIEW = "ghapp / preview"
CHECK_POLICY = "ghapp / policy"
CHECK_APPROVAL = "ghapp / approval"
CHECK_RELEASE = "ghapp / release"


def stage_check(app: str, stage: str) -> str:
    """The check run of one stage of a pipeline: ``before``, ``image`` or ``after``."""
    return f"ghapp / {app} / {stage}"


def gate_check(gate: str) -> str:
    """The check run of one gate on a promotion's head."""
    return f"ghapp / gate / {gate}"


def agent_status(environment: str) -> str:
    """The commit status of an environment branch by which an agent says how far it is."""
    return f"ghapp / agent / {environment}"


# --- trailers of a promotion's merge commit (git interpret-trailers) --------------------------------
TRAILER_APP = "Ghapp-App"
TRAILER_ENVIRONMENT = "Ghapp-Environment"
TRAILER_RELEASE = "Ghapp-Release"
TRAILER_SOURCE = "Ghapp-Source-Commit"
TRAILER_IMAGE = "Ghapp-Image"
TRAILER_APPROVED_BY = "Ghapp-Approved-By"
TRAILER_GATE = "Ghapp-Gate"
TRAILER_KIND = "Ghapp-Kind"  # promotion, rollback, hotfix
TRAILER_REQUESTED_BY = "Ghapp-Requested-By"
TRAILER_REASON = "Ghapp-Reason"

# --- labels ----------------------------------------------------------------------------------------
LABEL_PROMOTION = "ghapp/promotion"
LABEL_HOLD = "ghapp/hold"
LABEL_ROLLBACK = "ghapp/rollback"
LABEL_HOTFIX = "ghapp/hotfix"
LABEL_BREAK_GLASS = "ghapp/break-glass"
LABEL_STOP = "ghapp/stop"

# --- evidence (in-toto statements in DSSE envelopes) -------------------------------------------------
PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_STEP = "https://ghapp.dev/step/v1"
PREDICATE_SCAN = "https://ghapp.dev/scan/v1"
PREDICATE_BUILD = "https://ghapp.dev/build/v1"
PREDICATE_RELEASE = "https://ghapp.dev/release/v1"
PREDICATE_DEPLOYMENT = "https://ghapp.dev/deployment/v1"
PREDICATE_REJECTION = "https://ghapp.dev/rejection/v1"
PREDICATE_NO_OP = "https://ghapp.dev/no-op/v1"
