"""Switches that make the cluster behave badly, from Python and over HTTP."""

from __future__ import annotations

import pytest
import requests

from ghapp.sandbox.cluster.server import Cluster
from tests.sandbox.cluster.client import Client, config_map, fresh, good, refused


def switch(api: Client, **faults: object) -> None:
    good(api.call("PATCH", f"{api.url}/_sandbox/faults", faults))


def test_throttled_requests_say_when_to_come_back(own_cluster: Cluster) -> None:
    api = fresh(own_cluster)
    switch(api, throttle=2, retry_after=7)
    for _ in range(2):
        answer = api.call("GET", api.path("configmaps"))
        refused(answer, 429, "TooManyRequests")
        assert answer.headers["Retry-After"] == "7"
        assert answer.json()["details"] == {"retryAfterSeconds": 7}
    assert api.get("configmaps")


def test_failures_hit_only_what_they_are_meant_for(own_cluster: Cluster) -> None:
    api = fresh(own_cluster)
    switch(api, fail=1, fail_code=503, match="PATCH /api/v1")
    assert api.get("configmaps")
    refused(api.try_apply("configmaps", config_map()), 503)
    assert api.apply("configmaps", config_map())


def test_a_cluster_that_is_away_cuts_connections_and_comes_back_as_it_was(own_cluster: Cluster) -> None:
    api = fresh(own_cluster)
    api.create("configmaps", config_map(a="1"))
    own_cluster.pause()
    with pytest.raises(requests.ConnectionError):
        api.get("configmaps")
    own_cluster.resume()
    assert api.get("configmaps", "cm")["data"] == {"a": "1"}


def test_requests_are_counted_and_counts_are_cleared(own_cluster: Cluster) -> None:
    api = fresh(own_cluster)
    good(api.call("POST", f"{api.url}/_sandbox/clear"))
    api.get("configmaps")
    api.apply("configmaps", config_map())
    state = good(api.call("GET", f"{api.url}/_sandbox"))
    assert (state["faults"]["requests"], state["faults"]["by_verb"]) == (2, {"GET": 1, "PATCH": 1})
    assert own_cluster.faults.requests == 2


def test_tokens_are_made_and_revoked_over_http(own_cluster: Cluster) -> None:
    api = fresh(own_cluster)
    token = good(api.call("POST", f"{api.url}/_sandbox/tokens", {"user": "ann", "groups": ["system:masters"]}))["token"]
    ann = Client(api.url, api.namespace, {"Authorization": f"Bearer {token}"})
    assert ann.get("secrets")
    good(api.call("DELETE", f"{api.url}/_sandbox/tokens/{token}"))
    refused(ann.call("GET", ann.path("secrets")), 401, "Unauthorized")


def test_the_past_is_forgotten_on_request(own_cluster: Cluster) -> None:
    api = fresh(own_cluster)
    version = api.get("configmaps")["metadata"]["resourceVersion"]
    api.create("configmaps", config_map())
    good(api.call("POST", f"{api.url}/_sandbox/expire"))
    answer = api.call("GET", api.path("configmaps"), watch="true", resourceVersion=version)
    assert '"code":410' in answer.text


def test_unknown_switches_are_named(own_cluster: Cluster) -> None:
    api = fresh(own_cluster)
    answer = api.call("PATCH", f"{api.url}/_sandbox/faults", {"latencyy": 1})
    assert "no such switch: latencyy; there are" in refused(answer, 400)
    assert "no such pace: x" in refused(api.call("PATCH", f"{api.url}/_sandbox/pace", {"x": 1}), 400)
    refused(api.call("POST", f"{api.url}/_sandbox/nonsense"), 404)
