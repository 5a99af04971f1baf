"""Search for issues and pull requests, in the qualifiers that the GraphQL search knows."""

from __future__ import annotations

from typing import Any

from ghapp.sandbox.forge.model import Issue
from ghapp.sandbox.forge.serialize import issues
from ghapp.sandbox.forge.web.call import Call, Reply
from ghapp.sandbox.forge.web.errors import invalid
from ghapp.sandbox.forge.web.routing import Route


def _issues(call: Call) -> Reply:
    # GraphQL is not read in until somebody asks for it.
    from ghapp.sandbox.forge.graphql.context import Context
    from ghapp.sandbox.forge.graphql.search import search_issues

    query = call.query.get("q", "")
    if not query.strip():
        raise invalid("Search", "q", "missing")

    def found(issue: Issue) -> dict[str, Any]:
        return {**issues.issue(call.state, issue), "body": issue.body or "", "score": 1.0}

    matching = search_issues(Context(call.state, call.actor, {}), query)
    return call.page(matching[:1000], found, "items", extra={"incomplete_results": False, "search_type": "lexical"})


ROUTES = [Route("GET", "/search/issues", _issues, "issues:read|pull_requests:read", resource="search")]
