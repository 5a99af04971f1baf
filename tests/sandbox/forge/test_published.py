"""The forge answers what GitHub describes, and nothing that it does not."""

from __future__ import annotations

from typing import Any


def test_every_route_is_one_of_githubs(forge: Any, published_description: Any) -> None:
    invented = [
        f"{route.method} {route.template}"
        for route in forge.application.router.routes
        if published_description.operation(route.method, route.template) is None
    ]
    assert invented == []


def test_a_wrong_answer_would_be_noticed(published_description: Any) -> None:
    good = {
        "ref": "refs/heads/x",
        "node_id": "R",
        "url": "http://x",
        "object": {"sha": "0" * 40, "type": "commit", "url": "http://x"},
    }
    where = ("GET", "/repos/{owner}/{repo}/git/ref/{ref}", 200)
    assert published_description.answer_problems(*where, good) == []
    assert published_description.answer_problems(*where, {**good, "ref": None}) != []
    assert published_description.answer_problems("GET", "/nonsense", 200, {}) != []
