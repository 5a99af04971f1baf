"""The sandbox's own calls over HTTP, for a forge in another process: fill it, look at its logs, break it on purpose.

``POST /_sandbox/<call>`` with a JSON object of arguments; ``GET /_sandbox/`` lists the calls. Nobody is asked who they
are: the forge listens on this machine alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson
from werkzeug.wrappers import Request, Response

from ghapp.sandbox.forge.model import App, BranchProtection, Installation, Organization, Repository, Team, User
from ghapp.sandbox.forge.web.errors import ApiError
from ghapp.sandbox.forge.web.server import WsgiApp

PREFIX = "/_sandbox/"

Calls = Mapping[str, Callable[..., Any]]

# The fields of each kind of record that a caller needs to go on.
_SHOWN: dict[type, tuple[str, ...]] = {
    App: ("id", "slug", "client_id", "private_key", "webhook_url", "webhook_secret"),
    BranchProtection: ("id", "pattern"),
    Installation: ("id", "repository_selection"),
    Organization: ("id", "login"),
    Repository: ("id", "full_name", "default_branch"),
    Team: ("id", "slug"),
    User: ("id", "login"),
}


def _shown(answer: Any) -> Any:
    fields = _SHOWN.get(type(answer))
    return {name: getattr(answer, name) for name in fields} if fields else answer


def create(calls: Calls) -> WsgiApp:
    """The WSGI application under :data:`PREFIX` for these calls."""

    def answer(request: Request) -> tuple[int, Any]:
        name = request.path.removeprefix(PREFIX)
        if request.method == "GET" and not name:
            return 200, sorted(calls)
        call = calls.get(name)
        if call is None or request.method != "POST":
            return 404, {"message": f"POST one of {', '.join(sorted(calls))}"}
        try:
            data = request.get_data()
            return 200, _shown(call(**(orjson.loads(data) if data else {})))
        except (KeyError, TypeError, ValueError) as e:
            return 422, {"message": f"{name}: {e}"}
        except ApiError as e:
            return e.status, e.body()

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        status, body = answer(Request(environ))
        response = Response(orjson.dumps(body, default=str), status, content_type="application/json")
        return response(environ, start_response)

    return application
