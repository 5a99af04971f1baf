"""modified_lines."""

import pytest

from policies.approval.predicates.lines import comparison

FACTS = {
    "files": [
        {"path": "a", "additions": 7, "deletions": 1},
        {"path": "b", "additions": 3, "deletions": 4},
    ]
}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"additions": "> 9"}, True),
        ({"additions": "> 10"}, False),
        ({"additions": "= 10"}, True),
        ({"additions": "< 11"}, True),
        ({"deletions": "=5"}, True),
        ({"deletions": "<\t5"}, False),
        ({"total": " > 14 "}, True),
        ({"total": "> 15"}, False),
        ({"additions": "> 100", "deletions": "> 4"}, True),  # any of them
        ({"additions": "> 100", "deletions": "> 100", "total": "= 15"}, True),
        ({"additions": "> 100", "deletions": "> 100"}, False),
        ({"additions": ""}, False),
        ({"additions": None}, False),
        ({"additions": "> -1"}, True),
        ({}, False),
    ],
)
def test_modified_lines(holds, value, expected):
    assert holds("modified_lines", value, FACTS) is expected


@pytest.mark.parametrize(
    "text", ["5", ">", "> five", ">= 5", "> 1_000", "> 5.0", "=> 5", "> 9223372036854775808", "> ５"]
)
def test_what_is_no_comparison(text):
    with pytest.raises(ValueError, match="is not a comparison"):
        comparison(text)


def test_files_that_are_not_all_there(holds):
    assert holds("modified_lines", {"total": "> 1"}, {"incomplete": {"files": "too many"}}) == "too many"
