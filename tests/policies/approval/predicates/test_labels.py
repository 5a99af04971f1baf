"""has_labels."""

import pytest

from policies.approval.predicates.labels import lowered


@pytest.mark.parametrize(
    ("labels", "wanted", "expected"),
    [
        (["Ready"], ["ready"], True),
        (["ready"], ["READY"], True),
        (["ready"], ["ready", "bug"], False),
        (["ready", "BUG"], ["bug", "Ready"], True),
        ([], ["ready"], False),
        ([], [], True),
        (["ÉTÉ"], ["été"], True),
        (["ready "], ["ready"], False),
    ],
)
def test_has_labels(holds, labels, wanted, expected):
    assert holds("has_labels", wanted, {"labels": labels}) is expected


def test_case_is_folded_letter_by_letter():
    assert lowered("ΑΣ") == "ασ"  # no final sigma
    assert lowered("İ") == "i"
