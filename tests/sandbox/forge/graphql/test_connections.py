"""Pages of connections: bounds, cursors that keep their place, counts and edges."""

from __future__ import annotations

import re

import pytest

from ghapp.sandbox.forge.graphql.connections import paginate
from ghapp.sandbox.forge.graphql.errors import Refused
from ghapp.sandbox.forge.operations import (
    issues,
)


def walk(everything: list[str], **page: int) -> list[list[str]]:
    """All pages, forwards with ``first`` or backwards with ``last``."""
    pages, cursor = [], None
    forwards = "first" in page
    for _ in range(20):
        found = paginate("names", everything, key=str, **page, **({"after" if forwards else "before": cursor}))
        pages.append(list(found.items))
        more = found.end < found.total if forwards else found.start > 0
        if not more:
            return pages
        cursor = found.cursor(found.end - 1 if forwards else found.start)
    raise AssertionError("the pages never end")


def test_pages_forwards_and_backwards():
    assert walk(list("abcdefg"), first=3) == [["a", "b", "c"], ["d", "e", "f"], ["g"]]
    assert walk(list("abcdefg"), last=3) == [["e", "f", "g"], ["b", "c", "d"], ["a"]]
    assert walk([], first=3) == [[]]


def test_a_cursor_keeps_its_place_when_items_come_and_go():
    page = paginate("names", list("abcdef"), key=str, first=2)
    after_b = page.cursor(1)
    assert list(paginate("names", list("xxabcdef"), key=str, first=2, after=after_b).items) == ["c", "d"]
    assert list(paginate("names", list("acdef"), key=str, first=2, after=after_b).items) == ["c", "d"]
    assert list(paginate("names", list("a"), key=str, first=2, after=after_b).items) == []
    assert list(paginate("names", list("acdef"), key=str, last=2, before=after_b).items) == ["a"]


@pytest.mark.parametrize(
    ("page", "kind", "sentence"),
    [
        ({}, "MISSING_PAGINATION_BOUNDARIES", "You must provide a `first` or `last` value to properly paginate"),
        (
            {"first": 101},
            "EXCESSIVE_PAGINATION",
            "Requesting 101 records on the `names` connection exceeds the `first`",
        ),
        ({"last": 250}, "EXCESSIVE_PAGINATION", "exceeds the `last` limit of 100 records."),
        ({"first": -1}, "ARGUMENT_ERROR", "cannot be less than zero"),
        (
            {"first": 1, "after": "nonsense"},
            "INVALID_CURSOR_ARGUMENTS",
            "`nonsense` does not appear to be a valid cursor.",
        ),
    ],
)
def test_pages_that_are_refused(page, kind, sentence):
    with pytest.raises(Refused, match=re.escape(sentence)) as refusal:
        paginate("names", list("abc"), key=str, **page)
    assert refusal.value.type == kind


def test_an_unbounded_page_nulls_the_nearest_nullable_parent(world):
    world.pull()
    response = world.ask(world.on_pull("number commits { totalCount }"))
    assert response["data"] == {"repository": {"pullRequest": None}}
    assert response["errors"][0]["path"] == ["repository", "pullRequest", "commits"]
    assert response["errors"][0]["type"] == "MISSING_PAGINATION_BOUNDARIES"


def test_edges_cursors_and_counts(world):
    pull = world.pull()
    for number in range(3):
        issues.add_comment(world.state, pull, world.bob, str(number))
    shape = "totalCount pageInfo { startCursor endCursor hasPreviousPage } edges { cursor node { body } }"
    found = world.data(world.on_pull(f"comments(last: 2) {{ {shape} }}"))["repository"]["pullRequest"]["comments"]
    assert found["totalCount"] == 3
    assert [edge["node"]["body"] for edge in found["edges"]] == ["1", "2"]
    assert found["pageInfo"] == {
        "startCursor": found["edges"][0]["cursor"],
        "endCursor": found["edges"][1]["cursor"],
        "hasPreviousPage": True,
    }
