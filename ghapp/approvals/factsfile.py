"""The facts file: one JSON object about one pull request, and how it becomes :class:`policies.approval.facts.Facts`.

Hand-written rather than modelled, for a batch reads thousands a second. What is missing does not exist; what has the
wrong shape, or is a misspelt key, is refused with its place, so that a broken file never passes as an empty one.
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from policies.approval import coauthors
from policies.approval.actors import PERMISSIONS
from policies.approval.facts import (
    NEVER,
    Body,
    CheckRun,
    Comment,
    Commit,
    Facts,
    File,
    Login,
    Repository,
    Review,
    Signature,
    Status,
    WorkflowRun,
)

T = TypeVar("T")
_NONE: Final[Mapping[str, Any]] = {}

KEYS: Final = (
    "repository",
    "number",
    "base_branch",
    "head_branch",
    "head_sha",
    "fork",
    "head_owner",
    "title",
    "draft",
    "state",
    "author",
    "created_at",
    "body",
    "labels",
    "commits",
    "files",
    "comments",
    "reviews",
    "statuses",
    "check_runs",
    "workflow_runs",
    "org_members",
    "team_members",
    "permissions",
    "repositories",
    "team_permissions",
    "direct_permissions",
    "requested_reviewers",
    "removed_reviewers",
    "incomplete",
)
_SIGNATURES: Final = {"gpg": "GpgSignature", "smime": "SmimeSignature", "ssh": "SshSignature"}
_KNOWN_STATES: Final = ("open", "closed", "merged")


class BadFacts(ValueError):
    """A facts file that cannot be read; the text names the place, what is wrong, and what to do."""


def parse(data: Any) -> Facts:
    """From the JSON object. Raises :class:`BadFacts`."""
    if not isinstance(data, dict):
        raise BadFacts(f"the facts are {_what(data)}; write one JSON object")
    _refuse_misspelt(data)
    repository = _text(data, "repository", "")
    owner, slash, name = repository.partition("/")
    if not (owner and slash and name):
        raise BadFacts(f"repository is {repository!r}; write owner/name")
    state = _text(data, "state", "").lower() or "open"
    if state not in _KNOWN_STATES:
        raise BadFacts(f"state is {state!r}; write one of {', '.join(_KNOWN_STATES)}")
    author = _login(data, "author", "")
    created = _time(data, "created_at", "") or NEVER
    return Facts(
        repository=repository,
        number=_number(data, "number", ""),
        base_branch=_text(data, "base_branch", ""),
        head_branch=_text(data, "head_branch", ""),
        head_sha=_text(data, "head_sha", ""),
        fork=_flag(data, "fork", ""),
        head_owner=_login(data, "head_owner", ""),
        title=_text(data, "title", ""),
        draft=_flag(data, "draft", ""),
        state=state,
        author=author,
        created_at=created,
        body=_body(data.get("body"), author, created),
        labels=_texts(data, "labels", ""),
        commits=_each(data, "commits", _commit),
        files=_each(data, "files", _file),
        comments=_each(data, "comments", _comment),
        reviews=_each(data, "reviews", _review),
        statuses=_each(data, "statuses", _status),
        check_runs=_each(data, "check_runs", _check_run),
        workflow_runs=_each(data, "workflow_runs", _workflow_run),
        org_members=_members(data, "org_members"),
        team_members=_members(data, "team_members"),
        permissions=_permissions(data, "permissions"),
        repositories={name: _repository(r, name) for name, r in _object(data, "repositories", "").items()},
        teams=_permissions(data, "team_permissions"),
        direct=_permissions(data, "direct_permissions"),
        requested=frozenset(_texts(data, "requested_reviewers", "")),
        removed=frozenset(_texts(data, "removed_reviewers", "")),
        incomplete={kind: str(sentence) for kind, sentence in _object(data, "incomplete", "").items()},
    )


def _refuse_misspelt(data: Mapping[str, Any]) -> None:
    # Other keys are let through: a newer ghapp may have written them. One letter off is another matter.
    for key in data.keys() - set(KEYS):
        close = difflib.get_close_matches(key, [k for k in KEYS if k not in data], n=1, cutoff=0.8)
        if close:
            raise BadFacts(f"there is no key {key!r}; did you mean {close[0]!r}?")


def _body(data: Any, author: Login, created: datetime) -> Body:
    if data is None:
        return Body("", author, created)
    _shape(data, dict, "body", "an object")
    return Body(
        _text(data, "text", "body."),
        _login(data, "author", "body.") if "author" in data else author,
        (_time(data, "created_at", "body.") if "created_at" in data else created) or NEVER,
        _time(data, "edited_at", "body."),
    )


def _commit(data: Mapping[str, Any], at: str) -> Commit:
    signature = data.get("signature")
    if data.get("co_authors") is not None:
        entries = _shape(data["co_authors"], list, f"{at}co_authors", "a list")
        others = tuple(_person(entry, f"{at}co_authors") for entry in entries)
    else:
        others = coauthors.co_authors(_text(data, "message", at))
    return Commit(
        _text(data, "oid", at),
        _login(data, "author_login", at),
        _login(data, "committer_login", at),
        _flag(data, "committed_via_web", at),
        _texts(data, "parents", at),
        _signature(signature, f"{at}signature.") if signature is not None else None,
        _time(data, "pushed_at", at),
        others,
    )


def _signature(data: Any, at: str) -> Signature:
    _shape(data, dict, at.rstrip("."), "an object or null")
    kind = _text(data, "type", at)
    kind = _SIGNATURES.get(kind.lower().removesuffix("signature"), kind)
    return Signature(_flag(data, "valid", at), _login(data, "signer", at), _text(data, "key_id", at), kind)


def _file(data: Mapping[str, Any], at: str) -> File:
    return File(
        _text(data, "path", at),
        _text(data, "previous_path", at) or None,
        _text(data, "status", at).lower() or "modified",
        _number(data, "additions", at),
        _number(data, "deletions", at),
    )


def _comment(data: Mapping[str, Any], at: str) -> Comment:
    created = _time(data, "created_at", at) or NEVER
    return Comment(_login(data, "author", at), _text(data, "body", at), created, _time(data, "edited_at", at))


def _review(data: Mapping[str, Any], at: str) -> Review:
    return Review(
        _login(data, "author", at),
        _text(data, "state", at).upper(),
        _text(data, "body", at),
        _time(data, "submitted_at", at) or NEVER,
        _time(data, "edited_at", at),
        _text(data, "commit_oid", at) or None,
        _texts(data, "on_behalf_of", at),
    )


def _status(data: Mapping[str, Any], at: str) -> Status:
    return Status(_text(data, "context", at), _text(data, "state", at), _time(data, "created_at", at) or NEVER)


def _check_run(data: Mapping[str, Any], at: str) -> CheckRun:
    return CheckRun(_text(data, "name", at), _text(data, "conclusion", at))


def _workflow_run(data: Mapping[str, Any], at: str) -> WorkflowRun:
    return WorkflowRun(
        _text(data, "path", at),
        _text(data, "event", at),
        _text(data, "conclusion", at),
        _text(data, "status", at),
        _time(data, "updated", at) or NEVER,
    )


def _repository(data: Any, name: str) -> Repository:
    at = f"repositories.{name}."
    _shape(data, dict, at.rstrip("."), "an object")
    files: dict[str, dict[str, str]] = {}
    for branch, paths in _object(data, "files", at).items():
        _shape(paths, dict, f"{at}files.{branch}", "an object")
        files[branch] = {path: _shape(t, str, f"{at}files.{branch}.{path}", "text") for path, t in paths.items()}
    return Repository(_text(data, "default_branch", at), files)


def _members(data: Mapping[str, Any], key: str) -> dict[str, frozenset[str]]:
    lists = _object(data, key, "")
    return {name: frozenset(_texts(lists, name, f"{key}.")) for name in lists}


def _permissions(data: Mapping[str, Any], key: str) -> dict[str, str]:
    found = {}
    for name, level in _object(data, key, "").items():
        if level is None:
            continue
        permission = _shape(level, str, f"{key}.{name}", "text").lower()
        if permission not in PERMISSIONS:
            raise BadFacts(f"{key}.{name} is {level!r}; write one of {', '.join(PERMISSIONS[1:])}")
        found[name] = permission
    return found


def _each(data: Mapping[str, Any], key: str, read: Callable[[Mapping[str, Any], str], T]) -> tuple[T, ...]:
    items = data.get(key)
    if items is None:
        return ()
    _shape(items, list, key, "a list")
    return tuple(read(_shape(item, dict, f"{key}[{i}]", "an object"), f"{key}[{i}].") for i, item in enumerate(items))


def _object(data: Mapping[str, Any], key: str, at: str) -> Mapping[str, Any]:
    value = data.get(key)
    found: Mapping[str, Any] = _NONE if value is None else _shape(value, dict, at + key, "an object")
    return found


def _text(data: Mapping[str, Any], key: str, at: str) -> str:
    value = data.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadFacts(f"{at}{key} is {_what(value)}; write text")
    return value


def _texts(data: Mapping[str, Any], key: str, at: str) -> tuple[str, ...]:
    value = data.get(key)
    if value is None:
        return ()
    items = _shape(value, list, at + key, "a list of texts")
    return tuple(_shape(item, str, f"{at}{key}", "a list of texts") for item in items)


def _login(data: Mapping[str, Any], key: str, at: str) -> Login:
    return _person(data.get(key), at + key)


def _person(value: Any, at: str) -> Login:
    if value is not None and not isinstance(value, str):
        raise BadFacts(f"{at} is {_what(value)}; write a login, or null for an account that is gone")
    return value or None


def _flag(data: Mapping[str, Any], key: str, at: str) -> bool:
    value = data.get(key)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise BadFacts(f"{at}{key} is {_what(value)}; write true or false")
    return value


def _number(data: Mapping[str, Any], key: str, at: str) -> int:
    value = data.get(key)
    if value is None:
        return 0
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadFacts(f"{at}{key} is {_what(value)}; write a whole number")
    return value


def _time(data: Mapping[str, Any], key: str, at: str) -> datetime | None:
    value = data.get(key)
    if value is None:
        return None
    moment = parse_time(value) if isinstance(value, str) else None
    if moment is None:
        raise BadFacts(f"{at}{key} is {_what(value)}; write a time such as 2026-01-31T12:00:00Z")
    return moment


@functools.lru_cache(maxsize=8192)
def parse_time(text: str) -> datetime | None:
    """A moment in RFC 3339, as UTC; without a zone it is UTC. ``None`` for anything else."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _shape(value: Any, kind: type, at: str, wanted: str) -> Any:
    if not isinstance(value, kind):
        raise BadFacts(f"{at} is {_what(value)}; write {wanted}")
    return value


def _what(value: Any) -> str:
    kinds = {dict: "an object", list: "a list", bool: "true or false", type(None): "null"}
    return kinds.get(type(value)) or repr(value)[:60]
