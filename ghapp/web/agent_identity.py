"""Which agent is calling: by a pre-shared key, or by a service-account token that its cluster signed.

Either names the repositories that it may read; nothing else is ever given to it.
"""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ghapp.settings import ClusterIssuer, Settings

_ALGORITHMS = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"]


class Unknown(Exception):
    """The credential is missing, wrong or expired; the message says which."""


@dataclass(frozen=True, slots=True)
class Agent:
    """A caller that is known. ``repositories`` are ``owner/name``, or ``owner/*`` for all of an owner's."""

    name: str
    repositories: tuple[str, ...]

    def may_read(self, full_name: str) -> bool:
        wanted = full_name.lower()
        owner = wanted.partition("/")[0]
        return any(allowed.lower() in (wanted, f"{owner}/*") for allowed in self.repositories)


def identify(settings: Settings, authorization: str) -> Agent:
    """The agent behind an ``Authorization`` header. Raises :class:`Unknown`."""
    scheme, _, credential = authorization.partition(" ")
    if scheme.lower() != "bearer" or not credential:
        raise Unknown("The call carries no bearer credential.")
    found: Agent | None = None
    for known in settings.agent_keys:  # all are compared, so that the time taken says nothing
        if hmac.compare_digest(known.key.get_secret_value().encode(), credential.encode()):
            found = Agent(known.name, known.repositories)
    return found or _by_service_account(settings, credential)


def _by_service_account(settings: Settings, token: str) -> Agent:
    import httpx
    import jwt

    try:
        claimed = jwt.decode(token, options={"verify_signature": False})
    except jwt.PyJWTError:
        raise Unknown("The credential is no key of an agent that this server knows.") from None
    clusters = [c for c in settings.agent_clusters if (c.issuer, c.subject) == (claimed.get("iss"), claimed.get("sub"))]
    if not clusters:
        raise Unknown(
            f"No cluster is set up whose issuer and subject are {claimed.get('iss')} and {claimed.get('sub')}."
        )
    cluster = clusters[0]
    try:
        jwt.decode(
            token,
            _key(cluster, token),
            algorithms=_ALGORITHMS,
            audience=cluster.audience or settings.public_url,
            issuer=cluster.issuer,
            options={"require": ["exp", "iss", "sub", "aud"]},
        )
    except (jwt.PyJWTError, httpx.HTTPError, OSError, ValueError) as e:
        raise Unknown(f"The service account's token is not accepted: {e}") from None
    return Agent(cluster.name, tuple(name for c in clusters for name in c.repositories))


def _key(cluster: ClusterIssuer, token: str) -> Any:
    import jwt

    if cluster.jwks is None:
        return _discovered(cluster.issuer).get_signing_key_from_jwt(token).key
    keys = jwt.PyJWKSet.from_dict(json.loads(Path(cluster.jwks).read_text())).keys
    named = jwt.get_unverified_header(token).get("kid")
    found = next((key for key in keys if key.key_id == named), None)
    if found is None:
        raise ValueError(f"{cluster.jwks} has no key {named!r}")
    return found.key


@lru_cache
def _discovered(issuer: str) -> Any:
    """The issuer's keys, by OpenID discovery; kept for five minutes by the client itself."""
    import httpx
    import jwt

    found = httpx.get(f"{issuer.rstrip('/')}/.well-known/openid-configuration", timeout=5).raise_for_status().json()
    return jwt.PyJWKClient(found["jwks_uri"], timeout=5)
