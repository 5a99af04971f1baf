"""The API about itself: its address, version and rate limits."""

from __future__ import annotations

from typing import Any

from ghapp.sandbox.forge.web.call import Call
from ghapp.sandbox.forge.web.ratelimit import RateLimits
from ghapp.sandbox.forge.web.routing import Route


def _root(call: Call) -> dict[str, Any]:
    url = call.state.api_url
    return {
        "current_user_url": f"{url}/user",
        "emojis_url": f"{url}/emojis",
        "rate_limit_url": f"{url}/rate_limit",
        "repository_url": f"{url}/repos/{{owner}}/{{repo}}",
        "user_url": f"{url}/users/{{user}}",
        "organization_url": f"{url}/orgs/{{org}}",
    }


def _meta(_call: Call) -> dict[str, Any]:
    return {"verifiable_password_authentication": False, "installed_version": "3.19.0"}


def routes(limits: RateLimits) -> list[Route]:
    def rate_limit(call: Call) -> dict[str, Any]:
        core = limits.bucket(call.actor.key, "core").as_json()
        graphql = limits.bucket(call.actor.key, "graphql").as_json()
        search = limits.bucket(call.actor.key, "search").as_json()
        return {"resources": {"core": core, "graphql": graphql, "search": search}, "rate": core}

    return [
        Route("GET", "/", _root, free=True),
        Route("GET", "/meta", _meta, free=True),
        Route("GET", "/rate_limit", rate_limit, free=True),
    ]
