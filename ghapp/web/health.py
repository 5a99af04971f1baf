"""``/healthz``: this process answers. ``/readyz``: it can do its work, and if not, a sentence says why."""

from __future__ import annotations

import time
from dataclasses import dataclass

import httpx
from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from redis.exceptions import RedisError

from ghapp.settings import without_password
from ghapp.web.app import Connections, connections
from ghapp.web.appender import durability, settings_of

blueprint = Blueprint("health", __name__)

_ASKED_EVERY = 10.0  # seconds; GitHub is not asked for each probe
_asked: dict[str, tuple[float, str]] = {}


@dataclass(frozen=True, slots=True)
class Need:
    """Something that is needed. ``essential``: without it no delivery can be taken."""

    name: str
    good: bool
    sentence: str
    essential: bool = True


@blueprint.get("/healthz")
def healthz() -> ResponseReturnValue:
    return jsonify(status="ok")


@blueprint.get("/readyz")
def readyz() -> ResponseReturnValue:
    """200 while deliveries can be taken, else 503. GitHub being away is said, but what it sent is still taken."""
    here = connections()
    needs = [_secrets(here), _redis(here), _github(here)]
    ready = all(need.good for need in needs if need.essential)
    body = {
        "ready": ready,
        "checks": {need.name: {"ok": need.good, "message": need.sentence} for need in needs},
    }
    return jsonify(body), 200 if ready else 503


def _secrets(here: Connections) -> Need:
    if here.settings.webhook_secrets:
        return Need("webhook_secrets", True, f"{len(here.settings.webhook_secrets)} secret(s) are set.")
    return Need("webhook_secrets", False, "No webhook secret is set; set GHAPP_WEBHOOK_SECRETS.")


_SAFETY = {
    "always": "Redis writes every delivery to its disk before it is accepted.",
    "everysec": "Redis writes to its disk every second; before version 7.2 a crash of its machine may lose that "
    "second, which is read back from GitHub's log.",
    "no": "Redis writes to its disk when the system likes; set `appendfsync always`.",
    "never": "Redis keeps nothing on disk; set `appendonly yes` and `appendfsync always`.",
    "unknown": "Redis answers; how it keeps its data may not be asked.",
}


def _redis(here: Connections) -> Need:
    try:
        return Need("redis", True, _SAFETY.get(durability(settings_of(here.redis)), _SAFETY["unknown"]))
    except RedisError as e:
        return Need("redis", False, f"Redis at {without_password(here.settings.redis_url)} cannot be reached: {e}.")


def _github(here: Connections) -> Need:
    url = here.settings.github_api_url
    when, problem = _asked.get(url, (0.0, ""))
    if not when or time.monotonic() - when > _ASKED_EVERY:
        problem = _ask(here, url)
        _asked[url] = (time.monotonic(), problem)
    if problem:
        return Need("github", False, f"{url} cannot be reached: {problem}. Work goes on when it is back.", False)
    return Need("github", True, f"{url} answers.", False)


def _ask(here: Connections, url: str) -> str:
    """What is wrong with GitHub, empty when it answers anything at all; no budget is used."""
    bundle = here.settings.github_ca_bundle
    try:
        httpx.head(url, timeout=2, verify=str(bundle) if bundle else True)
    except (httpx.HTTPError, OSError) as e:
        return str(e) or type(e).__name__
    return ""
