"""Pruning: only what is ours, only after everything else went well, in reverse order, and never by accident."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.conformance


def three(place: Any) -> dict[str, Any]:
    return {f"shop/{n}.yaml": place.cm(n) for n in ("a", "b", "c")}


def without(files: dict[str, Any], *gone: str) -> dict[str, Any]:
    return {name: content for name, content in files.items() if name not in {f"shop/{g}.yaml" for g in gone}}


def test_what_the_branch_no_longer_wants_goes(place: Any) -> None:
    files = three(place)
    assert place.sync(files).ok
    outcome = place.sync(without(files, "b"))
    assert outcome.ok
    assert outcome.pruned == [f"ConfigMap {place.namespace}/b"]
    assert place.get("configmaps", "b") is None
    assert place.inventory() == {"ConfigMap a", "ConfigMap c"}
    assert place.sync().ok
    assert place.gateway.writes == []


def test_pruning_goes_the_other_way_round(place: Any) -> None:
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "sa"}}
    job = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "j"},
        "spec": {
            "schedule": "0 0 1 1 *",
            "jobTemplate": {
                "spec": {
                    "template": {
                        "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "example.test/x"}]}
                    }
                }
            },
        },
    }
    keep = {f"shop/{n}.yaml": place.cm(f"keep-{n}") for n in "abc"}
    assert place.sync({**keep, "shop/x.yaml": [account, place.cm("config"), job]}).ok
    assert place.sync(keep).ok
    deleted = [path.split("/")[-2] for method, path in place.gateway.writes if method == "DELETE"]
    assert deleted == ["cronjobs", "configmaps", "serviceaccounts"]


def test_an_object_may_ask_to_be_kept(place: Any) -> None:
    files = three(place)
    files["shop/b.yaml"] = place.cm("b", annotations={"ghapp.dev/prune": "keep"})
    assert place.sync(files).ok
    outcome = place.sync(without(files, "b"))
    assert outcome.ok
    assert outcome.kept == [f"ConfigMap {place.namespace}/b"]
    assert place.get("configmaps", "b")
    assert "ConfigMap b" not in place.inventory()


def test_an_object_may_ask_before_it_goes(place: Any) -> None:
    files = three(place)
    files["shop/b.yaml"] = place.cm("b", annotations={"ghapp.dev/prune": "confirm"})
    assert place.sync(files).ok
    outcome = place.sync(without(files, "b"))
    assert not outcome.ok
    assert "--allow-prune" in outcome.failures[0].message
    assert place.get("configmaps", "b")
    assert "ConfigMap b" in place.inventory()
    assert place.sync(allow_prune=True).ok
    assert place.get("configmaps", "b") is None


def test_what_is_not_ours_any_more_is_left_alone(place: Any) -> None:
    files = three(place)
    assert place.sync(files).ok
    path = place.path("configmaps", "b")
    place.api.delete(path)
    place.api.create(place.path("configmaps"), place.cm("b", {"a": "someone else's"}))
    assert place.sync(without(files, "b")).ok
    assert place.get("configmaps", "b")["data"] == {"a": "someone else's"}
    assert "ConfigMap b" not in place.inventory()


def test_a_refused_delete_stays_in_the_inventory_and_is_tried_again(place: Any) -> None:
    files = three(place)
    assert place.sync(files).ok
    place.gateway.refuse = "DELETE configmaps/b"
    outcome = place.sync(without(files, "b"))
    assert not outcome.ok
    assert outcome.failures[0].object == f"ConfigMap {place.namespace}/b"
    assert place.get("configmaps", "b")
    assert "ConfigMap b" in place.inventory()
    place.gateway.refuse = ""
    assert place.sync().ok
    assert place.get("configmaps", "b") is None
    assert place.inventory() == {"ConfigMap a", "ConfigMap c"}


@pytest.mark.parametrize("files", [{}, {"README.md": "nothing here"}, {".ghapp/x.yaml": "a: 1", "shop/note.txt": "-"}])
def test_an_empty_branch_removes_nothing(place: Any, files: dict[str, str]) -> None:
    assert place.sync({"shop/a.yaml": place.cm("a")}).ok
    outcome = place.sync(files)
    assert not outcome.ok
    assert "no manifests" in outcome.errors()[0].message
    assert place.get("configmaps", "a")
    assert place.sync(allow_prune=True).ok
    assert place.get("configmaps", "a") is None


def test_more_than_half_at_once_stops_and_asks(place: Any) -> None:
    files = {**three(place), "shop/d.yaml": place.cm("d")}
    assert place.sync(files).ok
    outcome = place.sync(without(files, "a", "b", "c"))
    assert not outcome.ok
    assert "3 of 4 objects would be pruned, more than 50 %" in outcome.errors()[0].message
    assert place.get("configmaps", "a")
    assert len(place.inventory()) == 4
    assert not place.sync().ok, "it goes on asking"
    assert place.sync(allow_prune=True).ok
    assert place.inventory() == {"ConfigMap d"}


def test_half_is_not_too_much_and_the_limit_can_be_set(place: Any) -> None:
    files = {**three(place), "shop/d.yaml": place.cm("d")}
    assert place.sync(files).ok
    assert not place.sync(without(files, "a", "b"), prune_percent=40).ok
    assert place.sync().ok
    assert place.inventory() == {"ConfigMap c", "ConfigMap d"}


def test_a_rename_creates_first_and_prunes_then(place: Any) -> None:
    assert place.sync({"shop/a.yaml": place.cm("old")}).ok
    assert place.sync({"shop/a.yaml": place.cm("new")}).ok
    assert place.gateway.writes == [
        ("PATCH", place.path("configmaps", "new")),
        ("DELETE", place.path("configmaps", "old")),
    ]
    assert place.inventory() == {"ConfigMap new"}


def test_an_object_that_moves_to_another_app_stays_the_same_object(place: Any) -> None:
    assert place.sync({"shop/a.yaml": place.cm("a"), "shop/b.yaml": place.cm("b")}).ok
    uid = place.get("configmaps", "a")["metadata"]["uid"]
    assert place.sync({"other/a.yaml": place.cm("a"), "shop/b.yaml": place.cm("b")}).ok
    meta = place.get("configmaps", "a")["metadata"]
    assert meta["uid"] == uid
    assert meta["labels"]["ghapp.dev/app"] == "other"


def test_an_app_that_leaves_the_branch_goes(place: Any) -> None:
    assert place.sync({"shop/a.yaml": place.cm("a"), "old/b.yaml": place.cm("b")}).ok
    assert place.sync({"shop/a.yaml": place.cm("a")}).ok
    assert place.get("configmaps", "b") is None


def test_broken_yaml_prunes_nothing(place: Any) -> None:
    assert place.sync(three(place)).ok
    outcome = place.sync({"shop/a.yaml": place.cm("a"), "shop/b.yaml": "a: [1", "shop/c.yaml": place.cm("c")})
    assert not outcome.ok
    assert "shop/b.yaml:" in outcome.failures[0].message
    assert place.get("configmaps", "b")
    assert place.gateway.writes == []
    assert len(place.inventory()) == 3


def test_nothing_that_may_have_moved_to_a_broken_app_is_pruned(place: Any) -> None:
    assert place.sync({"shop/a.yaml": place.cm("a"), "shop/b.yaml": place.cm("moving"), "x/c.yaml": place.cm("c")}).ok
    broken = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: moving}\n---\na: [1"
    assert not place.sync({"shop/a.yaml": place.cm("a"), "x/c.yaml": broken}).ok
    assert place.get("configmaps", "moving")
    mended = {"shop/a.yaml": place.cm("a"), "x/c.yaml": [place.cm("c"), place.cm("moving")]}
    assert place.sync(mended).ok
    assert place.get("configmaps", "moving")["metadata"]["labels"]["ghapp.dev/app"] == "x"


def test_pruning_waits_for_finalizers_and_remembers(place: Any) -> None:
    files = three(place)
    assert place.sync(files).ok
    path = place.path("configmaps", "b")
    place.api.merge(path, {"metadata": {"finalizers": ["example.test/hold"]}})
    outcome = place.sync(without(files, "b"), wait=True, timeout=0.4)
    assert not outcome.ok
    assert "example.test/hold" in outcome.failures[0].message
    assert "ConfigMap b" in place.inventory()
    place.api.merge(path, {"metadata": {"finalizers": None}})
    assert place.sync().ok
    assert "ConfigMap b" not in place.inventory()


def test_suspended_applies_and_prunes_nothing_and_deleting_keeps_then(place: Any) -> None:
    files = three(place)
    assert place.sync(files).ok
    outcome = place.sync(without(files, "b"), suspend=True)
    assert outcome.suspended
    assert not outcome.ok
    assert place.gateway.writes == []
    assert place.sync(suspend=True, delete=True).suspended
    assert len(place.inventory()) == 3
    assert place.get("configmaps", "a")


def test_an_environment_is_suspended_and_resumed_in_the_cluster(place: Any) -> None:
    assert place.sync(three(place)).ok
    (inventory,) = [
        s["metadata"]["name"]
        for s in place.api.get(place.path("secrets"))["items"]
        if s["metadata"]["name"].startswith("ghapp-inventory")
    ]
    place.kubectl("annotate", "secret", inventory, "ghapp.dev/suspend=true")
    assert place.sync({"shop/a.yaml": place.cm("a", {"a": "2"})}).suspended
    assert place.get("configmaps", "a")["data"] == {"a": "1"}
    place.kubectl("annotate", "secret", inventory, "ghapp.dev/suspend-")
    assert place.sync({**three(place), "shop/a.yaml": place.cm("a", {"a": "2"})}).ok
    assert place.get("configmaps", "a")["data"] == {"a": "2"}


def test_deleting_an_environment_leaves_nothing(place: Any) -> None:
    assert place.sync({**three(place), "shop/k.yaml": place.cm("k", annotations={"ghapp.dev/prune": "keep"})}).ok
    outcome = place.sync(delete=True)
    assert outcome.ok
    assert outcome.kept == [f"ConfigMap {place.namespace}/k"]
    left = {c["metadata"]["name"] for c in place.api.get(place.path("configmaps"))["items"]}
    assert left - {"kube-root-ca.crt"} == {"k"}
    secrets = place.api.get(place.path("secrets"))["items"]
    assert not [s for s in secrets if s["metadata"]["name"].startswith("ghapp-inventory")]


def test_only_the_apps_that_were_asked_for_are_touched(place: Any) -> None:
    assert place.sync({"one/a.yaml": place.cm("a"), "two/b.yaml": place.cm("b")}).ok
    files = {"one/a.yaml": place.cm("a", {"a": "2"}), "two/c.yaml": place.cm("c")}
    assert place.sync(files, apps=("one",)).ok
    assert place.get("configmaps", "a")["data"] == {"a": "2"}
    assert place.get("configmaps", "b")
    assert place.get("configmaps", "c") is None
