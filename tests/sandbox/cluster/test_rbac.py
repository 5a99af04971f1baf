"""Who may do what, and who says so."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from ghapp.sandbox.cluster.server import Cluster
from tests.sandbox.cluster.client import Client, config_map, eventually, good, refused

RBAC = "rbac.authorization.k8s.io"
API = f"{RBAC}/v1"


def role(name: str, *rules: dict[str, Any], kind: str = "Role") -> dict[str, Any]:
    return {"apiVersion": API, "kind": kind, "metadata": {"name": name}, "rules": list(rules)}


def rule(group: str, resources: str, verbs: str) -> dict[str, Any]:
    return {"apiGroups": [group], "resources": resources.split(), "verbs": verbs.split()}


def binding(name: str, to: str, user: str, kind: str = "Role") -> dict[str, Any]:
    subject = {"kind": "User", "name": user, "apiGroup": RBAC}
    reference = {"apiGroup": RBAC, "kind": kind, "name": to}
    meta = {"name": name}
    return {"apiVersion": API, "kind": "RoleBinding", "metadata": meta, "roleRef": reference, "subjects": [subject]}


@pytest.fixture
def bob(api: Client) -> Client:
    """A user who may do things with ConfigMaps and roles of the test's namespace, and nothing else."""
    api.create(
        "roles",
        role(
            "some",
            rule("", "configmaps", "get list create patch"),
            rule(RBAC, "roles rolebindings", "get create patch"),
        ),
    )
    api.create("rolebindings", binding("bob", "some", "bob"))
    return api.as_user("bob")


def test_what_a_role_allows_is_allowed_and_nothing_else(bob: Client) -> None:
    bob.apply("configmaps", config_map(a="1"))
    assert bob.get("configmaps", "cm")["data"] == {"a": "1"}
    said = refused(bob.call("DELETE", bob.path("configmaps", "cm")), 403, "Forbidden")
    where = f'in API group "" in the namespace "{bob.namespace}"'
    assert said == f'configmaps "cm" is forbidden: User "bob" cannot delete resource "configmaps" {where}'
    said = refused(bob.call("GET", bob.path("deployments")), 403, "Forbidden")
    assert said.startswith(
        'deployments.apps is forbidden: User "bob" cannot list resource "deployments" in API group "apps"'
    )
    said = refused(bob.call("GET", f"{bob.url}/api/v1/nodes"), 403, "Forbidden")
    assert said.endswith('cannot list resource "nodes" in API group "" at the cluster scope')
    refused(Client(bob.url, "default", bob.headers).call("GET", f"{bob.url}/api/v1/namespaces/default/configmaps"), 403)


def test_an_apply_that_creates_needs_both_verbs(api: Client) -> None:
    api.create("roles", role("patcher", rule("", "configmaps", "get patch")))
    api.create("rolebindings", binding("b", "patcher", "pat"))
    said = refused(api.as_user("pat").try_apply("configmaps", config_map()), 403, "Forbidden")
    assert 'cannot create resource "configmaps"' in said


def test_nobody_grants_what_they_do_not_hold(bob: Client) -> None:
    good(bob.try_apply("roles", role("less", rule("", "configmaps", "get"))))
    said = refused(bob.try_apply("roles", role("more", rule("apps", "deployments", "get list"))), 403, "Forbidden")
    assert (
        'user "bob" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:'
        in said
    )
    assert '{APIGroups:["apps"], Resources:["deployments"], Verbs:["get"]}' in said


def test_a_role_must_be_there_and_held_before_it_is_bound(api: Client, bob: Client) -> None:
    answer = bob.try_apply("rolebindings", binding("x", "less", "carol"))
    assert refused(answer, 404, "NotFound") == f'roles.{RBAC} "less" not found'
    bob.apply("roles", role("less", rule("", "configmaps", "get")))
    bob.apply("rolebindings", binding("x", "less", "carol"))
    assert refused(bob.try_apply("rolebindings", binding("y", "edit", "carol", "ClusterRole")), 403, "Forbidden")
    api.create("roles", role("binder", rule(RBAC, "clusterroles", "bind")))
    granted = role(f"binder-{api.namespace}", rule(RBAC, "clusterroles", "bind"), kind="ClusterRole")
    api.create("clusterroles", granted)
    api.create("rolebindings", binding("bind", "binder", "bob"))
    bob.apply("rolebindings", binding("y", "edit", "carol", "ClusterRole"))


def test_a_rule_may_name_single_objects(api: Client) -> None:
    named = {**rule("", "configmaps", "get"), "resourceNames": ["one"]}
    api.create("roles", role("r", named))
    api.create("rolebindings", binding("b", "r", "dan"))
    for name in ("one", "two"):
        api.create("configmaps", config_map(name))
    dan = api.as_user("dan")
    assert dan.get("configmaps", "one")
    refused(dan.call("GET", dan.path("configmaps", "two")), 403, "Forbidden")


def test_roles_may_be_made_of_others(api: Client) -> None:
    label = {"aggregate": api.namespace}
    part = role(f"part-{api.namespace}", rule("", "secrets", "list"), kind="ClusterRole")
    part["metadata"]["labels"] = label
    whole = role(f"whole-{api.namespace}", kind="ClusterRole")
    whole["aggregationRule"] = {"clusterRoleSelectors": [{"matchLabels": label}]}
    for body in (part, whole):
        api.create("clusterroles", body)
    api.create("rolebindings", binding("b", whole["metadata"]["name"], "eve", "ClusterRole"))
    assert api.as_user("eve").get("secrets")["items"] == []


def test_groups_and_service_accounts_are_subjects_too(api: Client) -> None:
    account = {"kind": "ServiceAccount", "name": "robot", "namespace": api.namespace}
    group = {"kind": "Group", "name": "team", "apiGroup": RBAC}
    body = binding("b", "view", "x", "ClusterRole")
    body["subjects"] = [account, group]
    api.create("rolebindings", body)
    assert "items" in api.as_user(f"system:serviceaccount:{api.namespace}:robot").get("configmaps")
    assert "items" in api.as_user("frank", "team").get("configmaps")
    stranger = api.as_user("frank")
    refused(stranger.call("GET", stranger.path("configmaps")), 403, "Forbidden")


def test_only_those_who_may_speak_for_others(api: Client, bob: Client, shared_cluster: Cluster) -> None:
    headers = {"Authorization": f"Bearer {shared_cluster.token('bob')}", "Impersonate-User": "carol"}
    answer = requests.get(f"{bob.url}/api/v1/namespaces", headers=headers, timeout=10)
    assert 'User "bob" cannot impersonate resource "users"' in refused(answer, 403, "Forbidden")


def test_tokens_say_who_asks(bob: Client, shared_cluster: Cluster) -> None:
    token = shared_cluster.token("bob", "team")
    as_token = Client(bob.url, bob.namespace, {"Authorization": f"Bearer {token}"})
    assert "items" in as_token.get("configmaps")
    shared_cluster.tokens.revoke(token)
    refused(as_token.call("GET", as_token.path("configmaps")), 401, "Unauthorized")
    wrong = Client(bob.url, bob.namespace, {"Authorization": "Bearer nonsense"})
    assert refused(wrong.call("GET", wrong.path("configmaps")), 401, "Unauthorized") == "Unauthorized"
    admin = Client(bob.url, bob.namespace, {"Authorization": f"Bearer {shared_cluster.tokens.admin}"})
    assert "items" in admin.get("secrets")


def ask(api: Client, kind: str, spec: dict[str, Any], group: str = "authorization.k8s.io") -> dict[str, Any]:
    body = {"apiVersion": f"{group}/v1", "kind": kind, "spec": spec}
    answer: dict[str, Any] = good(api.call("POST", f"{api.url}/apis/{group}/v1/{kind.lower()}s", body))["status"]
    return answer


def test_users_may_ask_what_they_may(bob: Client) -> None:
    asked = {"namespace": bob.namespace, "verb": "get", "resource": "configmaps"}
    assert ask(bob, "SelfSubjectAccessReview", {"resourceAttributes": asked})["allowed"]
    assert not ask(bob, "SelfSubjectAccessReview", {"resourceAttributes": {**asked, "verb": "delete"}})["allowed"]
    rules = ask(bob, "SelfSubjectRulesReview", {"namespace": bob.namespace})["resourceRules"]
    assert rule("", "configmaps", "get list create patch") in rules
    assert ask(bob, "SelfSubjectReview", {}, "authentication.k8s.io")["userInfo"]["username"] == "bob"


def test_an_accounts_token_is_issued_accepted_and_reviewed(api: Client) -> None:
    eventually(lambda: api.find("serviceaccounts", "default"))
    request = {"spec": {"audiences": ["ghapp"], "expirationSeconds": 3600}}
    issued = good(api.call("POST", api.path("serviceaccounts", "default", "token"), request))
    token = issued["status"]["token"]
    name = f"system:serviceaccount:{api.namespace}:default"
    holder = Client(api.url, api.namespace, {"Authorization": f"Bearer {token}"})
    assert f'User "{name}" cannot list' in refused(holder.call("GET", holder.path("secrets")), 403)
    review = {"token": token, "audiences": ["ghapp", "other"]}
    status = ask(api, "TokenReview", review, "authentication.k8s.io")
    assert (status["authenticated"], status["user"]["username"], status["audiences"]) == (True, name, ["ghapp"])
    wrong = ask(api, "TokenReview", {"token": token, "audiences": ["other"]}, "authentication.k8s.io")
    assert "authenticated" not in wrong and wrong["error"]
    changed = ask(api, "TokenReview", {**review, "token": token[:-4] + "AAAA"}, "authentication.k8s.io")
    assert "authenticated" not in changed


def test_the_keys_that_sign_tokens_are_published(api: Client) -> None:
    configuration = good(api.call("GET", f"{api.url}/.well-known/openid-configuration"))
    keys = good(api.call("GET", configuration["jwks_uri"]))["keys"]
    assert (keys[0]["kty"], keys[0]["alg"]) == ("EC", "ES256")
