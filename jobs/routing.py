"""Which subjects to look at when GitHub says that something happened. Pure: no I/O, no clock, no state.

A payload is never believed beyond that: it says where to look. Events and actions that are not named here mean nothing
to us, and route to nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ghapp import names
from jobs import subjects
from jobs.subjects import Ask, Subject

Payload = Mapping[str, Any]

_ZERO = "0" * 40
_MOST_REPOSITORIES = 50  # above, one look at the whole installation is cheaper
_MOST_DATA = 16_000  # bytes of a dispatch's client payload that travel along; GitHub allows 64 KB

# What starts, restarts or ends the pipelines of a pull request's head.
_PIPELINE_ACTIONS = frozenset(
    ("opened", "edited", "closed", "reopened", "synchronize", "ready_for_review", "labeled", "unlabeled")
)
_PULL_ACTIONS = _PIPELINE_ACTIONS | {
    "converted_to_draft",
    "auto_merge_enabled",
    "auto_merge_disabled",
    "enqueued",
    "dequeued",
}


@dataclass(frozen=True, slots=True)
class Routed:
    """Where to look, and what was asked of each of these subjects, if anything."""

    subjects: tuple[Subject, ...] = ()
    ask: Ask | None = None


def route(event: str, action: str, payload: Payload, *, app_id: int | None = None) -> tuple[Subject, ...]:
    """The subjects that a delivery points at; empty for what means nothing to us.

    ``event`` is the ``X-GitHub-Event`` header, ``action`` the payload's or empty. With ``app_id``, reports about this
    app's own check runs are left out: nobody needs to look at what we wrote ourselves.
    """
    return routed(event, action, payload, app_id=app_id).subjects


def routed(event: str, action: str, payload: Payload, *, app_id: int | None = None) -> Routed:
    """As :func:`route`, with what was asked."""
    rule = _RULES.get(event)
    if rule is None:
        return Routed()
    found, ask = rule(action, payload, app_id)
    unique = tuple(dict.fromkeys(subject for subject in found if subject is not None))
    return Routed(unique, ask if unique else None)


EVENTS: tuple[str, ...]  # every event that the app subscribes to or always gets; filled in below


# --- reading payloads -------------------------------------------------------------------------------
def _at(payload: Any, *path: str) -> Any:
    """The value at ``path``, ``None`` where there is none: published examples leave out much."""
    for key in path:
        payload = payload.get(key) if isinstance(payload, dict) else None
    return payload


def _items(payload: Any, *path: str) -> list[Any]:
    found = _at(payload, *path)
    return found if isinstance(found, list) else []


def _make(build: Callable[..., Subject], *parts: Any) -> Subject | None:
    """The subject, or ``None`` when a part is missing or has not the form that it must have."""
    if any(part is None or isinstance(part, bool) for part in parts):
        return None
    try:
        return build(*parts)
    except (ValueError, TypeError):
        return None


def _repository(payload: Payload) -> Subject | None:
    return _make(subjects.repository, _at(payload, "repository", "id"))


def _installation(payload: Payload) -> Subject | None:
    return _make(subjects.installation, _at(payload, "installation", "id"))


def _commit(payload: Payload, sha: Any) -> Subject | None:
    return None if sha == _ZERO else _make(subjects.commit, _at(payload, "repository", "id"), sha)


def _pull(payload: Payload, number: Any) -> Subject | None:
    return _make(subjects.pull, _at(payload, "repository", "id"), number)


def _sender(payload: Payload) -> str:
    return str(_at(payload, "sender", "login") or "")


def _promotion(payload: Payload, branch: Any) -> Subject | None:
    """The environment that a promotion's head branch (``ghapp/promote/<environment>/<app>``) belongs to."""
    if not isinstance(branch, str) or not branch.startswith(names.PROMOTION_PREFIX):
        return None
    environment, _, app = branch.removeprefix(names.PROMOTION_PREFIX).partition("/")
    return _make(subjects.environment, _at(payload, "repository", "id"), app, environment)


_Found = tuple[list[Subject | None], Ask | None]


# --- one rule an event ------------------------------------------------------------------------------
def _push(_: str, payload: Payload, __: int | None) -> _Found:
    ref = str(_at(payload, "ref") or "")
    if ref.startswith("refs/tags/"):
        # `after` is the tag object where a tag is annotated.
        return [_commit(payload, _at(payload, "head_commit", "id") or _at(payload, "after"))], None
    branch = ref.removeprefix("refs/heads/")
    if branch == ref or branch.startswith(names.PROMOTION_PREFIX):
        return [], None  # a promotion's own branch: its pull request's events say what matters
    if branch.startswith(names.ENVIRONMENT_PREFIX):
        return _environment_push(payload, branch.removeprefix(names.ENVIRONMENT_PREFIX)), None
    if _at(payload, "deleted"):
        return [_commit(payload, _at(payload, "before"))], None  # what runs for a branch that is gone is stopped
    found = [_commit(payload, _at(payload, "after"))]
    if branch == _at(payload, "repository", "default_branch"):
        found += _rules_changed(payload)
    return found, None


def _changed_files(payload: Payload) -> set[str]:
    found: set[str] = set()
    for commit in _items(payload, "commits"):
        for kind in ("added", "modified", "removed"):
            found.update(path for path in _items(commit, kind) if type(path) is str)
    return found


def _environment_push(payload: Payload, environment: str) -> list[Subject | None]:
    prefix = f"{names.DEPLOYED_FOLDER}/"
    apps = {
        path.removeprefix(prefix).removesuffix(".json")
        for path in _changed_files(payload)
        if path.startswith(prefix) and path.endswith(".json")
    }
    repository_id = _at(payload, "repository", "id")
    found = [_make(subjects.environment, repository_id, app, environment) for app in sorted(apps)]
    return found if any(found) else [_repository(payload)]


def _rules_changed(payload: Payload) -> list[Subject | None]:
    """A push that may have changed configuration or policies concerns everything that is judged by them."""
    folder = f"{names.POLICY_FOLDER}/"
    paths = _changed_files(payload)
    if not any(p.endswith((names.CONFIG_FILE, ".policy.yml")) or p.startswith(folder) for p in paths):
        return []
    if _at(payload, "repository", "name") == names.ORGANISATION_REPOSITORY:
        return [_installation(payload)]
    return [_repository(payload)]


def _ref(_: str, payload: Payload, __: int | None) -> _Found:
    """``create`` and ``delete``: a push tells more, except that an environment's branch is there or gone."""
    is_environment = str(_at(payload, "ref") or "").startswith(names.ENVIRONMENT_PREFIX)
    return [_repository(payload) if is_environment else None], None


def _pull_request(action: str, payload: Payload, _: int | None) -> _Found:
    if action not in _PULL_ACTIONS:
        return [], None
    found = [_pull(payload, _at(payload, "pull_request", "number"))]
    head = _at(payload, "pull_request", "head")
    from_here = _at(head, "repo", "id") == _at(payload, "repository", "id")
    promotion = _promotion(payload, _at(head, "ref")) if from_here else None
    if action in _PIPELINE_ACTIONS and promotion is None:
        found.append(_commit(payload, _at(head, "sha")))
    if action == "closed":
        found.append(promotion)
    return found, None


def _review(_: str, payload: Payload, __: int | None) -> _Found:
    return [_pull(payload, _at(payload, "pull_request", "number"))], None


def _issue_comment(action: str, payload: Payload, _: int | None) -> _Found:
    if _at(payload, "issue", "pull_request") is None:
        return [], None
    found = [_pull(payload, _at(payload, "issue", "number"))]
    if action == "created":  # an edited comment is no command
        found.insert(0, _make(subjects.comment, _at(payload, "repository", "id"), _at(payload, "comment", "id")))
    return found, None


def _check_run(action: str, payload: Payload, app_id: int | None) -> _Found:
    run = _at(payload, "check_run")
    commit = _commit(payload, _at(run, "head_sha"))
    about = str(_at(run, "external_id") or "")
    if action == "rerequested":
        return [commit], Ask("rerun", about, _sender(payload), data={"name": str(_at(run, "name") or "")})
    if action == "requested_action":
        identifier = str(_at(payload, "requested_action", "identifier") or "")
        button = {"identifier": identifier, "name": str(_at(run, "name") or "")}
        return [commit], Ask("action", about, _sender(payload), data=button)
    if action != "completed" or (app_id is not None and _at(run, "app", "id") == app_id):
        return [], None
    return _report(payload, _items(run, "pull_requests"), [_at(run, "check_suite", "head_branch")], commit), None


def _check_suite(action: str, payload: Payload, _: int | None) -> _Found:
    # `requested` comes with every push, which is routed itself; `completed` after the check runs, likewise.
    if action != "rerequested":
        return [], None
    return [_commit(payload, _at(payload, "check_suite", "head_sha"))], Ask("rerun_failed", "", _sender(payload))


def _status(_: str, payload: Payload, __: int | None) -> _Found:
    if str(_at(payload, "context") or "").startswith(names.OURS):
        return [], None  # what an agent told us, and we GitHub
    branches = [_at(branch, "name") for branch in _items(payload, "branches")]
    return _report(payload, [], branches, _commit(payload, _at(payload, "sha"))), None


def _report(payload: Payload, pulls: list[Any], branches: list[Any], commit: Subject | None) -> list[Subject | None]:
    """Where another app's report about a commit matters: the pull requests it is the head of, or else the commit."""
    found = [_pull(payload, _at(pull, "number")) for pull in pulls]
    found += [_promotion(payload, branch) for branch in branches]
    return found if any(found) else [commit]


def _merge_group(_: str, payload: Payload, __: int | None) -> _Found:
    return [_commit(payload, _at(payload, "merge_group", "head_sha"))], None


def _deployment_status(_: str, payload: Payload, __: int | None) -> _Found:
    app = _at(payload, "deployment", "payload", "app")
    environment = _at(payload, "deployment", "environment")
    found = _make(subjects.environment, _at(payload, "repository", "id"), app, environment)
    return [found or _repository(payload)], None


def _repository_dispatch(action: str, payload: Payload, _: int | None) -> _Found:
    data = {"branch": _at(payload, "branch"), "client_payload": _at(payload, "client_payload") or {}}
    if len(repr(data)) > _MOST_DATA:
        data["client_payload"] = {}
    return [_repository(payload)], Ask("dispatch", action, _sender(payload), data=data)


def _installation_event(_: str, payload: Payload, __: int | None) -> _Found:
    return [_installation(payload)], None


def _installation_repositories(_: str, payload: Payload, __: int | None) -> _Found:
    changed = _items(payload, "repositories_added") + _items(payload, "repositories_removed")
    if len(changed) > _MOST_REPOSITORIES:
        return [_installation(payload)], None
    return [_make(subjects.repository, _at(repository, "id")) for repository in changed], None


def _repository_event(_: str, payload: Payload, __: int | None) -> _Found:
    return [_repository(payload)], None


def _people(_: str, payload: Payload, __: int | None) -> _Found:
    return [_installation(payload)], Ask("members", "", _sender(payload))


def _nothing(_: str, __: Payload, ___: int | None) -> _Found:
    return [], None


_RULES: dict[str, Callable[[str, Payload, int | None], _Found]] = {
    "push": _push,
    "create": _ref,
    "delete": _ref,
    "pull_request": _pull_request,
    "pull_request_review": _review,
    "issue_comment": _issue_comment,
    "check_run": _check_run,
    "check_suite": _check_suite,
    "status": _status,
    "merge_group": _merge_group,
    "deployment_status": _deployment_status,
    "repository_dispatch": _repository_dispatch,
    "installation": _installation_event,
    "installation_repositories": _installation_repositories,
    "repository": _repository_event,
    "membership": _people,
    "team": _people,
    "organization": _people,
    "github_app_authorization": _nothing,  # a user took back a sign-in; we keep none
}
EVENTS = tuple(_RULES)
