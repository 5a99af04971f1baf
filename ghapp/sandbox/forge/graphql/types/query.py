"""Where queries begin: repositories, accounts, nodes by id, search, the viewer and their rate limit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

from ghapp.sandbox.forge.graphql import gitnodes
from ghapp.sandbox.forge.graphql.connections import Connection, paginate
from ghapp.sandbox.forge.graphql.context import Context
from ghapp.sandbox.forge.graphql.errors import Refused, no_node, not_found
from ghapp.sandbox.forge.graphql.registry import Fields
from ghapp.sandbox.forge.graphql.search import search_issues, search_repositories, search_users
from ghapp.sandbox.forge.model import Issue, Organization, PullRequest, Repository, User

QUERY = Fields("Query")
RATE = Fields("RateLimit")
FOUND = Fields("SearchResultItemConnection")

QUERY.constant(id="Q")
for _name in ("cost", "limit", "nodeCount", "remaining", "resetAt", "used"):
    RATE(_name)(lambda rate, _ctx, name=_name: rate[name])


@QUERY("viewer")
def viewer(_root: None, ctx: Context) -> User:
    return ctx.me


@QUERY("rateLimit")
def rate_limit(_root: None, ctx: Context, **_dry_run: bool) -> dict[str, Any]:
    return ctx.rate


@QUERY("node")
def node(_root: None, ctx: Context, id: str) -> Any:  # noqa: A002 - the argument's name in the schema
    return ctx.find(id)


@QUERY("nodes")
def nodes(_root: None, ctx: Context, ids: list[str]) -> list[Any]:
    """All of them, or refused naming the first that is not there; GitHub answers null in its place."""
    return [_found_or_refusal(ctx, node_id) for node_id in ids]


def _found_or_refusal(ctx: Context, node_id: str) -> Any:
    try:
        return ctx.find(node_id)
    except Refused:
        return no_node(node_id)


@QUERY("repository")
def repository(_root: None, ctx: Context, owner: str, name: str, follow_renames: bool = True) -> Repository:
    return ctx.find_repository(owner, name, follow_renames)


@QUERY("repositoryOwner")
def repository_owner(_root: None, ctx: Context, login: str) -> User | Organization | None:
    return ctx.state.account(login)


@QUERY("user")
def user(_root: None, ctx: Context, login: str) -> User:
    found = ctx.state.user(login)
    if found is None or found.type != "User":
        raise not_found("User", f"with the login of '{login}'")
    return found


@QUERY("organization")
def organization(_root: None, ctx: Context, login: str) -> Organization:
    found = ctx.state.organization(login)
    if found is None:
        raise not_found("Organization", f"with the login of '{login}'")
    return found


@QUERY("resource")
def resource(_root: None, ctx: Context, url: str) -> Any:
    """What has its page at this address, or null."""
    parts = urlsplit(url).path.strip("/").split("/")
    if len(parts) == 1:
        return ctx.state.account(parts[0])
    try:
        found = ctx.find_repository(parts[0], parts[1])
    except Refused:
        return None
    match parts[2:]:
        case []:
            return found
        case ["pull" | "issues", number, *_] if number.isdigit():
            return found.issues.get(int(number))
        case ["commit", sha]:
            return gitnodes.commit(found, sha)
    return None


@QUERY("search")
def search(_root: None, ctx: Context, query: str, type: str, **page: Any) -> Connection:  # noqa: A002
    finders: dict[str, Callable[[Context, str], Sequence[Any]]]
    finders = {"ISSUE": search_issues, "REPOSITORY": search_repositories, "USER": search_users}
    found = finders[type](ctx, query) if type in finders else []
    return paginate("search", found, key=ctx.key, **page)


def _count(kinds: type | tuple[type, ...]) -> Any:
    return lambda page, _ctx: sum(isinstance(item, kinds) for item in page.everything)


FOUND("issueCount")(_count((Issue, PullRequest)))
FOUND("repositoryCount")(_count(Repository))
FOUND("userCount")(_count((User, Organization)))
