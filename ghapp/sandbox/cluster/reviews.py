"""Questions that clients ask by POST: may I, who am I, whose token is this. Answered, never stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ghapp.sandbox.cluster.accounts import Signer
from ghapp.sandbox.cluster.identity import Tokens, User
from ghapp.sandbox.cluster.kinds import Resource
from ghapp.sandbox.cluster.rbac import Attempt, Authorizer
from ghapp.sandbox.cluster.types import Object


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Answers reviews."""

    authorizer: Authorizer
    tokens: Tokens
    signer: Signer

    def answer(self, resource: Resource, given: Object, user: User, namespace: str) -> Object:
        """The review with its status filled in."""
        reviews: dict[str, Callable[[], Object]] = {
            "SelfSubjectAccessReview": lambda: self._access(given, user, namespace),
            "SubjectAccessReview": lambda: self._access(given, _subject(given), namespace),
            "LocalSubjectAccessReview": lambda: self._access(given, _subject(given), namespace),
            "SelfSubjectRulesReview": lambda: self._rules(given, user),
            "SelfSubjectReview": lambda: {"userInfo": _info(user)},
            "TokenReview": lambda: self._token(given),
        }
        head = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": given.get("metadata") or {}}
        return {**head, "spec": given.get("spec") or {}, "status": reviews[resource.kind]()}

    def _access(self, given: Object, user: User, namespace: str) -> Object:
        asked = (given.get("spec") or {}).get("resourceAttributes")
        if not asked:
            return {"allowed": user.is_admin}
        below = asked.get("subresource")
        attempt = Attempt(
            asked.get("verb", ""),
            asked.get("group", ""),
            asked.get("resource", "") + (f"/{below}" if below else ""),
            asked.get("namespace") or namespace,
            asked.get("name", ""),
        )
        allowed = self.authorizer.allowed(user, attempt)
        return {"allowed": allowed} if allowed else {"allowed": False, "reason": ""}

    def _rules(self, given: Object, user: User) -> Object:
        namespace = (given.get("spec") or {}).get("namespace", "")
        everything = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
        rules = [everything] if user.is_admin else list(self.authorizer.rules(user, namespace))
        resources = [r for r in rules if r.get("resources")]
        others = [r for r in rules if r.get("nonResourceURLs")]
        return {"resourceRules": resources, "nonResourceRules": others, "incomplete": False}

    def _token(self, given: Object) -> Object:
        spec = given.get("spec") or {}
        token, wanted = spec.get("token", ""), spec.get("audiences") or [self.signer.issuer]
        if user := self.tokens.user(token):
            return {"authenticated": True, "user": _info(user), "audiences": wanted}
        verified = self.signer.verify(token)
        shared = [a for a in wanted if verified and a in verified.audiences]
        if not verified or not shared:
            return {"user": {}, "error": "invalid bearer token"}
        return {"authenticated": True, "user": {**_info(verified.user), "uid": verified.uid}, "audiences": shared}


def _subject(given: Object) -> User:
    spec = given.get("spec") or {}
    return User(spec.get("user", ""), tuple(spec.get("groups") or ()))


def _info(user: User) -> Object:
    return {"username": user.name, "groups": list(user.groups)}
