"""Who is asking: bearer tokens, impersonation, and the groups that come with them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from ghapp.sandbox.cluster.errors import unauthorized

MASTERS = "system:masters"
AUTHENTICATED = "system:authenticated"
_SERVICE_ACCOUNT = "system:serviceaccount:"


@dataclass(frozen=True, slots=True)
class User:
    """A name, the groups it is in, and for impersonation whom it really is."""

    name: str
    groups: tuple[str, ...] = ()
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def is_admin(self) -> bool:
        return MASTERS in self.groups


ADMIN = User("sandbox-admin", (MASTERS, AUTHENTICATED))


def service_account(namespace: str, name: str) -> User:
    """The user that a service account is."""
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", AUTHENTICATED)
    return User(f"{_SERVICE_ACCOUNT}{namespace}:{name}", groups)


class Tokens:
    """Bearer tokens that are valid now. Requests without any are the administrator's: the cluster listens on loopback
    only, and kubectl sends no token over plain HTTP."""

    def __init__(self) -> None:
        self._users: dict[str, User] = {}
        self.anonymous: User | None = ADMIN
        self.admin = self.issue(ADMIN)

    def issue(self, user: User, token: str = "") -> str:
        """A new token for ``user``, or the given one."""
        token = token or secrets.token_urlsafe(24)
        self._users[token] = user
        return token

    def revoke(self, token: str) -> None:
        self._users.pop(token, None)

    def user(self, token: str) -> User | None:
        return self._users.get(token)

    def authenticate(self, authorization: str) -> User:
        """The user behind an Authorization header. Raises ApiError 401."""
        if not authorization:
            if self.anonymous is None:
                raise unauthorized()
            return self.anonymous
        scheme, _, token = authorization.partition(" ")
        user = self._users.get(token.strip()) if scheme.lower() == "bearer" else None
        if user is None:
            raise unauthorized()
        return user


def impersonated(headers: Mapping[str, str], groups: list[str]) -> User | None:
    """Whom a request's Impersonate headers name, or None."""
    name = headers.get("Impersonate-User", "")
    if not name:
        return None
    if name.startswith(_SERVICE_ACCOUNT) and name.count(":") == 3 and not groups:
        _, _, namespace, account = name.split(":")
        return service_account(namespace, account)
    return User(name, (*dict.fromkeys([*groups, AUTHENTICATED]),))
