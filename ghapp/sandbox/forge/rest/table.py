"""Every REST call, in one list."""

from __future__ import annotations

from collections.abc import Callable

from ghapp.sandbox.forge.operations.repositories import StoreFactory
from ghapp.sandbox.forge.rest import (
    apps,
    branches,
    checks,
    collaborators,
    commits,
    contents,
    deliveries,
    deployments,
    gitdata,
    issues,
    labels,
    meta,
    organizations,
    pulls,
    reactions,
    releases,
    repositories,
    reviews,
    search,
    statuses,
    teams,
    users,
)
from ghapp.sandbox.forge.web.ratelimit import RateLimits
from ghapp.sandbox.forge.web.routing import Route


def routes(store: StoreFactory, limits: RateLimits, redeliver: Callable[[int], bool]) -> list[Route]:
    """Every endpoint. ``store`` makes repositories, ``redeliver`` sends a delivery again by its id."""
    return [
        *apps.ROUTES,
        *branches.ROUTES,
        *checks.ROUTES,
        *collaborators.ROUTES,
        *commits.ROUTES,
        *contents.ROUTES,
        *deliveries.routes(redeliver),
        *deployments.ROUTES,
        *gitdata.ROUTES,
        *issues.ROUTES,
        *labels.ROUTES,
        *meta.routes(limits),
        *organizations.ROUTES,
        *pulls.ROUTES,
        *reactions.ROUTES,
        *releases.ROUTES,
        *repositories.routes(store),
        *reviews.ROUTES,
        *search.ROUTES,
        *statuses.ROUTES,
        *teams.ROUTES,
        *users.ROUTES,
    ]
