"""Lists and watches: whole, in chunks, selected, bookmarked, expired."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ghapp.sandbox.cluster.server import Cluster
from tests.sandbox.cluster.client import Client, config_map, deployment, eventually, fresh, good, refused


@contextmanager
def watching(api: Client, plural: str, group: str = "", **query: Any) -> Iterator[Iterator[dict[str, Any]]]:
    query = {"watch": "true", "timeoutSeconds": 5, **query}
    with api.session.get(
        api.path(plural, group=group), params=query, headers=api.headers, stream=True, timeout=10
    ) as answer:
        yield (json.loads(line) for line in answer.iter_lines() if line)


def names(found: dict[str, Any]) -> list[str]:
    return [i["metadata"]["name"] for i in found["items"]]


def test_a_list_says_its_version_and_its_items_say_no_kind(api: Client) -> None:
    api.create("deployments", deployment())
    found = api.get("deployments")
    assert (found["kind"], found["apiVersion"]) == ("DeploymentList", "apps/v1")
    assert int(found["metadata"]["resourceVersion"]) >= int(found["items"][0]["metadata"]["resourceVersion"])
    assert "kind" not in found["items"][0] and "apiVersion" not in found["items"][0]
    assert next(iter(found["items"][0])) == "metadata"


def test_a_list_in_chunks_is_of_one_moment(api: Client) -> None:
    for i in range(5):
        api.create("configmaps", config_map(f"m{i}"))
    first = api.get("configmaps", limit=2, labelSelector="!none", fieldSelector="metadata.name!=kube-root-ca.crt")
    assert (names(first), first["metadata"]["remainingItemCount"]) == (["m0", "m1"], 3)
    api.delete("configmaps", "m3")
    second = api.get("configmaps", limit=2, **{"continue": first["metadata"]["continue"]})
    assert names(second) == ["m2", "m3"]
    assert second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
    third = api.get("configmaps", limit=2, **{"continue": second["metadata"]["continue"]})
    assert names(third) == ["m4"] and "continue" not in third["metadata"]


def test_a_continued_list_expires(own_cluster: Cluster) -> None:
    api = fresh(own_cluster)
    token = good(api.call("GET", f"{api.url}/api/v1/namespaces", limit=1))["metadata"]["continue"]
    own_cluster.expire()
    query = {"limit": 1, "continue": token}
    assert "continue parameter is too old" in refused(
        api.call("GET", f"{api.url}/api/v1/namespaces", **query), 410, "Expired"
    )
    refused(api.call("GET", f"{api.url}/api/v1/namespaces", **{"continue": "nonsense"}), 400, "BadRequest")


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("app=web", "ab"), ("app==web", "ab"), ("app!=web", "cd"), ("app in (web, db)", "abc"),
        ("app notin (web)", "cd"), ("tier", "a"), ("!tier", "bcd"), ("app=web,tier=front", "a"),
        ("app in (web),!tier", "b"), ("weight>1", "c"), ("weight<2", "a"), ("", "abcd"),
    ],
)  # fmt: skip
def test_labels_select(api: Client, selector: str, found: str) -> None:
    labels = {
        "a": {"app": "web", "tier": "front", "weight": "1"},
        "b": {"app": "web"},
        "c": {"app": "db", "weight": "2"},
        "d": {},
    }
    for name, given in labels.items():
        api.create("secrets", {"metadata": {"name": name, "labels": given}})
    assert names(api.get("secrets", labelSelector=selector)) == list(found)


def test_fields_select(api: Client) -> None:
    api.create("secrets", {"metadata": {"name": "a"}})
    api.create("secrets", {"metadata": {"name": "b"}, "type": "example.com/x"})
    assert names(api.get("secrets", fieldSelector="metadata.name=b")) == ["b"]
    assert names(api.get("secrets", fieldSelector="type!=Opaque")) == ["b"]
    refused(api.call("GET", api.path("secrets"), fieldSelector="data.x=1"), 400, "BadRequest")
    refused(api.call("GET", api.path("secrets"), labelSelector="a=b=c d"), 400, "BadRequest")


def test_a_watch_tells_what_happens_after_a_version(api: Client) -> None:
    version = api.get("configmaps")["metadata"]["resourceVersion"]
    api.create("configmaps", config_map(a="1"))
    with watching(api, "configmaps", resourceVersion=version) as events:
        first = next(events)
        api.patch("configmaps", "cm", {"data": {"a": "2"}})
        api.delete("configmaps", "cm")
        second, third = next(events), next(events)
    assert [e["type"] for e in (first, second, third)] == ["ADDED", "MODIFIED", "DELETED"]
    assert first["object"]["kind"] == "ConfigMap", "unlike in lists"
    assert (second["object"]["data"], third["object"]["data"]) == ({"a": "2"}, {"a": "2"})
    versions = [int(e["object"]["metadata"]["resourceVersion"]) for e in (first, second, third)]
    assert versions == sorted(set(versions))


def test_a_watch_without_a_version_begins_with_what_is_there(api: Client) -> None:
    api.create("secrets", {"metadata": {"name": "there"}})
    with watching(api, "secrets") as events:
        assert next(events)["object"]["metadata"]["name"] == "there"


def test_initial_events_end_with_a_bookmark(api: Client) -> None:
    api.create("secrets", {"metadata": {"name": "there"}})
    asks = {"sendInitialEvents": "true", "allowWatchBookmarks": "true", "resourceVersionMatch": "NotOlderThan"}
    with watching(api, "secrets", **asks) as events:
        first, second = next(events), next(events)
    assert first["type"] == "ADDED"
    assert second["type"] == "BOOKMARK"
    assert second["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert second["object"]["kind"] == "Secret"


def test_a_watch_that_ends_says_how_far_it_was(api: Client) -> None:
    version = api.get("secrets")["metadata"]["resourceVersion"]
    api.create("configmaps", config_map())
    with watching(api, "secrets", resourceVersion=version, allowWatchBookmarks="true", timeoutSeconds=1) as events:
        bookmark = next(events)
        assert bookmark["type"] == "BOOKMARK"
        assert int(bookmark["object"]["metadata"]["resourceVersion"]) > int(version)
        assert next(events, None) is None


def test_a_selector_turns_changes_into_comings_and_goings(api: Client) -> None:
    api.create("secrets", {"metadata": {"name": "s"}})
    version = api.get("secrets")["metadata"]["resourceVersion"]
    with watching(api, "secrets", resourceVersion=version, labelSelector="on=yes") as events:
        for labels in ({"on": "yes"}, {"on": "yes", "more": "1"}, {"on": "no"}):
            api.patch("secrets", "s", {"metadata": {"labels": labels}})
        api.delete("secrets", "s")
        seen = [next(events)["type"] for _ in range(3)]
    assert seen == ["ADDED", "MODIFIED", "DELETED"]


def test_a_watch_of_one_object_and_of_one_namespace(api: Client, shared_cluster: Cluster) -> None:
    other = fresh(shared_cluster)
    with watching(api, "secrets", fieldSelector="metadata.name=b") as events:
        other.create("secrets", {"metadata": {"name": "b"}})
        api.create("secrets", {"metadata": {"name": "a"}})
        api.create("secrets", {"metadata": {"name": "b"}})
        assert next(events)["object"]["metadata"]["namespace"] == api.namespace


def test_a_watch_from_a_forgotten_version_is_told_so(own_cluster: Cluster) -> None:
    api = fresh(own_cluster)
    version = api.get("configmaps")["metadata"]["resourceVersion"]
    api.create("configmaps", config_map())
    own_cluster.expire()
    for asked in (version, "999999"):
        with watching(api, "configmaps", resourceVersion=asked) as events:
            event = next(events)
        assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")
        assert event["object"]["message"].startswith(f"too old resource version: {asked} (")


def test_dropped_watches_end_and_can_be_taken_up_again(own_cluster: Cluster) -> None:
    api = fresh(own_cluster)
    version = api.get("configmaps")["metadata"]["resourceVersion"]
    with watching(api, "configmaps", resourceVersion=version) as events:
        api.create("configmaps", config_map())
        seen = next(events)
        own_cluster.drop_watches()
        assert next(events, None) is None
    api.patch("configmaps", "cm", {"data": {"a": "1"}})
    with watching(api, "configmaps", resourceVersion=seen["object"]["metadata"]["resourceVersion"]) as events:
        assert next(events)["type"] == "MODIFIED"


def test_a_watch_is_let_go_when_its_client_leaves(own_cluster: Cluster) -> None:
    api = fresh(own_cluster)

    def open_watches() -> int:
        return int(good(api.call("GET", f"{api.url}/_sandbox"))["watches"])

    with watching(api, "configmaps"):
        eventually(lambda: open_watches() == 1)
    eventually(lambda: open_watches() == 0)
