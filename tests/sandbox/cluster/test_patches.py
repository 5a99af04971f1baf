"""JSON patch, merge patch and strategic merge patch, as functions."""

from __future__ import annotations

from typing import Any

import pytest

from ghapp.sandbox.cluster import patches, strategic
from ghapp.sandbox.cluster.errors import ApiError
from ghapp.sandbox.cluster.kinds import Kinds
from ghapp.sandbox.cluster.models import model

CONFIG_MAP = Kinds().named("ConfigMap")


@pytest.mark.parametrize(
    ("live", "patch", "result"),
    [
        ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ({"a": 1}, {"a": None}, {}),
        ({"a": {"b": 1}}, {"a": {"c": 2}}, {"a": {"b": 1, "c": 2}}),
        ({"a": [1]}, {"a": [2]}, {"a": [2]}),
        ({"a": 1}, {"a": {"b": None, "c": 1}}, {"a": {"c": 1}}),
    ],
)
def test_merge_patch(live: Any, patch: Any, result: Any) -> None:
    assert patches.merge_patch(live, patch) == result


NAMED = {"metadata": {"name": "x"}}


@pytest.mark.parametrize(
    ("live", "steps", "result"),
    [
        ({}, [{"op": "add", "path": "/a", "value": 1}], {"a": 1}),
        ({"a": [1, 3]}, [{"op": "add", "path": "/a/1", "value": 2}], {"a": [1, 2, 3]}),
        ({"a": [1]}, [{"op": "add", "path": "/a/-", "value": 2}], {"a": [1, 2]}),
        ({"a": [1, 2]}, [{"op": "remove", "path": "/a/0"}], {"a": [2]}),
        ({"a": [1, 2]}, [{"op": "replace", "path": "/a/0", "value": 9}], {"a": [9, 2]}),
        ({"a~/b": 1}, [{"op": "replace", "path": "/a~0~1b", "value": 2}], {"a~/b": 2}),
        ({"a": 1}, [{"op": "move", "from": "/a", "path": "/b"}], {"b": 1}),
        ({"a": {"x": 1}}, [{"op": "copy", "from": "/a", "path": "/b"}], {"a": {"x": 1}, "b": {"x": 1}}),
        ({"a": 1}, [{"op": "test", "path": "/a", "value": 1}, {"op": "remove", "path": "/a"}], {}),
    ],
)
def test_json_patch(live: Any, steps: Any, result: Any) -> None:
    assert patches.json_patch({**NAMED, **live}, steps, CONFIG_MAP) == {**NAMED, **result}


@pytest.mark.parametrize(
    "step",
    [
        {"op": "test", "path": "/a", "value": 2},
        {"op": "remove", "path": "/none"},
        {"op": "replace", "path": "/none", "value": 1},
        {"op": "add", "path": "/none/a", "value": 1},
        {"op": "add", "path": "a", "value": 1},
        {"op": "explode", "path": "/a"},
        {"path": "/a"},
    ],
)
def test_a_json_patch_that_cannot_be_done_is_invalid_and_changes_nothing(step: Any) -> None:
    live = {**NAMED, "a": 1}
    with pytest.raises(ApiError) as refused:
        patches.json_patch(live, [{"op": "add", "path": "/b", "value": 1}, step], CONFIG_MAP)
    assert refused.value.code == 422
    assert live == {**NAMED, "a": 1}


A, B = {"name": "a", "image": "1"}, {"name": "b", "image": "1"}


@pytest.mark.parametrize(
    ("live", "patch", "result"),
    [
        ({"containers": [A]}, {"containers": [{**A, "image": "2"}]}, {"containers": [{**A, "image": "2"}]}),
        ({"containers": [A]}, {"containers": [B]}, {"containers": [A, B]}),
        ({"containers": [A, B]}, {"containers": [{"name": "a", "$patch": "delete"}]}, {"containers": [B]}),
        ({"containers": [A, B]}, {"containers": [{"$patch": "replace"}, B]}, {"containers": [B]}),
        (
            {"containers": [A]},
            {"containers": [B, {"name": "a"}], "$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]},
            {"containers": [B, A]},
        ),
        ({"nodeSelector": {"a": "1"}}, {"nodeSelector": {"a": None, "b": "2"}}, {"nodeSelector": {"b": "2"}}),
        ({"nodeSelector": {"a": "1"}}, {"nodeSelector": {"$patch": "replace", "b": "2"}}, {"nodeSelector": {"b": "2"}}),
        ({"nodeSelector": {"a": "1"}}, {"nodeSelector": {"$patch": "delete"}}, {"nodeSelector": {}}),
        ({"tolerations": [{"key": "a"}]}, {"tolerations": [{"key": "b"}]}, {"tolerations": [{"key": "b"}]}),
        (
            {"volumes": [{"name": "v", "emptyDir": {}}]},
            {"volumes": [{"name": "v", "$retainKeys": ["name", "secret"], "secret": {"secretName": "s"}}]},
            {"volumes": [{"name": "v", "secret": {"secretName": "s"}}]},
        ),
    ],
)  # fmt: skip
def test_strategic_merge_patch_of_a_pod(live: Any, patch: Any, result: Any) -> None:
    assert strategic.merge(live, patch, model("V1PodSpec")) == result


def test_sets_are_added_to_and_taken_from() -> None:
    live = {"finalizers": ["a/1", "a/2"]}
    assert strategic.merge(live, {"finalizers": ["a/3"]}, model("V1ObjectMeta")) == {
        "finalizers": ["a/1", "a/2", "a/3"]
    }
    gone = {"$deleteFromPrimitiveList/finalizers": ["a/1"]}
    assert strategic.merge(live, gone, model("V1ObjectMeta")) == {"finalizers": ["a/2"]}


@pytest.mark.parametrize("patch", [{"$patch": "explode"}, {"containers": [{"image": "no name"}]}])
def test_a_strategic_patch_that_makes_no_sense_is_refused(patch: Any) -> None:
    with pytest.raises(ApiError) as refused:
        strategic.merge({"containers": [A]}, patch, model("V1PodSpec"))
    assert refused.value.code == 400
