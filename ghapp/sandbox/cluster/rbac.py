"""Who may do what: roles and bindings evaluated as the API server does, and the check that nobody grants what they do
not hold themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ghapp.sandbox.cluster import errors
from ghapp.sandbox.cluster.identity import User
from ghapp.sandbox.cluster.kinds import Resource
from ghapp.sandbox.cluster.selectors import of_label_selector
from ghapp.sandbox.cluster.store import Store
from ghapp.sandbox.cluster.types import Object

GROUP = "rbac.authorization.k8s.io"
_ROLES, _CLUSTER_ROLES = f"{GROUP}/roles", f"{GROUP}/clusterroles"
_BINDINGS, _CLUSTER_BINDINGS = f"{GROUP}/rolebindings", f"{GROUP}/clusterrolebindings"
Rule = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Attempt:
    """Something that a user wants to do to a resource. ``resource`` includes the subresource: ``pods/log``."""

    verb: str
    group: str
    resource: str
    namespace: str = ""
    name: str = ""

    @property
    def sentence(self) -> str:
        where = f'in the namespace "{self.namespace}"' if self.namespace else "at the cluster scope"
        return f'cannot {self.verb} resource "{self.resource}" in API group "{self.group}" {where}'


class Authorizer:
    """Answers from the roles and bindings that are stored now."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def allowed(self, user: User, attempt: Attempt) -> bool:
        return user.is_admin or any(_covers(rule, attempt) for rule in self.rules(user, attempt.namespace))

    def check(self, user: User, attempt: Attempt) -> None:
        """Raises ApiError 403."""
        if not self.allowed(user, attempt):
            said = f'User "{user.name}" {attempt.sentence}'
            raise errors.forbidden(attempt.resource.partition("/")[0], attempt.group, attempt.name, said)

    def rules(self, user: User, namespace: str) -> Iterator[Rule]:
        """All rules that hold for a user in a namespace; cluster-wide ones only where it is ""."""
        for binding in self._store.collection(_CLUSTER_BINDINGS).items.values():
            if _binds(binding.object, user, ""):
                yield from self._role_rules(binding.object["roleRef"], "")
        if namespace:
            for binding in self._store.collection(_BINDINGS).in_namespace(namespace):
                if _binds(binding.object, user, namespace):
                    yield from self._role_rules(binding.object["roleRef"], namespace)

    def _role_rules(self, reference: Object, namespace: str) -> list[Rule]:
        found = self._role(reference, namespace)
        return self._effective(found) if found else []

    def _role(self, reference: Object, namespace: str) -> Object | None:
        if reference.get("kind") == "ClusterRole":
            stored = self._store.get(_CLUSTER_ROLES, "", reference.get("name", ""))
        else:
            stored = self._store.get(_ROLES, namespace, reference.get("name", ""))
        return stored.object if stored else None

    def _effective(self, role: Object) -> list[Rule]:
        """A role's rules, with those of the roles it aggregates."""
        selectors = (role.get("aggregationRule") or {}).get("clusterRoleSelectors")
        rules: list[Rule] = list(role.get("rules") or ())
        for selector in selectors or ():
            matches = of_label_selector(selector)
            for other in self._store.collection(_CLUSTER_ROLES).items.values():
                if other.object is not role and matches(other.object["metadata"].get("labels") or {}):
                    rules += other.object.get("rules") or ()
        return rules

    def guard(self, user: User, resource: Resource, new: Object) -> None:
        """Refuse to let a user grant what they do not hold. Raises ApiError 403, or 404 for a role
        that is not there."""
        if resource.group != GROUP or user.is_admin:
            return
        namespace = new["metadata"].get("namespace", "")
        name = new["metadata"]["name"]
        if resource.kind in ("Role", "ClusterRole"):
            if self.allowed(user, Attempt("escalate", GROUP, resource.plural, namespace, name)):
                return
            granted = list(new.get("rules") or ())
        else:
            reference = new["roleRef"]
            plural = "clusterroles" if reference["kind"] == "ClusterRole" else "roles"
            if self.allowed(user, Attempt("bind", GROUP, plural, namespace, reference["name"])):
                return
            role = self._role(reference, namespace)
            if role is None:
                raise errors.not_found(plural, GROUP, reference["name"])
            granted = self._effective(role)
        held = list(self.rules(user, namespace))
        missing = [piece for rule in granted for piece in _pieces(rule) if not any(_covers(h, piece) for h in held)]
        if missing:
            groups = " ".join(f'"{g}"' for g in user.groups)
            listed = "\n".join(dict.fromkeys(_shown(m) for m in missing))
            said = (
                f'user "{user.name}" (groups=[{groups}]) is attempting to grant RBAC permissions not currently held:\n'
                + listed
            )
            raise errors.forbidden(resource.plural, GROUP, name, said)


def _binds(binding: Object, user: User, namespace: str) -> bool:
    for subject in binding.get("subjects") or ():
        kind, name = subject.get("kind"), subject.get("name")
        if kind == "User" and name == user.name:
            return True
        if kind == "Group" and name in user.groups:
            return True
        home = subject.get("namespace") or namespace
        if kind == "ServiceAccount" and user.name == f"system:serviceaccount:{home}:{name}":
            return True
    return False


def _covers(rule: Rule, attempt: Attempt) -> bool:
    if not _in(rule.get("verbs"), attempt.verb) or not _in(rule.get("apiGroups"), attempt.group):
        return False
    resources = rule.get("resources") or ()
    below = attempt.resource.partition("/")[2]
    if not ("*" in resources or attempt.resource in resources or (below and f"*/{below}" in resources)):
        return False
    names = rule.get("resourceNames")
    return not names or attempt.name in names


def _in(listed: Any, wanted: str) -> bool:
    return "*" in (listed or ()) or wanted in (listed or ())


def _pieces(rule: Rule) -> Iterator[Attempt]:
    """A rule as single permissions."""
    for group in rule.get("apiGroups") or ():
        for resource in rule.get("resources") or ():
            for verb in rule.get("verbs") or ():
                for name in rule.get("resourceNames") or ("",):
                    yield Attempt(verb, group, resource, "", name)


def _shown(piece: Attempt) -> str:
    named = f', ResourceNames:["{piece.name}"]' if piece.name else ""
    return f'{{APIGroups:["{piece.group}"], Resources:["{piece.resource}"]{named}, Verbs:["{piece.verb}"]}}'
