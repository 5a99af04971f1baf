"""The pages as one Flask application: routes, templates, who one acts as, and what a browser may do with a page.

Everything is found in the forge's records; nothing is stored but a cookie with the login one acted as last.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

from flask import Flask, abort, g, render_template, request
from markupsafe import Markup
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from ghapp.sandbox.forge.model import State, User
from ghapp.sandbox.forge.pages import accounts, code, commits, markdown, pulls, repositories, runs

COOKIE = "forge_user"

_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data: https:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


def create(state: State) -> Flask:
    """The pages of one forge."""
    app = Flask(__name__)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(markdown=_markdown, ago=_ago(state), moment=_moment, short=lambda sha: (sha or "")[:7])
    app.jinja_env.globals.update(quote=quote)
    app.jinja_env.tests["web_address"] = lambda address: urlsplit(address or "").scheme in ("http", "https")
    app.extensions["forge"] = state

    @app.before_request
    def prepare() -> None:
        if request.method not in ("GET", "HEAD") and not _same_origin():
            abort(403, "A page of another site sent this. Open the page here and press the button again.")
        people = [a for a in list(state.accounts.values()) if isinstance(a, User) and a.type == "User"]
        g.people = sorted((p for p in people if p is not state.web_flow), key=lambda p: p.login.lower())
        wanted = request.form.get("as") or request.cookies.get(COOKIE, "")
        g.me = next((p for p in g.people if p.login == wanted), g.people[0] if g.people else None)

    @app.after_request
    def guard(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", _POLICY)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "same-origin"
        if request.method == "POST" and request.form.get("as") and g.get("me") is not None:
            response.set_cookie(COOKIE, g.me.login, samesite="Strict", httponly=True)
        return response

    @app.context_processor
    def everywhere() -> dict[str, Any]:
        return {"state": state, "me": g.get("me"), "people": g.get("people", ())}

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> tuple[str, int]:
        return render_template("error.html", error=error), error.code or 500

    for view in (accounts, repositories, code, commits, pulls, runs):
        app.register_blueprint(view.views)
    return app


def _same_origin() -> bool:
    """Whether a form was sent from a page of this very server, by what browsers say of it and pages cannot forge."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("Origin") or request.headers.get("Referer")
    return origin is None or urlsplit(origin).netloc == request.host


def _markdown(text: str | None) -> Markup:
    return Markup(markdown.html(text or ""))  # noqa: S704 - the filter lets nothing harmful through


def _moment(at: datetime | None) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if at else ""


def _ago(state: State) -> Callable[[datetime | None], str]:
    def ago(at: datetime | None) -> str:
        """``5 minutes ago``; whole units, the largest that fits."""
        if at is None:
            return ""
        seconds = int((state.now() - at).total_seconds())
        for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
            if seconds >= size:
                count = seconds // size
                return f"{count} {unit}{'s' if count > 1 else ''} ago"
        return "just now"

    return ago
