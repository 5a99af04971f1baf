"""Repositories: made, looked at, changed, forked, transferred, deleted; and events that outsiders send to them."""

from __future__ import annotations

from typing import Any

from ghapp.sandbox.forge.model import Account, Event, Organization, Repository
from ghapp.sandbox.forge.operations import repositories as operations
from ghapp.sandbox.forge.operations.repositories import StoreFactory
from ghapp.sandbox.forge.rest import finding
from ghapp.sandbox.forge.serialize import repositories
from ghapp.sandbox.forge.web.call import Call, Reply
from ghapp.sandbox.forge.web.errors import ApiError, invalid, unprocessable
from ghapp.sandbox.forge.web.routing import Route

_FLAGS = (
    "allow_merge_commit",
    "allow_squash_merge",
    "allow_rebase_merge",
    "allow_auto_merge",
    "allow_update_branch",
    "delete_branch_on_merge",
)


def _shown(call: Call, repository: Repository) -> dict[str, Any]:
    permission = call.state.permission(repository, call.actor.user) if call.actor.kind == "user" else "read"
    return repositories.full_repository(call.state, repository, permission)


def _get(call: Call) -> dict[str, Any]:
    return _shown(call, call.repository)


def _update(call: Call) -> dict[str, Any]:
    state, repository, body = call.state, call.repository, call.body
    sender = call.actor.user
    if "name" in body:
        operations.rename(state, repository, body.required("name"), sender)
    if "archived" in body:
        operations.set_archived(state, repository, body.flag("archived"), sender)
    if "private" in body:
        operations.set_visibility(state, repository, "private" if body.flag("private") else "public", sender)
    if "visibility" in body:
        wanted = body.choice("visibility", ("public", "private", "internal"), "public")
        operations.set_visibility(state, repository, wanted, sender)  # type: ignore[arg-type]
    if "default_branch" in body:
        operations.set_default_branch(state, repository, body.required("default_branch"), sender)
    for name in _FLAGS:
        if name in body:
            setattr(repository, name, body.flag(name))
    repository.description = body.text("description", repository.description or "") or None
    repository.homepage = body.text("homepage", repository.homepage or "") or None
    return _shown(call, repository)


def _delete(call: Call) -> None:
    operations.delete(call.state, call.repository, call.actor.user)


def _transfer(call: Call) -> Reply:
    owner = call.state.account(call.body.required("new_owner"))
    if owner is None:
        raise invalid("Repository", "new_owner")
    operations.transfer(call.state, call.repository, owner, call.actor.user)
    return Reply(repositories.repository(call.state, call.repository), 202)


def _forks(call: Call) -> Reply:
    return call.page(call.state.forks_of(call.repository), lambda r: repositories.repository(call.state, r))


def _topics(call: Call) -> dict[str, Any]:
    return {"names": call.repository.topics}


def _set_topics(call: Call) -> dict[str, Any]:
    call.repository.topics = call.body.texts("names")
    return {"names": call.repository.topics}


def _languages(_call: Call) -> dict[str, int]:
    return {}


def _dispatch(call: Call) -> None:
    """``repository_dispatch``: an event from outside, with what its sender has to say."""
    body = call.body
    kind = body.required("event_type")
    if len(kind) > 100:
        raise unprocessable("Invalid request.\n\nOnly 100 characters are allowed.")
    payload = body.mapping("client_payload")
    if len(payload) > 10:
        raise unprocessable("No more than 10 properties are allowed; they were supplied.")
    repository = call.repository
    about = {"branch": repository.default_branch, "client_payload": payload}
    call.state.publish(Event("repository_dispatch", kind, call.actor.person, lambda: about, repository))


def _sarif(call: Call) -> Reply:
    for name in ("commit_sha", "ref", "sarif"):
        call.body.required(name)
    number, _ = call.state.new_id("SA")
    url = f"{repositories.api_url(call.state, call.repository)}/code-scanning/sarifs/{number}"
    return Reply({"id": str(number), "url": url}, 202)


def routes(store: StoreFactory) -> list[Route]:
    def make(call: Call, owner: Account) -> Reply:
        body = call.body
        repository = operations.create(
            call.state,
            store,
            owner,
            body.required("name"),
            private=body.flag("private") or body.text("visibility") == "private",
            description=body.optional_text("description"),
            sender=call.actor.user,
        )
        return Reply(_shown(call, repository), 201)

    def create_own(call: Call) -> Reply:
        return make(call, call.actor.person)

    def create_in_organization(call: Call) -> Reply:
        organization = finding.organization(call)
        if call.actor.kind == "user" and call.actor.person.id not in organization.members:
            raise ApiError(403, "You need to be a member of the organization to create repositories.")
        return make(call, organization)

    def fork(call: Call) -> Reply:
        body, login = call.body, call.body.text("organization")
        owner: Account | None = call.state.organization(login) if login else call.actor.person
        if owner is None or (isinstance(owner, Organization) and call.actor.person.id not in owner.members):
            raise invalid("Repository", "organization")
        forked = operations.fork(call.state, store, call.repository, owner, body.text("name"), call.actor.person)
        return Reply(_shown(call, forked), 202)

    return [
        Route("POST", "/user/repos", create_own, access="user"),
        Route("POST", "/orgs/{org}/repos", create_in_organization, "administration:write", access="signed-in"),
        Route("GET", "/repos/{owner}/{repo}", _get, "metadata:read"),
        Route("PATCH", "/repos/{owner}/{repo}", _update, "administration:write"),
        Route("DELETE", "/repos/{owner}/{repo}", _delete, "administration:write"),
        Route("POST", "/repos/{owner}/{repo}/transfer", _transfer, "administration:write"),
        Route("GET", "/repos/{owner}/{repo}/forks", _forks, "metadata:read"),
        Route("POST", "/repos/{owner}/{repo}/forks", fork, "administration:write", user="read"),
        Route("GET", "/repos/{owner}/{repo}/topics", _topics, "metadata:read"),
        Route("PUT", "/repos/{owner}/{repo}/topics", _set_topics, "administration:write"),
        Route("GET", "/repos/{owner}/{repo}/languages", _languages, "metadata:read"),
        Route("POST", "/repos/{owner}/{repo}/dispatches", _dispatch, "contents:write"),
        Route("POST", "/repos/{owner}/{repo}/code-scanning/sarifs", _sarif, "security_events:write"),
    ]
