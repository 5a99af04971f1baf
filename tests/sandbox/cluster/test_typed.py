"""What structured merge does with values of every shape."""

from __future__ import annotations

from typing import Any

import pytest

from ghapp.sandbox.cluster import fields, fitting, typed
from ghapp.sandbox.cluster.types import ANYTHING, BOOLEAN, INTEGER, OPAQUE, STRING, ListOf, MapOf, Struct

PORT = Struct("Port", lambda: {"port": INTEGER, "protocol": STRING, "name": STRING}, key_defaults={"protocol": "TCP"})
ROOT = Struct(
    "Root",
    lambda: {
        "text": STRING,
        "number": INTEGER,
        "flag": BOOLEAN,
        "labels": MapOf(STRING),
        "selector": MapOf(STRING, atomic=True),
        "args": ListOf(STRING),
        "finalizers": ListOf(STRING, associative=True),
        "ports": ListOf(PORT, associative=True, keys=("port", "protocol")),
        "spec": Struct("Spec", lambda: {"text": STRING, "deep": Struct("Deep", lambda: {"text": STRING})}),
        "reference": Struct("Reference", lambda: {"name": STRING}, atomic=True),
        "free": ANYTHING,
        "closed": OPAQUE,
    },
)


def port(**more: Any) -> dict[str, Any]:
    return {"port": 80, "protocol": "TCP", **more}


def paths(found: fields.Fields) -> list[str]:
    return [fields.dotted(p) for p in fields.paths(found)]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"text": "a", "number": 1}, [".number", ".text"]),
        ({"text": None}, [".text"]),
        ({"labels": {"a": "1", "b": "2"}}, [".labels.a", ".labels.b"]),
        ({"labels": {}}, [".labels"]),
        ({"labels": None}, [".labels"]),
        ({"selector": {"a": "1"}}, [".selector"]),
        ({"args": ["a", "b"]}, [".args"]),
        ({"args": []}, [".args"]),
        ({"finalizers": ["a", "b"]}, ['.finalizers[="a"]', '.finalizers[="b"]']),
        ({"finalizers": []}, []),
        (
            {"ports": [{"port": 80, "name": "web"}]},
            [f'.ports[port=80,protocol="TCP"]{name}' for name in ("", ".name", ".port")],
        ),
        ({"spec": {"text": "a", "deep": {"text": "b"}}}, [".spec.deep.text", ".spec.text"]),
        ({"spec": {"deep": {}}}, [".spec.deep"]),
        ({"spec": {}}, [".spec"]),
        ({"reference": {"name": "a"}}, [".reference"]),
        ({"free": {"a": {"b": 1}, "c": [1]}}, [".free.a", ".free.a.b", ".free.c"]),
        ({"closed": {"a": 1}}, [".closed"]),
    ],
)  # fmt: skip
def test_the_fields_that_a_configuration_sets(value: Any, expected: list[str]) -> None:
    assert paths(typed.field_set(value, ROOT)) == expected


@pytest.mark.parametrize(
    ("left", "right", "removed", "modified", "added"),
    [
        ({"text": "a"}, {"text": "a"}, [], [], []),
        ({"text": "a"}, {"text": "b"}, [], [".text"], []),
        ({"text": "a"}, {}, [".text"], [], []),
        ({}, {"number": 0}, [], [], [".number"]),
        ({"number": 1}, {"number": True}, [], [".number"], []),
        ({}, {"labels": {"a": "1"}}, [], [], [".labels", ".labels.a"]),
        ({"labels": {"a": "1", "b": "2"}}, {"labels": {"a": "1"}}, [".labels.b"], [], []),
        ({"labels": {}}, {"labels": None}, [], [".labels"], []),
        ({"selector": {"a": "1"}}, {"selector": {"b": "1"}}, [], [".selector"], []),
        ({"args": ["a"]}, {"args": ["a", "b"]}, [], [".args"], []),
        ({"finalizers": ["a", "b"]}, {"finalizers": ["b", "c"]}, ['.finalizers[="a"]'], [], ['.finalizers[="c"]']),
        ({"finalizers": ["a", "b"]}, {"finalizers": ["b", "a"]}, [], [], []),
        (
            {"ports": [port(name="a")]},
            {"ports": [port(name="b"), {"port": 81}]},
            [],
            ['.ports[port=80,protocol="TCP"].name'],
            ['.ports[port=81,protocol="TCP"]', '.ports[port=81,protocol="TCP"].port'],
        ),
        ({"spec": {"deep": {"text": "a"}}}, {"spec": {}}, [".spec.deep", ".spec.deep.text"], [], []),
        ({"spec": None}, {"spec": {"text": "a"}}, [], [], [".spec.text"]),
        ({"reference": {"name": "a"}}, {"reference": {"name": "b"}}, [], [".reference"], []),
        ({"free": {"a": [1]}}, {"free": {"a": [2], "b": 1}}, [], [".free.a"], [".free.b"]),
        ({"free": [1]}, {"free": {"a": 1}}, [], [".free"], []),
    ],
)  # fmt: skip
def test_what_differs(left: Any, right: Any, removed: list[str], modified: list[str], added: list[str]) -> None:
    found = typed.compare(left, right, ROOT)
    assert (paths(found.removed), paths(found.modified), paths(found.added)) == (removed, modified, added)


def test_duplicates_are_compared_as_one() -> None:
    once, twice = {"ports": [port(name="a")]}, {"ports": [port(name="a"), port(name="b")]}
    item = '.ports[port=80,protocol="TCP"]'
    became = typed.compare(once, twice, ROOT)
    assert paths(became.added) == [item]
    assert item in paths(became.removed), "the single item's fields are nobody's any more"
    again = typed.compare(twice, {"ports": [port(name="a"), port(name="c")]}, ROOT)
    assert (paths(again.modified), paths(again.added), paths(again.removed)) == ([item], [], [])
    ended = typed.compare(twice, once, ROOT)
    assert paths(ended.removed) == [item]
    assert f"{item}.name" in paths(ended.added)


@pytest.mark.parametrize(
    ("live", "config", "merged"),
    [
        ({"text": "a", "number": 1}, {"text": "b"}, {"text": "b", "number": 1}),
        ({"labels": {"a": "1"}}, {"labels": {"b": "2"}}, {"labels": {"a": "1", "b": "2"}}),
        ({"labels": {"a": "1"}}, {"labels": {}}, {"labels": {"a": "1"}}),
        ({"labels": {"a": "1"}}, {"labels": None}, {"labels": {"a": "1"}}),
        ({}, {"labels": {}}, {"labels": {}}),
        ({"selector": {"a": "1"}}, {"selector": {"b": "2"}}, {"selector": {"b": "2"}}),
        ({"args": ["a", "b"]}, {"args": ["c"]}, {"args": ["c"]}),
        ({"finalizers": ["a"]}, {"finalizers": ["b"]}, {"finalizers": ["a", "b"]}),
        ({"finalizers": ["a", "b", "c"]}, {"finalizers": ["c", "a"]}, {"finalizers": ["b", "c", "a"]}),
        ({"finalizers": ["a", "x", "b"]}, {"finalizers": ["n", "b", "a"]}, {"finalizers": ["x", "n", "b", "a"]}),
        (
            {"ports": [port(name="a"), port(port=81, name="b")]},
            {"ports": [{"port": 81, "name": "c"}]},
            {"ports": [port(name="a"), port(port=81, name="c")]},
        ),
        ({"spec": {"text": "a"}}, {"spec": {"deep": {"text": "b"}}}, {"spec": {"text": "a", "deep": {"text": "b"}}}),
        ({"free": {"a": {"b": 1}}}, {"free": {"a": {"c": 2}}}, {"free": {"a": {"b": 1, "c": 2}}}),
        ({"free": {"a": 1}}, {"free": [1]}, {"free": [1]}),
    ],
)  # fmt: skip
def test_merging(live: Any, config: Any, merged: Any) -> None:
    assert typed.merge(live, config, ROOT) == merged


def test_merging_changes_neither_side() -> None:
    live, config = {"ports": [port()], "labels": {"a": "1"}}, {"ports": [port(name="x")], "labels": {"b": "2"}}
    typed.merge(live, config, ROOT)
    assert live == {"ports": [port()], "labels": {"a": "1"}}
    assert config == {"ports": [port(name="x")], "labels": {"b": "2"}}


@pytest.mark.parametrize(
    ("value", "gone", "left"),
    [
        ({"text": "a", "number": 1}, [("f:text",)], {"number": 1}),
        ({"labels": {"a": "1", "b": "2"}}, [("f:labels", "f:a")], {"labels": {"b": "2"}}),
        ({"labels": {"a": "1"}, "number": 1}, [("f:labels", "f:a")], {"labels": None, "number": 1}),
        ({"finalizers": ["a", "b"]}, [("f:finalizers", 'v:"a"')], {"finalizers": ["b"]}),
        (
            {"ports": [port(), port(port=81)]},
            [("f:ports", 'k:{"port":80,"protocol":"TCP"}')],
            {"ports": [port(port=81)]},
        ),
        (
            {"ports": [port(name="a")]},
            [("f:ports", 'k:{"port":80,"protocol":"TCP"}', "f:name")],
            {"ports": [port()]},
        ),
        ({"args": ["a"]}, [("f:args",)], None),
    ],
)  # fmt: skip
def test_removing(value: Any, gone: list[tuple[str, ...]], left: Any) -> None:
    assert typed.remove(value, fields.from_paths(gone), ROOT) == left


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"nothing": 1}, ".nothing: field not declared in schema"),
        ({"spec": {"nothing": 1}}, ".spec.nothing: field not declared in schema"),
        ({"number": "1"}, ".number: expected numeric (int or float), got string"),
        ({"text": 1}, ".text: expected string, got &value.valueUnstructured{Value:1}"),
        ({"flag": "true"}, '.flag: expected boolean, got &value.valueUnstructured{Value:"true"}'),
        ({"labels": ["a"]}, ".labels: expected map, got &value.valueUnstructured{Value:['a']}"),
        ({"args": "a"}, '.args: expected list, got &value.valueUnstructured{Value:"a"}'),
        ({"finalizers": ["a", "a"]}, '.finalizers: duplicate entries for key [="a"]'),
        ({"ports": [port(), {"port": 80}]}, '.ports: duplicate entries for key [port=80,protocol="TCP"]'),
        ({"ports": [None]}, ".ports: element 0: associative list with keys may not have a null element"),
        (
            {"finalizers": [{}]},
            ".finalizers: element 0: associative list without keys has an element that's a map type",
        ),
    ],
)
def test_values_that_do_not_fit(value: Any, problem: str) -> None:
    assert list(fitting.problems(value, ROOT)) == [problem]


def test_values_that_fit() -> None:
    value = {"text": None, "ports": [port(), port(protocol="UDP")], "free": {"x": [{}]}, "closed": [1], "spec": None}
    assert list(fitting.problems(value, ROOT)) == []
