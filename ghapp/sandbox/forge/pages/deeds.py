"""What the buttons of a page do, as the person one acts as: the operations that the REST calls end in.

A person may press what their role in the repository allows; whatever the records forbid, the operations refuse.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ghapp.sandbox.forge.model import PERMISSIONS, CheckRun, Permission, PullRequest, State, User
from ghapp.sandbox.forge.operations import checks, issues, merging, pulls, reviews
from ghapp.sandbox.forge.web.errors import ApiError

Form = Mapping[str, str]


class Refused(Exception):
    """The button was pressed in vain; the message says why, for a person."""


@dataclass(frozen=True, slots=True)
class Deed:
    """One button: the least role it takes (the author of the pull request needs none) and what it does."""

    role: Permission
    do: Callable[[State, PullRequest, User, Form], object]


def _review(event: str) -> Deed:
    """A review of the head that the page showed, which may not be the head any more."""

    def give(state: State, pull: PullRequest, me: User, form: Form) -> object:
        return reviews.create(
            state, pull, me, event=event, body=form.get("body", ""), commit_id=form.get("head") or pull.head_sha
        )

    return Deed("read", give)


def _merge(state: State, pull: PullRequest, me: User, form: Form) -> object:
    head = form.get("head") or pull.head_sha
    return merging.merge(state, pull, me, method=form.get("method", "merge"), sha=head)


def _label(state: State, pull: PullRequest, me: User, form: Form) -> None:
    if not (name := form.get("label", "").strip()):
        raise Refused("A label needs a name.")
    issues.add_labels(state, pull, me, [name])


def _unlabel(state: State, pull: PullRequest, me: User, form: Form) -> None:
    label = pull.repository.label(form.get("label", ""))
    if label is not None and label in pull.labels:
        issues.remove_label(state, pull, me, label)


DEEDS: dict[str, Deed] = {
    "comment": Deed("read", lambda state, pull, me, form: issues.add_comment(state, pull, me, form.get("body", ""))),
    "approve": _review("APPROVE"),
    "request_changes": _review("REQUEST_CHANGES"),
    "merge": Deed("write", _merge),
    "close": Deed("triage", lambda state, pull, me, _: pulls.close(state, pull, me)),
    "reopen": Deed("triage", lambda state, pull, me, _: pulls.reopen(state, pull, me)),
    "draft": Deed("write", lambda state, pull, me, _: pulls.set_draft(state, pull, me, True)),
    "ready": Deed("write", lambda state, pull, me, _: pulls.set_draft(state, pull, me, False)),
    "label": Deed("triage", _label),
    "unlabel": Deed("triage", _unlabel),
}

# Being the author opens these without a role.
_OF_AUTHORS = ("close", "reopen", "draft", "ready")


def act(state: State, pull: PullRequest, me: User | None, name: str, form: Form) -> None:
    """Press a button of a pull request's page; raises :class:`Refused`."""
    deed = DEEDS[name]
    if me is None:
        raise Refused("There is nobody to act as: create a user first.")
    if pull.repository.archived:
        raise Refused("The repository is archived, so it is read-only.")
    role: Permission = "read" if me is pull.user and name in _OF_AUTHORS else deed.role
    _need(state, pull, me, role, name.replace("_", " "))
    try:
        with state.lock:
            deed.do(state, pull, me, form)
    except ApiError as refusal:
        raise Refused(sentence(refusal)) from refusal


def act_on_run(state: State, run: CheckRun, me: User | None, wish: str) -> None:
    """Press a button of a check run: ``rerun`` or ``action:IDENTIFIER``; raises :class:`Refused`."""
    if me is None:
        raise Refused("There is nobody to act as: create a user first.")
    kind, _, identifier = wish.partition(":")
    _need(state, run, me, "write", "press this button")
    try:
        with state.lock:
            if kind == "rerun":
                checks.rerequest(state, run, me)
            else:
                checks.request_action(state, run, identifier, me)
    except ApiError as refusal:
        raise Refused(sentence(refusal)) from refusal


def _need(state: State, record: PullRequest | CheckRun, me: User, role: Permission, deed: str) -> None:
    held = state.permission(record.repository, me)
    if PERMISSIONS.index(held) < PERMISSIONS.index(role):
        has = f"has the role {held}" if held != "none" else "has no role"
        raise Refused(f"{me.login} {has} in {record.repository.full_name}; to {deed} takes {role}.")


def sentence(refusal: ApiError) -> str:
    """GitHub's message, and what it says of single fields."""
    details = [
        error if isinstance(error, str) else error.get("message") or f"{error.get('field')} is {error.get('code')}"
        for error in refusal.errors or ()
    ]
    return " — ".join([refusal.message, *details])
