"""Sets of field paths, against plain sets of tuples."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ghapp.sandbox.cluster import fields

Path = tuple[str, ...]
NAMES = st.sampled_from(["f:a", "f:b", 'k:{"name":"x"}', 'v:"one"'])
PATHS = st.frozensets(st.lists(NAMES, min_size=1, max_size=4).map(tuple), max_size=12)


def set_of(paths: frozenset[Path]) -> fields.Fields:
    return fields.from_paths(sorted(paths))


def paths_of(found: fields.Fields) -> frozenset[Path]:
    return frozenset(fields.paths(found))


@settings(max_examples=50, deadline=None)
@given(PATHS)
def test_a_set_holds_the_paths_that_it_was_made_of(paths: frozenset[Path]) -> None:
    made = set_of(paths)
    assert paths_of(made) == paths
    assert all(fields.has(made, p) for p in paths)
    assert not fields.has(made, ("f:nowhere",))


@settings(max_examples=50, deadline=None)
@given(PATHS, PATHS)
def test_union_difference_and_intersection_are_those_of_sets(a: frozenset[Path], b: frozenset[Path]) -> None:
    assert paths_of(fields.union(set_of(a), set_of(b))) == a | b
    assert paths_of(fields.difference(set_of(a), set_of(b))) == a - b
    assert paths_of(fields.intersection(set_of(a), set_of(b))) == a & b


@settings(max_examples=50, deadline=None)
@given(PATHS, PATHS)
def test_cutting_subtrees_takes_what_is_below_a_root_too(a: frozenset[Path], roots: frozenset[Path]) -> None:
    left = {p for p in a if not any(p[: len(r)] == r for r in roots)}
    assert paths_of(fields.without_subtrees(set_of(a), set_of(roots))) == left


@settings(max_examples=50, deadline=None)
@given(PATHS, PATHS)
def test_no_operation_changes_its_arguments(a: frozenset[Path], b: frozenset[Path]) -> None:
    one, other = set_of(a), set_of(b)
    for operation in (fields.union, fields.difference, fields.intersection, fields.without_subtrees):
        operation(one, other)
    assert (paths_of(one), paths_of(other)) == (a, b)


def test_a_parent_that_is_a_member_is_marked_with_a_dot() -> None:
    assert fields.from_paths([("f:a", "f:b")]) == {"f:a": {"f:b": {}}}
    assert fields.from_paths([("f:a",), ("f:a", "f:b")]) == {"f:a": {".": {}, "f:b": {}}}


def test_paths_are_printed_as_the_server_prints_them() -> None:
    path = ("f:spec", "f:ports", fields.key_element({"protocol": "TCP", "port": 80}), "f:name")
    assert fields.dotted(path) == '.spec.ports[port=80,protocol="TCP"].name'
    assert fields.dotted(("f:metadata", "f:finalizers", fields.value_element("a/b"))) == '.metadata.finalizers[="a/b"]'
