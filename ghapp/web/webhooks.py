"""``POST /webhooks/github``: is it from GitHub, is it new, where to look — one record, 202. Nothing else happens here.

The signature comes first, over the raw body; nothing is parsed before it is known to be good.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue
from redis.exceptions import RedisError

from ghapp.settings import Settings
from ghapp.web.appender import append
from jobs.deliveries import Delivery, reduce

log = logging.getLogger(__name__)
blueprint = Blueprint("webhooks", __name__)

PATH = "/webhooks/github"
MAX_DEPTH = 40
MAX_NODES = 500_000
_CONTAINERS = frozenset((dict, list))
_ID = re.compile(r"[A-Za-z0-9-]{1,100}\Z")
_EVENT = re.compile(r"[a-z_]{1,60}\Z")


class Refused(Exception):
    """A delivery that is not taken: the HTTP status, and why."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence = status, sentence


def admit(settings: Settings, headers: Mapping[str, str], body: bytes) -> Delivery:
    """What is kept of a delivery. ``headers`` has lower-case names. Raises :class:`Refused`."""
    if len(body) > settings.max_body:
        raise Refused(413, f"The body has more than {settings.max_body} bytes.")
    secrets = [secret.get_secret_value().encode() for secret in settings.webhook_secrets]
    if not secrets:
        raise Refused(503, "This server has no webhook secret; set GHAPP_WEBHOOK_SECRETS.")
    check_signature(secrets, body, headers.get("x-hub-signature-256", ""))
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refused(415, "Only application/json is taken; set the webhook's content type to it.")
    event, delivery_id = headers.get("x-github-event", ""), headers.get("x-github-delivery", "")
    if not _EVENT.match(event) or not _ID.match(delivery_id):
        raise Refused(400, "X-GitHub-Event or X-GitHub-Delivery is missing or malformed.")
    return reduce(delivery_id, event, _payload(body), app_id=settings.app_id)


def check_signature(secrets: Iterable[bytes], body: bytes, header: str) -> None:
    """Raise :class:`Refused` unless ``header`` is ``sha256=`` and the HMAC of ``body`` under one of ``secrets``.

    Every secret is tried, in constant time, so that the time taken says nothing. SHA-1 is not accepted.
    """
    if not header:
        raise Refused(401, "The delivery is not signed (X-Hub-Signature-256).")
    given = header.encode("ascii", "replace")
    good = False
    for secret in secrets:
        good |= hmac.compare_digest(b"sha256=" + hmac.digest(secret, body, hashlib.sha256).hex().encode(), given)
    if not good:
        raise Refused(401, "The signature does not match any webhook secret.")


def _payload(body: bytes) -> Mapping[str, Any]:
    try:
        payload = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Refused(400, "The body is not JSON.") from None
    if not isinstance(payload, dict):
        raise Refused(400, "The body is not a JSON object.")
    level: list[Any] = [payload]
    nodes = depth = 0
    while level:  # one round a level: cheap, and a bomb ends it early
        depth += 1
        nodes += sum(map(len, level))
        if depth > MAX_DEPTH or nodes > MAX_NODES:
            raise Refused(
                400, f"The JSON is nested deeper than {MAX_DEPTH} levels or has more than {MAX_NODES} values."
            )
        deeper: list[Any] = []
        for value in level:
            for child in value.values() if type(value) is dict else value:
                if type(child) in _CONTAINERS:
                    deeper.append(child)
        level = deeper
    return payload


@blueprint.post(PATH)
def receive() -> ResponseReturnValue:
    """The same as ``front.py`` does without Flask, for other servers and for tests."""
    from ghapp.web.app import connections

    here = connections()
    try:
        delivery = admit(here.settings, {k.lower(): v for k, v in request.headers}, request.get_data())
        new = append(here.redis, delivery) if delivery.subjects else False
    except Refused as e:
        return refusal(e)
    except RedisError as e:
        return unavailable(e)
    return jsonify(accepted(delivery, new)), 202


def accepted(delivery: Delivery, new: bool) -> dict[str, Any]:
    return {"delivery": delivery.id, "queued": new}


def refusal(refused: Refused) -> tuple[Any, int]:
    log.warning("a delivery was refused (%d): %s", refused.status, refused.sentence)
    return {"message": refused.sentence}, refused.status


def unavailable(error: Exception) -> tuple[Any, int, dict[str, str]]:
    log.error("a delivery was refused (503): Redis is away (%s)", error)
    # GitHub does not try again by itself; the sweep reads the deliveries that failed back from its log.
    return {"message": "Redis is away; the delivery will be read back from GitHub's log."}, 503, {"Retry-After": "60"}
