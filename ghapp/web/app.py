"""Puts the Flask app together: connections that are made at first use, blueprints by a list, headers on all answers."""

from __future__ import annotations

import importlib
import logging
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from flask import Flask, current_app, jsonify, request
from flask.typing import ResponseReturnValue
from redis import Redis
from redis.exceptions import ConnectionError, TimeoutError  # noqa: A004 - redis-py's names
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from jobs.connect import connect

if TYPE_CHECKING:
    from ghapp.github.app import GitHubApp
    from ghapp.settings import Settings

log = logging.getLogger(__name__)

# Every part of the server: "module:blueprint". Adding one is adding one file and one line.
BLUEPRINTS = (
    "ghapp.web.webhooks:blueprint",
    "ghapp.web.health:blueprint",
    "ghapp.web.metrics:blueprint",
    "ghapp.web.agent_api:blueprint",
    "ghapp.web.runs:blueprint",
    "ghapp.web.dispatch:blueprint",
)

# Pages show other people's text: nothing in them may run, frame or leak. A page that needs more sets its own header.
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


@dataclass(frozen=True)
class Connections:
    """What the views reach other systems by. Each is made when it is first needed, so that the server starts alone."""

    settings: Settings

    @cached_property
    def redis(self) -> Redis:
        return connect(self.settings)

    @cached_property
    def github(self) -> GitHubApp:
        from ghapp.github.app import GitHubApp

        return GitHubApp(self.settings, self.redis)


def connections() -> Connections:
    """The connections of the app that answers the current request."""
    found: Connections = current_app.extensions["ghapp"]
    return found


def make_app(settings: Settings | None = None) -> Flask:
    """See :func:`ghapp.web.create_app`."""
    if settings is None:
        from ghapp.settings import load

        settings = load()
    app = Flask("ghapp.web", template_folder="templates", static_folder="static")
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body
    app.extensions["ghapp"] = Connections(settings)
    for entry in BLUEPRINTS:
        module, _, name = entry.partition(":")
        app.register_blueprint(getattr(importlib.import_module(module), name))
    app.after_request(_secure)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(ConnectionError, _redis_away)
    app.register_error_handler(TimeoutError, _redis_away)
    return app


def _secure(response: Response) -> Response:
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if not request.path.startswith("/static/"):
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def _http_error(error: HTTPException) -> ResponseReturnValue:
    wants_page = request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html"
    if wants_page and not request.path.startswith(("/webhooks/", "/agent/")):
        return error
    return jsonify(message=error.description or error.name), error.code or 500


def _redis_away(_: Any) -> ResponseReturnValue:
    log.error("Redis is away, so %s %s is refused", request.method, request.path)
    return jsonify(message="Redis is away; try again in a moment."), 503, {"Retry-After": "5"}
