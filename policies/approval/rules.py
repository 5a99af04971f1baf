"""A policy as data: the rules, how they combine, and who may disapprove; with the shapes they are read from.

What stands here is what a file says, with the language's defaults filled in. Nothing is decided.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from policies.approval import actors
from policies.approval.actors import NOBODY, Actors
from policies.approval.patterns import NO_PATTERNS, PatternList, any_of
from policies.approval.predicates import registry
from policies.approval.predicates.predicate import Predicate
from policies.approval.shapes import Expression, Flag, ListOf, Loose, Optional, Record, Text, Whole

APPROVING: Final = (":+1:", "👍")
DISAPPROVING: Final = (":-1:", "👎")
MODES: Final = ("all-users", "random-users", "teams")

_METHODS = Record(
    {
        "comments": ListOf(Text(), "Comments that contain any of these."),
        "comment_patterns": ListOf(Expression(), "Comments that match any of these."),
        "github_review": Optional(Flag("Whether reviews count.")),
        "github_review_comment_patterns": ListOf(Expression(), "Reviews whose text matches any of these."),
        "body_patterns": ListOf(Expression(), "Descriptions that match any of these."),
    },
    "How people say it.",
)
_REQUEST = Record(
    {
        "enabled": Flag("Whether to ask people for their review."),
        "mode": Text("Whom to ask; random-users when not set.", MODES),
        "count": Whole("How many random users; requires.count when not set."),
    },
    "Reviewers to request while the rule waits.",
)
_OPTIONS = Record(
    {
        "allow_author": Flag("Approvals by the author count."),
        "allow_contributor": Flag("Approvals by contributors, the author among them, count."),
        "allow_non_author_contributor": Flag("Approvals by contributors other than the author count."),
        "invalidate_on_push": Flag("A push ends the approvals before it."),
        "ignore_edited_comments": Flag("What was edited does not count."),
        "ignore_update_merges": Flag("Merges of the base branch made by GitHub do not count as commits."),
        "ignore_commits_by": Record(actors.FIELDS, "Commits by only these do not count."),
        "request_review": _REQUEST,
        "methods": Optional(_METHODS),
    }
)
_RULE = Record(
    {
        "name": Text("What the approval policy calls the rule."),
        "description": Text("Shown with the result."),
        "if": registry.SHAPE,
        "options": _OPTIONS,
        "requires": Record(
            {"count": Whole("Approvals needed; 0 is none."), **actors.FIELDS, "conditions": registry.SHAPE},
            "What approves the rule; nothing at all when not given.",
        ),
    },
    required=("name",),
)
REQUIREMENT_SCHEMA: Final = {
    "oneOf": [
        {"type": "string", "description": "The name of a rule."},
        *(
            {
                "type": "object",
                "properties": {key: {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/requirement"}}},
                "required": [key],
                "additionalProperties": False,
            }
            for key in ("and", "or")
        ),
    ]
}
_DISAPPROVAL = Record(
    {
        "if": registry.SHAPE,
        "options": Record({"methods": Record({"disapprove": Optional(_METHODS), "revoke": Optional(_METHODS)})}),
        "requires": Record(actors.FIELDS, "Who may disapprove, and revoke a disapproval."),
    },
    "Any of the conditions disapproves; so does any of the people, until it is revoked.",
)
POLICY: Final = Record(
    {
        "policy": Record(
            {
                "approval": ListOf(Loose({"$ref": "#/$defs/requirement"}), "All of these have to approve."),
                "disapproval": Optional(_DISAPPROVAL),
            }
        ),
        "approval_rules": ListOf(Optional(_RULE)),
    }
)
REMOTE: Final = Record(
    {
        "remote": Optional(Text("The repository that holds the policy, as owner/name.")),
        "path": Text("The file there; .policy.yml when not set."),
        "ref": Text("The branch, tag or commit there; the default branch when not set."),
    },
    required=("remote",),
)


@dataclass(frozen=True, eq=False)
class Methods:
    """How people approve or disapprove. ``state`` is the review state that counts."""

    state: str
    comments: tuple[str, ...] = ()
    comment_patterns: PatternList = NO_PATTERNS
    review: bool = False
    review_patterns: PatternList = NO_PATTERNS
    body_patterns: PatternList = NO_PATTERNS

    @classmethod
    def of(cls, values: Mapping[str, Any], state: str) -> Methods:
        """As written: what is not given is off."""
        return cls(
            state,
            tuple(values.get("comments") or ()),
            any_of(values.get("comment_patterns")),
            bool(values.get("github_review")),
            any_of(values.get("github_review_comment_patterns")),
            any_of(values.get("body_patterns")),
        )


APPROVE: Final = Methods("APPROVED", APPROVING, review=True)
DISAPPROVE: Final = Methods("CHANGES_REQUESTED", DISAPPROVING, review=True)


def approving(values: Mapping[str, Any] | None) -> Methods:
    """The methods of an approval rule: comments and reviews are on unless they are set."""
    if values is None:
        return APPROVE
    given = dict(values)
    if given.get("comments") is None:
        given["comments"] = APPROVING
    if given.get("github_review") is None:
        given["github_review"] = True
    return Methods.of(given, "APPROVED")


@dataclass(frozen=True)
class RequestReview:
    """``count`` is already the rule's own where none was set."""

    enabled: bool = False
    mode: str = "random-users"
    count: int = 0


@dataclass(frozen=True)
class Options:
    allow_author: bool = False
    allow_contributor: bool = False
    allow_non_author_contributor: bool = False
    invalidate_on_push: bool = False
    ignore_edited_comments: bool = False
    ignore_update_merges: bool = False
    ignore_commits_by: Actors = NOBODY
    request_review: RequestReview = RequestReview()
    methods: Methods = APPROVE


@dataclass(frozen=True)
class Rule:
    """``count`` approvals by ``actors`` and all ``conditions``, where every predicate of ``when`` holds."""

    name: str
    description: str = ""
    when: tuple[Predicate, ...] = ()
    options: Options = Options()
    count: int = 0
    actors: Actors = NOBODY
    conditions: tuple[Predicate, ...] = ()
    line: int = 0

    @classmethod
    def of(cls, values: Mapping[str, Any], line: int) -> Rule:
        requires = values.get("requires") or {}
        count = requires.get("count") or 0
        return cls(
            name=values.get("name") or "",
            description=values.get("description") or "",
            when=registry.predicates_of(values.get("if")),
            options=_options(values.get("options") or {}, count),
            count=count,
            actors=Actors.of(requires),
            conditions=registry.predicates_of(requires.get("conditions")),
            line=line,
        )


def _options(values: Mapping[str, Any], count: int) -> Options:
    request = values.get("request_review") or {}
    return Options(
        allow_author=bool(values.get("allow_author")),
        allow_contributor=bool(values.get("allow_contributor")),
        allow_non_author_contributor=bool(values.get("allow_non_author_contributor")),
        invalidate_on_push=bool(values.get("invalidate_on_push")),
        ignore_edited_comments=bool(values.get("ignore_edited_comments")),
        ignore_update_merges=bool(values.get("ignore_update_merges")),
        ignore_commits_by=Actors.of(values.get("ignore_commits_by")),
        request_review=RequestReview(
            bool(request.get("enabled")), request.get("mode") or "random-users", request.get("count") or count
        ),
        methods=approving(values.get("methods")),
    )


@dataclass(frozen=True)
class Both:
    """``and`` and ``or``: :attr:`operator` over at least one requirement."""

    operator: str
    children: tuple[Requirement, ...]


Requirement = Rule | Both


@dataclass(frozen=True)
class Disapproval:
    """Disapproved when any of ``when`` holds, or when the last word of ``actors`` is a disapproval."""

    when: tuple[Predicate, ...] = ()
    actors: Actors = NOBODY
    disapprove: Methods = DISAPPROVE
    revoke: Methods = APPROVE

    @classmethod
    def of(cls, values: Mapping[str, Any] | None) -> Disapproval:
        values = values or {}
        methods = (values.get("options") or {}).get("methods") or {}
        disapprove, revoke = methods.get("disapprove"), methods.get("revoke")
        return cls(
            when=registry.predicates_of(values.get("if")),
            actors=Actors.of(values.get("requires")),
            disapprove=DISAPPROVE if disapprove is None else Methods.of(disapprove, "CHANGES_REQUESTED"),
            revoke=APPROVE if revoke is None else Methods.of(revoke, "APPROVED"),
        )


@dataclass(frozen=True)
class Policy:
    """``approval`` is ``None`` where nothing has to approve.

    ``path_patterns`` are those that meet changed paths, ``text_patterns`` those that meet comments.
    """

    approval: Requirement | None = None
    disapproval: Disapproval = Disapproval()
    rules: tuple[Rule, ...] = ()
    name: str = ".policy.yml"
    path_patterns: tuple[str, ...] = field(default=(), repr=False)
    text_patterns: tuple[str, ...] = field(default=(), repr=False)
