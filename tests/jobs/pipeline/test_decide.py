"""The plan of one app on one commit, as the table in the module says."""

from __future__ import annotations

import pytest

from ghapp.github.checks import CheckRun
from jobs.pipeline.decide import Plan, Wish, attempt, plan

ALL = ("before", "image", "after")


def check(conclusion: str = "", run: str = "1-aaaaaaaaaaaa-web-1", title: str = "", status: str = "") -> CheckRun:
    state = status or ("completed" if conclusion else "in_progress")
    return CheckRun(1, "x", state, conclusion or None, title, "", "", run, "", 0, "", 0)


def checks(before: str = "", image: str = "", after: str = "", run: str = "r-1") -> dict[str, CheckRun]:
    found = {"before": before, "image": image, "after": after}
    return {stage: check("" if c == "open" else c, run) for stage, c in found.items() if c}


GREEN = checks("success", "success", "success")
RED = checks("success", "failure", "cancelled")
OPEN = checks("success", "open")
SUPERSEDED = {"before": check("cancelled", title="superseded by 1234567 on main")}
BY_HAND = {"before": check("cancelled", title="cancelled by ada")}


@pytest.mark.parametrize(
    ("present", "wanted", "wish", "expected"),
    [
        ({}, True, None, Plan(start=ALL)),
        ({}, False, None, Plan()),
        ({}, False, Wish("test", "ada"), Plan(start=ALL, by="ada")),
        ({}, False, Wish("retest", "ada"), Plan(start=ALL, by="ada")),
        ({}, True, Wish("cancel", "ada"), Plan(start=ALL)),
        (OPEN, True, None, Plan(resume="r-1")),
        (OPEN, True, Wish("test"), Plan(resume="r-1")),
        (OPEN, False, None, Plan(cancel="r-1")),
        (OPEN, True, Wish("cancel", "ada"), Plan(cancel="r-1", by="ada")),
        (GREEN, True, None, Plan()),
        (GREEN, False, None, Plan()),
        (RED, True, None, Plan()),
        (GREEN, True, Wish("test", "ada"), Plan(start=ALL, by="ada")),
        (GREEN, True, Wish("retest", "ada"), Plan(by="ada")),
        (RED, True, Wish("retest", "ada"), Plan(start=("image", "after"), by="ada")),
        (
            checks("failure", "cancelled", "cancelled"),
            True,
            Wish("rerun", "a", "before", "r-1"),
            Plan(start=ALL, by="a"),
        ),
        (GREEN, True, Wish("rerun", "a", "before", "r-1"), Plan(start=("before",), by="a")),
        (GREEN, True, Wish("rerun", "a", "image", "r-1"), Plan(start=("image", "after"), by="a")),
        (GREEN, True, Wish("rerun", "a", "after", "r-1"), Plan(start=("after",), by="a")),
        (GREEN, True, Wish("rerun", "a", "after", "r-0"), Plan(by="a")),
        (GREEN, True, Wish("cancel", "a"), Plan()),
        (SUPERSEDED, True, None, Plan(start=ALL)),
        (SUPERSEDED, False, None, Plan()),
        (BY_HAND, True, None, Plan(start=("image", "after"))),
        (checks("success"), True, None, Plan(start=("image", "after"))),
    ],
)
def test_the_plan(present: dict[str, CheckRun], wanted: bool, wish: Wish | None, expected: Plan) -> None:
    assert plan(ALL, present, wanted=wanted, wish=wish) == expected


def test_older_runs_may_be_allowed_to_go_on() -> None:
    assert plan(ALL, OPEN, wanted=False, older_go_on=True) == Plan(resume="r-1")


def test_each_run_has_the_next_number() -> None:
    assert attempt({}) == 1
    assert attempt({"before": check("success", "7-aaaaaaaaaaaa-my-app-9"), "after": check("success", "x")}) == 10
