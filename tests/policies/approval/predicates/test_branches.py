"""targets_branch, from_branch."""

import pytest


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"pattern": "^main$"}, True),
        ({"pattern": "ai"}, True),
        ({"pattern": "^release/"}, False),
        ({"pattern": ""}, True),
        ({"pattern": None}, False),
        ({}, False),
    ],
)
def test_targets_branch(holds, value, expected):
    assert holds("targets_branch", value, {"base_branch": "main"}) is expected


@pytest.mark.parametrize(
    ("facts", "pattern", "expected"),
    [
        ({}, "^feature$", True),
        ({"fork": True, "head_owner": "eve"}, "^feature$", False),
        ({"fork": True, "head_owner": "eve"}, "^eve:feature$", True),
        ({"fork": True, "head_owner": None}, "^:feature$", True),  # the fork is gone
        ({"fork": False, "head_owner": "acme"}, "^feature$", True),
        ({}, "", True),
        ({}, None, False),
    ],
)
def test_from_branch(holds, facts, pattern, expected):
    assert holds("from_branch", {"pattern": pattern}, facts) is expected
