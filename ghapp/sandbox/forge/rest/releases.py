"""GitHub releases: tags with notes."""

from __future__ import annotations

from typing import Any

from ghapp.sandbox.forge.model import Release
from ghapp.sandbox.forge.operations import repositories as operations
from ghapp.sandbox.forge.serialize import repositories
from ghapp.sandbox.forge.web.call import Call, Reply
from ghapp.sandbox.forge.web.errors import not_found
from ghapp.sandbox.forge.web.routing import Route


def _described(call: Call, record: Release) -> dict[str, Any]:
    return repositories.release(call.state, call.repository, record)


def _list(call: Call) -> Reply:
    return call.page(list(call.repository.releases)[::-1], lambda r: _described(call, r))


def _create(call: Call) -> Reply:
    body = call.body
    record = operations.create_release(
        call.state,
        call.repository,
        call.actor.person,
        tag=body.required("tag_name"),
        target=body.text("target_commitish"),
        name=body.optional_text("name"),
        body=body.optional_text("body"),
        draft=body.flag("draft"),
        prerelease=body.flag("prerelease"),
    )
    return Reply(_described(call, record), 201)


def _first(call: Call, matching: list[Release]) -> dict[str, Any]:
    if not matching:
        raise not_found()
    return _described(call, matching[0])


def _get(call: Call) -> dict[str, Any]:
    number = call.number("release_id")
    return _first(call, [r for r in list(call.repository.releases) if r.id == number])


def _by_tag(call: Call) -> dict[str, Any]:
    return _first(call, [r for r in list(call.repository.releases) if r.tag_name == call.params["tag"] and not r.draft])


def _latest(call: Call) -> dict[str, Any]:
    return _first(call, [r for r in list(call.repository.releases)[::-1] if not r.draft and not r.prerelease])


_ALL = "/repos/{owner}/{repo}/releases"

ROUTES = [
    Route("GET", _ALL, _list, "contents:read"),
    Route("POST", _ALL, _create, "contents:write"),
    Route("GET", f"{_ALL}/latest", _latest, "contents:read"),
    Route("GET", f"{_ALL}/tags/{{tag}}", _by_tag, "contents:read"),
    Route("GET", f"{_ALL}/{{release_id}}", _get, "contents:read"),
]
