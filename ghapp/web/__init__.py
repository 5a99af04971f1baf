"""The server: takes webhooks, answers agents, shows pages. It decides nothing and holds no cluster credentials.

``create_app`` makes the Flask app, for any WSGI server; ``front.py`` is the ASGI application that ``ghapp server`` runs
around it, for speed and against slow clients.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from ghapp.settings import Settings


def create_app(settings: Settings | None = None) -> Flask:
    """The Flask app with every page and call; settings are loaded when none are given."""
    from ghapp.web.app import make_app

    return make_app(settings)
