"""Apps, installations, their tokens and webhook deliveries in GitHub's shapes."""

from __future__ import annotations

from typing import Any

import orjson

from ghapp.sandbox.forge.model import App, Delivery, Installation, InstallationToken, State
from ghapp.sandbox.forge.serialize import moment
from ghapp.sandbox.forge.serialize.accounts import optional_user, simple_user
from ghapp.sandbox.forge.serialize.repositories import repository


def app(state: State, record: App) -> dict[str, Any]:
    """``integration``."""
    return {
        "id": record.id,
        "slug": record.slug,
        "node_id": record.node_id,
        "client_id": record.client_id,
        "owner": simple_user(state, record.owner),
        "name": record.name,
        "description": record.description,
        "external_url": record.external_url,
        "html_url": f"{state.web_url}/apps/{record.slug}",
        "created_at": moment(record.created_at),
        "updated_at": moment(record.updated_at),
        "permissions": {"metadata": "read", **record.permissions},
        "events": record.events,
    }


def optional_app(state: State, record: App | None) -> dict[str, Any] | None:
    return app(state, record) if record is not None else None


def own_app(state: State, record: App) -> dict[str, Any]:
    """``integration`` as the app sees itself."""
    count = sum(i.app is record for i in list(state.installations.values()))
    return {**app(state, record), "installations_count": count}


def installation(state: State, record: Installation) -> dict[str, Any]:
    """``installation``."""
    url = f"{state.api_url}/app/installations/{record.id}"
    return {
        "id": record.id,
        "account": simple_user(state, record.account),
        "repository_selection": record.repository_selection,
        "access_tokens_url": f"{url}/access_tokens",
        "repositories_url": f"{state.api_url}/installation/repositories",
        "html_url": f"{state.web_url}/settings/installations/{record.id}",
        "app_id": record.app.id,
        "app_slug": record.app.slug,
        "client_id": record.app.client_id,
        "target_id": record.account.id,
        "target_type": record.account.type,
        "permissions": {"metadata": "read", **record.permissions},
        "events": record.events,
        "created_at": moment(record.created_at),
        "updated_at": moment(record.updated_at),
        "single_file_name": None,
        "has_multiple_single_files": False,
        "single_file_paths": [],
        "suspended_by": optional_user(state, record.suspended_by),
        "suspended_at": moment(record.suspended_at),
    }


def installation_token(state: State, token: InstallationToken) -> dict[str, Any]:
    """``installation-token``; lists repositories only when it was narrowed to some."""
    narrowed = token.repository_ids is not None
    answer: dict[str, Any] = {
        "token": token.token,
        "expires_at": moment(token.expires_at),
        "permissions": {"metadata": "read", **token.permissions},
        "repository_selection": "selected" if narrowed else token.installation.repository_selection,
    }
    if token.repository_ids is not None:
        chosen = [r for rid in sorted(token.repository_ids) if (r := state.repositories.get(rid))]
        answer["repositories"] = [repository(state, r) for r in chosen]
    return answer


def webhook_config(record: App) -> dict[str, Any]:
    return {
        "content_type": "json",
        "insecure_ssl": "0",
        "secret": "********" if record.webhook_secret else "",
        "url": record.webhook_url or "",
    }


def delivery_item(record: Delivery) -> dict[str, Any]:
    """``hook-delivery-item``."""
    return {
        "id": record.id,
        "guid": record.guid,
        "delivered_at": record.delivered_at.isoformat().replace("+00:00", "Z"),
        "redelivery": record.redelivery,
        "duration": round(record.duration, 3),
        "status": record.status,
        "status_code": record.status_code,
        "event": record.event,
        "action": record.action,
        "installation_id": record.installation_id,
        "repository_id": record.repository_id,
        "throttled_at": None,
    }


def delivery(record: Delivery) -> dict[str, Any]:
    """``hook-delivery``: with what was sent and what came back."""
    return {
        **delivery_item(record),
        "url": record.url or "",
        "request": {"headers": record.request_headers, "payload": orjson.loads(record.request_body)},
        "response": {"headers": record.response_headers, "payload": record.response_body},
    }
