"""Typed inputs: what is taken, what is refused, all problems at once."""

from __future__ import annotations

from typing import Any

import pytest

from ghapp.config.model import Input
from jobs.pipeline.inputs import BadInputs, read


@pytest.mark.parametrize(
    ("wish", "value", "taken"),
    [
        ({}, "text", "text"),
        ({}, 5, "5"),
        ({"type": "number"}, "5", 5),
        ({"type": "number"}, "-1.5", -1.5),
        ({"type": "number"}, 7, 7),
        ({"type": "bool"}, "True", True),
        ({"type": "bool"}, False, False),
        ({"type": "date"}, "2026-03-01", "2026-03-01"),
        ({"type": "choice", "choices": ["a", "b"]}, "b", "b"),
        ({"type": "file"}, "data/x.csv", "data/x.csv"),
        ({"default": "fallback"}, None, "fallback"),
        ({"type": "number", "default": 3}, None, 3),
    ],
)
def test_what_is_taken(wish: dict[str, Any], value: Any, taken: Any) -> None:
    given = {} if value is None else {"x": value}
    assert read({"x": Input.model_validate(wish)}, given) == {"x": taken}


@pytest.mark.parametrize(
    ("wish", "value", "words"),
    [
        ({}, ["a"], "must be a text"),
        ({}, "x" * 20_000, "must be a text"),
        ({"type": "number"}, "five", "'five' is not a number"),
        ({"type": "number"}, True, "must be a number"),
        ({"type": "bool"}, "yes", "neither true nor false"),
        ({"type": "date"}, "01.03.2026", "is not a date like"),
        ({"type": "date"}, "2026-02-30", "is not a date like"),
        ({"type": "choice", "choices": ["a", "b"]}, "c", "is not one of a, b"),
        ({"type": "file"}, "../x", "is not a path inside"),
        ({"type": "file"}, "/etc/passwd", "is not a path inside"),
        ({"required": True}, None, "x is required"),
    ],
)
def test_what_is_refused(wish: dict[str, Any], value: Any, words: str) -> None:
    with pytest.raises(BadInputs, match=words):
        read({"x": Input.model_validate(wish)}, {} if value is None else {"x": value})


def test_everything_that_is_wrong_is_said_at_once() -> None:
    declared = {"n": Input(type="number"), "d": Input(type="date", required=True)}
    with pytest.raises(BadInputs) as e:
        read(declared, {"n": "x", "evil": "$(rm -rf /)"})
    assert str(e.value) == "there is no input 'evil', there are n, d; n: 'x' is not a number; d is required"


def test_what_is_not_given_and_has_no_default_is_left_out() -> None:
    assert read({"x": Input()}, {}) == {}
