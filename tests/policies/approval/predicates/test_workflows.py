"""has_workflow_result."""

import pytest


def run(path, conclusion, event="push", updated=1, status="completed"):
    return {"path": path, "conclusion": conclusion, "event": event, "updated": updated, "status": status}


@pytest.mark.parametrize(
    ("runs", "workflows", "conclusions", "expected"),
    [
        ([run("a", "success")], ["a"], None, True),
        ([run("a", "failure")], ["a"], None, False),
        ([run("a", "failure")], ["a"], ["failure"], True),
        ([run("a", "success")], ["a", "b"], None, False),
        ([], ["a"], None, False),
        ([], [], None, True),
        ([run("a", "", status="in_progress")], ["a"], None, False),  # only completed runs are there
        ([run("a", "", updated=9, status="queued"), run("a", "success")], ["a"], None, True),
        # The newest by update time, of each kind of event.
        ([run("a", "success", updated=2), run("a", "failure", updated=1)], ["a"], None, True),
        ([run("a", "failure", updated=1), run("a", "success", updated=2)], ["a"], None, True),
        ([run("a", "success", updated=1), run("a", "failure", updated=2)], ["a"], None, False),
        ([run("a", "success"), run("a", "failure", "pull_request")], ["a"], None, False),
        ([run("a", "success"), run("a", "skipped", "pull_request")], ["a"], ["success", "skipped"], True),
        ([run("a", "failure"), run("a", "success")], ["a"], None, True),  # at one time: the later in the list
    ],
)
def test_has_workflow_result(holds, runs, workflows, conclusions, expected):
    value = {"workflows": workflows} | ({"conclusions": conclusions} if conclusions is not None else {})
    assert holds("has_workflow_result", value, {"workflow_runs": runs}) is expected
