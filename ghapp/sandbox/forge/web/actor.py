"""Who is asking: from the ``Authorization`` header to a person, an app or an installation, as GitHub does it."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from ghapp.sandbox.forge.model import App, InstallationToken, State, User
from ghapp.sandbox.forge.web.errors import ApiError


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks. Nothing set: nobody in particular. ``app`` alone: a JWT; with ``token``: one of its installations."""

    user: User | None = None
    app: App | None = None
    token: InstallationToken | None = None

    @property
    def kind(self) -> str:
        """``anonymous``, ``user``, ``app`` or ``installation``."""
        if self.token is not None:
            return "installation"
        return "app" if self.app is not None else "user" if self.user is not None else "anonymous"

    @property
    def key(self) -> str:
        """Under which requests are counted and limited: ``installation:12``, ``user:alice``, ``app:ghapp``."""
        if self.token is not None:
            return f"installation:{self.token.installation.id}"
        if self.app is not None:
            return f"app:{self.app.slug}"
        return f"user:{self.user.login}" if self.user is not None else "anonymous"

    @property
    def person(self) -> User:
        """The account that the deed is done by; raises 401 when there is none."""
        if self.user is None:
            raise ApiError(401, "Requires authentication")
        return self.user


def bad_credentials() -> ApiError:
    return ApiError(401, "Bad credentials")


def identify(state: State, authorization: str | None) -> Actor:
    """The actor behind an ``Authorization`` header; raises 401 for a wrong, expired or revoked one."""
    if not authorization:
        return Actor()
    scheme, _, credentials = authorization.partition(" ")
    credentials = credentials.strip()
    if scheme.lower() == "basic":
        credentials = _password(credentials)
    elif scheme.lower() not in ("bearer", "token"):
        raise bad_credentials()
    return _by_jwt(state, credentials) if credentials.count(".") == 2 else _by_token(state, credentials)


def _password(credentials: str) -> str:
    """The token of a Basic header, which git sends as the password or, alone, as the name."""
    try:
        name, _, password = base64.b64decode(credentials, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise bad_credentials() from None
    return name if password in ("", "x-oauth-basic") else password


def _by_token(state: State, value: str) -> Actor:
    if (personal := state.user_tokens.get(value)) is not None:
        return Actor(user=personal.user)
    token = state.installation_tokens.get(value)
    if token is None or token.expires_at <= state.now() or token.installation.id not in state.installations:
        raise bad_credentials()
    if token.installation.suspended_at is not None:
        raise ApiError(403, "This installation has been suspended")
    return Actor(user=token.installation.app.bot, app=token.installation.app, token=token)


def _by_jwt(state: State, value: str) -> Actor:
    """An app by its RS256 JWT, with GitHub's own reasons for refusing one."""
    try:
        claims = jwt.decode(value, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        raise ApiError(401, "A JSON web token could not be decoded") from None
    app = _issuer(state, claims.get("iss"))
    if app is None:
        raise ApiError(401, "'Issuer' claim ('iss') must be an Integer or a valid client id of an app")
    try:
        jwt.decode(
            value,
            _key(app.public_key),
            algorithms=["RS256"],
            options={"verify_exp": False, "verify_iat": False, "verify_nbf": False, "verify_aud": False},
        )
    except jwt.InvalidTokenError:
        raise ApiError(401, "A JSON web token could not be decoded") from None
    now = state.now().timestamp()
    expires, issued = claims.get("exp"), claims.get("iat")
    if not isinstance(expires, (int, float)) or expires <= now:
        raise ApiError(401, "'Expiration time' claim ('exp') must be a numeric value representing the future time")
    if expires > now + timedelta(minutes=10, seconds=60).total_seconds():
        raise ApiError(401, "'Expiration time' claim ('exp') is too far in the future")
    if not isinstance(issued, (int, float)) or issued > now + 60:
        raise ApiError(401, "'Issued at' claim ('iat') must be an Integer representing the time that it was issued")
    return Actor(app=app)


def _issuer(state: State, issuer: object) -> App | None:
    text = str(issuer)
    return next((a for a in list(state.apps.values()) if text in (str(a.id), a.client_id)), None)


@lru_cache(maxsize=64)
def _key(pem: str) -> RSAPublicKey:
    key = load_pem_public_key(pem.encode())
    if not isinstance(key, RSAPublicKey):
        raise TypeError("an app's key is RSA")
    return key
