"""The JSON Schemas of the facts file and of a batch's lines, for whoever writes facts by hand or by program."""

from __future__ import annotations

from typing import Any

from policies.approval.actors import PERMISSIONS
from policies.approval.schema import policy_schema

__all__ = ["SCHEMAS", "case_schema", "facts_schema", "policy_schema"]

_TEXT = {"type": "string"}
_NUMBER = {"type": "integer", "minimum": 0}
_TIME = {"type": ["string", "null"], "format": "date-time"}
_LOGIN = {"type": ["string", "null"], "description": "A login, [bot] for apps; null for an account that is gone."}
_PERMISSION = {"enum": [*PERMISSIONS, None]}


def _object(required: tuple[str, ...], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}


def _list(item: dict[str, Any], about: str = "") -> dict[str, Any]:
    return {"type": "array", "items": item} | ({"description": about} if about else {})


def _map(value: dict[str, Any], about: str) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": value, "description": about}


_SIGNATURE = _object(
    ("valid", "type"),
    valid={"type": "boolean"},
    signer=_LOGIN,
    key_id={"type": ["string", "null"]},
    type={"enum": ["GpgSignature", "SmimeSignature", "SshSignature"]},
) | {"type": ["object", "null"]}
_COMMIT = _object(
    ("oid",),
    oid=_TEXT,
    author_login=_LOGIN,
    committer_login=_LOGIN,
    committed_via_web={"type": "boolean"},
    parents=_list(_TEXT),
    message=_TEXT,
    signature=_SIGNATURE,
    pushed_at=_TIME | {"description": "Absent: came with its first descendant that has one."},
    co_authors=_list(_LOGIN, "Absent: read from the trailers of the message."),
)
_FILE = _object(
    ("path",),
    path=_TEXT,
    previous_path={"type": ["string", "null"]},
    status=_TEXT,
    additions=_NUMBER,
    deletions=_NUMBER,
)
_REVIEW = _object(
    ("author", "state"),
    author=_LOGIN,
    state={"enum": ["APPROVED", "CHANGES_REQUESTED", "COMMENTED", "DISMISSED", "PENDING"]},
    body=_TEXT,
    submitted_at=_TIME,
    edited_at=_TIME,
    commit_oid={"type": ["string", "null"], "description": "The head that the reviewer saw."},
    on_behalf_of=_list(_TEXT, "Teams."),
)
_WORKFLOW_RUN = _object(
    ("path",),
    path=_TEXT,
    event=_TEXT,
    conclusion={"type": ["string", "null"]},
    status=_TEXT,
    created=_TIME,
    updated=_TIME,
)


def facts_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of the facts file."""
    facts = _object(
        ("repository",),
        repository={"type": "string", "pattern": "^[^/]+/.+$", "description": "owner/name"},
        number=_NUMBER,
        base_branch=_TEXT,
        head_branch=_TEXT,
        head_sha=_TEXT,
        fork={"type": "boolean"},
        head_owner=_LOGIN | {"description": "Whose fork; null where it is gone."},
        title=_TEXT,
        draft={"type": "boolean"},
        state={"enum": ["open", "closed", "merged"]},
        author=_LOGIN,
        created_at=_TIME,
        body=_object((), text={"type": ["string", "null"]}, author=_LOGIN, created_at=_TIME, edited_at=_TIME)
        | {"type": ["object", "null"]},
        labels=_list(_TEXT),
        commits=_list(_COMMIT, "Those reachable from the head and not from the base."),
        files=_list(_FILE),
        comments=_list(_object(("author", "body"), author=_LOGIN, body=_TEXT, created_at=_TIME, edited_at=_TIME)),
        reviews=_list(_REVIEW),
        statuses=_list(_object(("context", "state"), context=_TEXT, state=_TEXT, created_at=_TIME), "Of the head."),
        check_runs=_list(
            _object(
                ("name",),
                name=_TEXT,
                conclusion={"type": ["string", "null"]},
                status=_TEXT,
                app_id={"type": ["integer", "null"]},
                started_at=_TIME,
            ),
            "Of the head, newest first.",
        ),
        workflow_runs=_list(_WORKFLOW_RUN, "Of the head, newest first."),
        org_members=_map(_list(_TEXT), "Logins by organisation. To ask about one that is not here is an error."),
        team_members=_map(_list(_TEXT), "Logins by organisation/team."),
        permissions=_map(_PERMISSION, "By login; absent: not a collaborator."),
        repositories=_map(
            _object(
                ("default_branch",),
                default_branch=_TEXT,
                files=_map(_map(_TEXT, "Text by path."), "Files by branch."),
            ),
            "Files that policies may be read from, by owner/name.",
        ),
        team_permissions=_map(_PERMISSION, "What the repository grants to organisation/team; for requesting reviews."),
        direct_permissions=_map(_PERMISSION, "What the repository grants to people by name; for requesting reviews."),
        requested_reviewers=_list(_TEXT, "Logins and teams that are asked for a review now."),
        removed_reviewers=_list(_TEXT, "Logins and teams whose request somebody took back."),
        incomplete=_map(_TEXT, "What could not be read in full, by key, with the sentence to say where it is needed."),
    )
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Facts of a pull request"} | facts


def case_schema() -> dict[str, Any]:
    """JSON Schema of one line of a batch."""
    facts = facts_schema()
    facts.pop("$schema")
    case = _object(("id", "policy", "facts"), id={}, policy={"type": ["string", "null"]}, facts=facts)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "One case of a batch"} | case


SCHEMAS = {"policy": policy_schema, "facts": facts_schema, "case": case_schema}
