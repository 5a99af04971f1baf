"""An API server that is away, throttles or refuses; branches that are gone, forced or broken; no memory; two agents."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

from ghapp.agent.kube.client import Kube
from ghapp.agent.kube.config import Access
from ghapp.agent.lease import Lease

pytestmark = pytest.mark.conformance


def test_an_api_server_that_goes_away_in_the_middle_is_waited_for(place: Any) -> None:
    back: list[float] = []

    def trouble(method: str, path: str) -> None:
        if method == "PATCH" and "/configmaps/" in path and not back:
            back.append(time.monotonic())
            place.gateway.away = True
            threading.Timer(1.5, lambda: setattr(place.gateway, "away", False)).start()

    place.gateway.on_request = trouble
    outcome = place.sync({f"shop/{n}.yaml": place.cm(f"c{n}") for n in range(30)})
    assert back
    assert outcome.ok, outcome.errors()
    assert len(place.inventory()) == 30


def test_an_api_server_that_is_away_from_the_start_is_named(place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ghapp.agent.kube.client._FIRST_PATIENCE", 0.5)
    place.gateway.away = True
    outcome = place.sync({"shop/a.yaml": place.cm("a")})
    assert not outcome.ok
    assert "does not answer" in outcome.errors()[0].message
    assert place.gateway.url in outcome.errors()[0].message
    place.gateway.away = False
    assert place.sync().ok


def test_throttling_is_obeyed(place: Any) -> None:
    place.gateway.throttle = 3
    assert place.sync({"shop/a.yaml": place.cm("a")}).ok
    assert place.get("configmaps", "a")


def test_a_token_that_is_rotated_meanwhile_is_read_again(place: Any) -> None:
    place.gateway.token = "old"

    def rotate(method: str, path: str) -> None:
        if method == "PATCH":
            place.gateway.token = "new"

    place.gateway.on_request = rotate

    def authorization(refresh: bool) -> str:
        return "Bearer new" if refresh and place.gateway.token == "new" else "Bearer old"

    outcome = place.sync({"shop/a.yaml": place.cm("a")}, access=Access(place.gateway.url, _remembering(authorization)))
    assert outcome.ok, outcome.errors()


def _remembering(ask: Any) -> Any:
    last = [""]

    def authorization(refresh: bool) -> str:
        last[0] = ask(refresh) if refresh or not last[0] else last[0]
        return last[0]

    return authorization


def test_no_right_to_write_is_said_per_object(place: Any) -> None:
    place.gateway.refuse = "PATCH configmaps/b"
    outcome = place.sync({"shop/a.yaml": place.cm("a"), "shop/b.yaml": place.cm("b")})
    (failure,) = outcome.failures
    assert failure.object == f"ConfigMap {place.namespace}/b"
    assert "may not do this" in failure.message
    assert place.get("configmaps", "a")


def test_roles_and_bindings_as_someone_who_is_not_the_administrator(place: Any) -> None:
    group = "rbac.authorization.k8s.io"
    everything = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]
    user = f"ghapp-test-{place.tag}"
    rbac = f"/apis/{group}/v1/namespaces/{place.namespace}"
    place.api.create(f"{rbac}/roles", {"kind": "Role", "metadata": {"name": "all"}, "rules": everything})
    subjects = [{"kind": "User", "name": user, "apiGroup": group}]
    reference = {"apiGroup": group, "kind": "Role", "name": "all"}
    place.api.create(
        f"{rbac}/rolebindings",
        {"kind": "RoleBinding", "metadata": {"name": "all"}, "roleRef": reference, "subjects": subjects},
    )
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]
    role = {"apiVersion": f"{group}/v1", "kind": "Role", "metadata": {"name": "reader"}, "rules": rules}
    binding = {
        "apiVersion": f"{group}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "reader"},
        "roleRef": {"apiGroup": group, "kind": "Role", "name": "reader"},
        "subjects": subjects,
    }
    access = place.api.access.acting_as(user)
    place.eventually(lambda: place.api.__class__(access).call("GET", place.path("configmaps")) is not None)
    outcome = place.sync({"shop/a.yaml": [binding, role, place.cm("c")]}, access=access)
    assert outcome.ok, outcome.errors()
    assert place.get("rolebindings", "reader", f"{group}/v1")
    cluster_wide = {**role, "kind": "ClusterRole", "metadata": {"name": f"x-{place.tag}"}}
    outcome = place.sync({"shop/a.yaml": [binding, role, place.cm("c")], "bad/a.yaml": cluster_wide}, access=access)
    assert not outcome.ok
    assert any("may not" in f.message or "forbidden" in f.message for f in outcome.errors())


def test_a_service_account_is_impersonated_and_stays_in_its_namespace(place: Any) -> None:
    rbac = "rbac.authorization.k8s.io"
    root = f"/apis/{rbac}/v1/namespaces/{place.namespace}"
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["*"]}]
    place.api.create(f"{root}/roles", {"kind": "Role", "metadata": {"name": "maps"}, "rules": rules})
    account = {"kind": "ServiceAccount", "name": "deployer", "namespace": place.namespace}
    binding = {"kind": "RoleBinding", "metadata": {"name": "maps"}, "subjects": [account]}
    place.api.create(f"{root}/rolebindings", {**binding, "roleRef": {"apiGroup": rbac, "kind": "Role", "name": "maps"}})
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {}}
    place.eventually(lambda: place.sync({"shop/a.yaml": place.cm("a")}, service_account="deployer").ok)
    outcome = place.sync({"shop/a.yaml": place.cm("a"), "bad/s.yaml": secret}, service_account="deployer")
    assert not outcome.ok
    assert place.get("secrets", "s") is None
    elsewhere = place.cm("a", namespace="default")
    outcome = place.sync({"shop/a.yaml": elsewhere}, service_account="deployer")
    assert "lies in another namespace" in outcome.failures[0].message


def test_a_start_without_any_memory_writes_nothing(place: Any) -> None:
    files = {f"shop/{n}.yaml": place.cm(f"c{n}", labels={"n": str(n)}) for n in range(40)}
    assert place.sync(files).ok
    place.gateway.log.clear()
    assert place.sync().ok
    assert [entry for entry in place.gateway.log if entry[0] != "GET"] == []
    assert len(place.gateway.log) < 10, "no request per object"
    # Not even the inventory is left: nothing is applied again either.
    place.api.call("DELETE", place.path("secrets"), labelSelector="ghapp.dev/inventory")
    outcome = place.sync()
    assert outcome.ok
    assert place.gateway.writes == []
    assert len(place.gateway.log) < 15
    assert len(place.inventory()) == 40


def test_a_crash_between_the_writes_loses_no_member(place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ghapp.agent.kube.client._BRIEFLY", 0.5)

    class Crashed(Exception):
        pass

    def crash(method: str, path: str) -> None:
        if method == "PATCH" and path.startswith(place.path("configmaps", "b")):
            raise Crashed

    place.gateway.on_request = crash
    outcome = place.sync({"shop/a.yaml": [place.cm("a"), place.cm("b"), place.cm("c")]}, timeout=1)
    assert not outcome.ok
    place.gateway.on_request = None
    assert {"ConfigMap a", "ConfigMap c"} <= place.inventory()
    assert place.sync().ok
    assert place.inventory() == {"ConfigMap a", "ConfigMap b", "ConfigMap c"}


def test_the_inventory_holds_the_new_members_before_they_exist(place: Any) -> None:
    seen: list[set[str]] = []

    def look(method: str, path: str) -> None:
        if method == "PATCH" and "/configmaps/" in path and not seen:
            found: list[set[str]] = []
            asker = threading.Thread(target=lambda: found.append(place.inventory()))
            asker.start()
            asker.join(10)
            seen.extend(found)

    place.gateway.on_request = look
    assert place.sync({"shop/a.yaml": [place.cm("a"), place.cm("b")]}).ok
    assert seen == [{"ConfigMap a", "ConfigMap b"}]


# --- branches ---------------------------------------------------------------------------------------


def test_a_branch_that_is_gone_changes_nothing(place: Any) -> None:
    assert place.sync({"shop/a.yaml": place.cm("a")}).ok
    place.repository.git("checkout", "-q", "--detach")
    place.repository.git("branch", "-qD", "env/prod")
    outcome = place.sync()
    assert not outcome.ok
    assert "has no branch env/prod" in outcome.errors()[0].message
    assert place.get("configmaps", "a")


def test_a_branch_that_was_forced_is_followed(place: Any) -> None:
    assert place.sync({"shop/a.yaml": place.cm("a", {"a": "1"})}).ok
    assert place.sync({"shop/a.yaml": place.cm("a", {"a": "2"})}).ok
    assert place.get("configmaps", "a")["data"] == {"a": "2"}


def test_a_repository_that_is_not_there_is_named(place: Any) -> None:
    outcome = place.sync(repo="/nonexistent/repository")
    assert not outcome.ok
    assert "/nonexistent/repository" in outcome.errors()[0].message


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a: [1", "not YAML"),
        ("a: 1\na: 2", "written twice"),
        (b"\xff\xfe\x00", "not UTF-8"),
        ("[" * 5000, "levels deep"),
        ("x: &x [*x]", "alias"),
        ("- just\n- a list", "is not a Kubernetes object"),
        ("kind: ConfigMap\nmetadata: {name: a}", "has no apiVersion"),
        ("apiVersion: v1\nmetadata: {name: a}", "has no kind"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: a-}", "has no metadata.name"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {x: 1}}", "must be a string"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, annotations: {ghapp.dev/wave: soon}}", "whole number"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, annotations: {ghapp.dev/prune: x}}", "keep or confirm"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\napiVersion: v1\nkind: ConfigMap\n"
         "metadata: {name: a}", "there twice"),
        ("a0: &a [1,1,1,1,1,1,1,1,1,1]\n" + "\n".join(
            f"a{i}: &{'abcdefgh'[i]} [{','.join(['*' + 'abcdefgh'[i - 1]] * 10)}]" for i in range(1, 8)), "aliases"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_holds_its_app_and_says_where(place: Any, content: Any, said: str) -> None:
    outcome = place.sync({"shop/a.yaml": content, "fine/a.yaml": place.cm("fine")})
    assert not outcome.ok
    (failure,) = outcome.failures
    assert said in failure.message
    assert "shop" in failure.object + failure.message
    assert place.get("configmaps", "fine")


def test_a_link_out_of_the_folder_is_refused_and_one_inside_is_followed(place: Any) -> None:
    repository = place.repository
    repository.commit({"shop/real.yaml": place.cm("real"), "other/o.yaml": place.cm("o")})
    (repository.path / "shop" / "link.yaml").symlink_to("../../../../etc/passwd")
    repository.git("add", "-A")
    repository.git("commit", "-qm", "a link")
    outcome = place.sync()
    assert "leaves shop/" in outcome.failures[0].message
    (repository.path / "shop" / "link.yaml").unlink()
    (repository.path / "shop" / "sub").mkdir()
    (repository.path / "shop" / "sub" / "inside.txt").write_text('{"apiVersion":"v1","kind":"ConfigMap",'
                                                                 '"metadata":{"name":"linked"}}')  # fmt: skip
    (repository.path / "shop" / "in.json").symlink_to("sub/inside.txt")
    repository.git("add", "-A")
    repository.git("commit", "-qm", "a link inside")
    assert place.sync().ok
    assert place.get("configmaps", "linked")


def test_two_apps_that_want_one_object_the_first_keeps_it(place: Any) -> None:
    assert place.sync({"shop/a.yaml": place.cm("shared", {"by": "shop"})}).ok
    files = {"shop/a.yaml": place.cm("shared", {"by": "shop"}), "another/a.yaml": place.cm("shared", {"by": "another"})}
    outcome = place.sync(files)
    assert [f.object for f in outcome.failures] == [f"ConfigMap {place.namespace}/shared"]
    assert "belongs to the app shop" in outcome.failures[0].message
    assert place.get("configmaps", "shared")["data"] == {"by": "shop"}


def test_a_kustomization_is_rendered_and_remote_bases_are_refused(place: Any) -> None:
    kustomization = {"resources": ["a.yaml"], "namePrefix": "my-"}
    files = {"shop/kustomization.yaml": kustomization, "shop/a.yaml": place.cm("a")}
    outcome = place.sync(files)
    assert outcome.ok, outcome.errors()
    assert place.get("configmaps", "my-a")
    assert place.get("configmaps", "a") is None
    remote = {"resources": ["https://github.com/acme/base?ref=main"]}
    outcome = place.sync({**files, "shop/kustomization.yaml": remote})
    assert "remote base" in outcome.failures[0].message
    assert place.get("configmaps", "my-a")


# --- two agents by mistake --------------------------------------------------------------------------


def test_one_of_two_agents_leads(place: Any) -> None:
    async def go() -> tuple[str, str, str]:
        async with Kube(place.api.access) as kube:
            one, two = (Lease(kube, place.namespace, "prod", who) for who in ("one", "two"))
            first, second = await one.acquire(), await two.acquire()
            await one.release()
            return first, second, await two.acquire()

    assert asyncio.run(go()) == ("", "one", "")


def test_a_pass_does_not_write_while_another_agent_leads(place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ghapp.agent.lease.DURATION", 1)
    stop = threading.Event()

    async def lead() -> None:
        async with Kube(place.api.access) as kube:
            lease = Lease(kube, place.namespace, "prod", "the-other")
            while not stop.is_set():
                await lease.acquire()
                await asyncio.sleep(0.2)
            await lease.release()

    other = threading.Thread(target=lambda: asyncio.run(lead()))
    other.start()
    try:
        leases = place.path("leases", "", "coordination.k8s.io/v1")
        place.eventually(lambda: place.api.get(leases)["items"])
        outcome = place.sync({"shop/a.yaml": place.cm("a")})
        assert not outcome.ok
        assert "the agent the-other leads this environment" in outcome.errors()[0].message
        assert place.get("configmaps", "a") is None
    finally:
        stop.set()
        other.join()
    assert place.sync().ok


def test_credentials_never_travel_over_plain_http_to_another_machine() -> None:
    from ghapp.agent.server import ServerError, refuse_plain_http

    with pytest.raises(ServerError, match="plain http"):
        refuse_plain_http("http://git.example.test/acme/shop")
    for fine in ("https://git.example.test", "http://127.0.0.1:80", "http://localhost:3000", "http://[::1]:1"):
        refuse_plain_http(fine)


def test_two_passes_at_once_both_come_to_a_good_end(place: Any) -> None:
    from concurrent.futures import ThreadPoolExecutor

    place.repository.commit({f"shop/{n}.yaml": place.cm(f"c{n}") for n in range(20)})
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(lambda _: place.sync(), range(2)))
    assert [o.ok for o in outcomes] == [True, True], [o.errors() for o in outcomes]
    assert len(place.inventory()) == 20
