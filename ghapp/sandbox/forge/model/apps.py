"""GitHub Apps on the forge: the app, where it is installed, its tokens and the log of its webhook deliveries."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from ghapp.sandbox.forge.model.accounts import Account, Organization, User


@dataclass(slots=True, eq=False)
class App:
    """A GitHub App. ``private_key`` is its RSA key as PEM; the forge verifies JWTs against ``public_key`` alone."""

    id: int
    node_id: str
    slug: str
    name: str
    owner: Account
    client_id: str
    private_key: str
    public_key: str
    bot: User
    created_at: datetime
    updated_at: datetime
    permissions: dict[str, str] = field(default_factory=dict)
    events: list[str] = field(default_factory=list)
    description: str = ""
    external_url: str = "https://example.invalid"
    hook_id: int = 0
    webhook_url: str | None = None
    webhook_secret: str | None = None


@dataclass(slots=True, eq=False)
class Installation:
    """An app on an account. With ``repository_selection == "selected"`` only ``repository_ids`` are visible to it."""

    id: int
    app: App
    account: User | Organization
    permissions: dict[str, str]
    events: list[str]
    created_at: datetime
    updated_at: datetime
    repository_selection: Literal["all", "selected"] = "all"
    repository_ids: set[int] = field(default_factory=set)
    suspended_at: datetime | None = None
    suspended_by: User | None = None


@dataclass(slots=True, eq=False)
class InstallationToken:
    """A token of an installation, narrowed to ``permissions`` and (unless None) to ``repository_ids``."""

    token: str
    installation: Installation
    permissions: dict[str, str]
    repository_ids: frozenset[int] | None
    expires_at: datetime


@dataclass(slots=True, eq=False)
class Delivery:
    """One attempt to deliver a webhook, kept whether or not anyone took it.

    ``status_code`` is 0 when nobody answered. ``duration`` is in seconds. ``redelivery`` attempts share the ``guid``.
    """

    id: int
    guid: str
    app: App
    event: str
    action: str | None
    installation_id: int | None
    repository_id: int | None
    request_headers: dict[str, str]
    request_body: bytes
    delivered_at: datetime
    redelivery: bool = False
    duration: float = 0.0
    status: str = "pending"
    status_code: int = 0
    response_headers: dict[str, str] = field(default_factory=dict)
    response_body: str = ""
    url: str | None = None
