"""has_status and its older form, has_successful_status."""

import pytest


def status(context, state, minute=1):
    return {"context": context, "state": state, "created_at": minute}


def run(name, conclusion):
    return {"name": name, "conclusion": conclusion, "status": "completed" if conclusion else "in_progress"}


@pytest.mark.parametrize(
    ("facts", "names", "conclusions", "expected"),
    [
        ({"statuses": [status("ci", "success")]}, ["ci"], None, True),
        ({"statuses": [status("ci", "failure")]}, ["ci"], None, False),
        ({"statuses": [status("ci", "failure")]}, ["ci"], ["failure", "success"], True),
        ({"statuses": [status("ci", "success")]}, ["ci", "lint"], None, False),
        ({"statuses": [status("ci", "success"), status("lint", "success")]}, ["ci", "lint"], None, True),
        ({}, ["ci"], None, False),
        ({}, [], None, True),
        ({"statuses": [status("CI", "success")]}, ["ci"], None, False),
        ({"check_runs": [run("ci", "success")]}, ["ci"], None, True),
        ({"check_runs": [run("ci", "skipped")]}, ["ci"], None, False),
        ({"check_runs": [run("ci", "skipped")]}, ["ci"], ["skipped"], True),
        ({"check_runs": [run("ci", "failure"), run("ci", "success")]}, ["ci"], None, False),  # newest first
        ({"check_runs": [run("ci", "success"), run("ci", "failure")]}, ["ci"], None, True),
        # A check run stands before a status of its name, also while it runs.
        ({"statuses": [status("ci", "success")], "check_runs": [run("ci", "failure")]}, ["ci"], None, False),
        ({"statuses": [status("ci", "success")], "check_runs": [run("ci", None)]}, ["ci"], None, False),
        ({"statuses": [status("ci", "failure")], "check_runs": [run("ci", "success")]}, ["ci"], None, True),
        ({"check_runs": [run("ci", None)]}, ["ci"], [""], True),
        # Of statuses with one name the newest counts.
        ({"statuses": [status("ci", "success", 2), status("ci", "failure", 1)]}, ["ci"], None, True),
        ({"statuses": [status("ci", "success", 1), status("ci", "failure", 2)]}, ["ci"], None, False),
    ],
)
def test_has_status(holds, facts, names, conclusions, expected):
    value = {"statuses": names} | ({"conclusions": conclusions} if conclusions is not None else {})
    assert holds("has_status", value, facts) is expected
    if conclusions is None:
        assert holds("has_successful_status", names, facts) is expected
        assert holds("has_status", value | {"conclusions": []}, facts) is expected


def test_statuses_that_are_not_all_there(holds):
    assert holds("has_status", {"statuses": ["ci"]}, {"incomplete": {"statuses": "cut off"}}) == "cut off"
