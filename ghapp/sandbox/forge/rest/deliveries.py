"""The log of an app's webhook deliveries, newest first and read with a cursor, and asking for one again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ghapp.sandbox.forge.model import Delivery
from ghapp.sandbox.forge.rest.apps import own_app
from ghapp.sandbox.forge.serialize import apps
from ghapp.sandbox.forge.web.call import Call, Reply
from ghapp.sandbox.forge.web.errors import ApiError, not_found
from ghapp.sandbox.forge.web.routing import Route


def _own(call: Call) -> list[Delivery]:
    return [d for d in call.state.deliveries_newest_first() if d.app is own_app(call) and d.status != "pending"]


def _list(call: Call) -> Reply:
    """A page from the cursor on, which names the first delivery to list."""
    try:
        per_page = min(max(int(call.query.get("per_page", 30)), 1), 100)
    except ValueError:
        per_page = 30
    wanted = call.query.get("status")
    own = [
        d for d in _own(call) if wanted is None or (d.status_code < 400 and d.status_code > 0) == (wanted == "success")
    ]
    cursor = call.query.get("cursor", "")
    start = 0
    if cursor:
        number = cursor.removeprefix("v1_")
        if not number.isdigit():
            raise ApiError(400, "Invalid cursor")
        start = next((i for i, d in enumerate(own) if d.id <= int(number)), len(own))
    shown, rest = own[start : start + per_page], own[start + per_page :]
    links = call.links([("next", {"cursor": f"v1_{rest[0].id}"})]) if rest else {}
    return Reply([apps.delivery_item(d) for d in shown], headers=links)


def _find(call: Call) -> Delivery:
    number = call.number("delivery_id")
    found = next((d for d in _own(call) if d.id == number), None)
    if found is None:
        raise not_found()
    return found


def _get(call: Call) -> dict[str, Any]:
    return apps.delivery(_find(call))


def routes(redeliver: Callable[[int], bool]) -> list[Route]:
    def attempt(call: Call) -> Reply:
        if not redeliver(_find(call).id):
            raise ApiError(422, "The app has no webhook URL")
        return Reply({}, 202)

    return [
        Route("GET", "/app/hook/deliveries", _list, access="app"),
        Route("GET", "/app/hook/deliveries/{delivery_id}", _get, access="app"),
        Route("POST", "/app/hook/deliveries/{delivery_id}/attempts", attempt, access="app"),
    ]
