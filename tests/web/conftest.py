"""The Flask app on a real Redis, and signed deliveries."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from ghapp.settings import load
from ghapp.web import create_app

SECRET = "new-secret"
OLD_SECRET = "old-secret"


def environ(redis_url: str, folder: Path) -> dict[str, str]:
    return {
        "GHAPP_REDIS_URL": redis_url,
        "GHAPP_DATA_DIR": str(folder),
        "GHAPP_WEBHOOK_SECRETS": f"{SECRET}\n{OLD_SECRET}",
        "GHAPP_GITHUB_API_URL": "http://127.0.0.1:9/api/v3",  # nobody listens there
        "GHAPP_MAX_BODY": "200000",
        "GHAPP_APP_ID": "1",
    }


@pytest.fixture
def app(redis_url: str, tmp_path: Path) -> Flask:
    return create_app(load(environ(redis_url, tmp_path)))


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def signed(body: bytes, *, event: str = "push", delivery: str = "d-1", secret: str = SECRET) -> dict[str, str]:
    """The headers of a delivery."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/json",
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": delivery,
        "X-Hub-Signature-256": f"sha256={digest}",
    }


def push(**more: Any) -> bytes:
    payload = {
        "ref": "refs/heads/main",
        "before": "a" * 40,
        "after": "b" * 40,
        "repository": {"id": 7, "full_name": "acme/web", "default_branch": "main"},
        "installation": {"id": 9},
        **more,
    }
    return json.dumps(payload).encode()
