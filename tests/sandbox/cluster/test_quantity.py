"""Quantities, written the one way in which the server writes each."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.sandbox.cluster.quantity import canonical, parse


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("1000m", "1"), ("0.5", "500m"), ("1500m", "1500m"), ("1.5", "1500m"), ("2", "2"), ("0", "0"), ("0.0", "0"),
        ("1024Mi", "1Gi"), ("1.5Gi", "1536Mi"), ("0.5Gi", "512Mi"), ("512Ki", "512Ki"), ("1023", "1023"),
        ("0.5Ki", "512"), ("0.1Gi", "107374182400m"), ("1000", "1k"), ("1000000", "1M"), ("1500000", "1500k"),
        ("1G", "1G"), ("1000M", "1G"), ("100e3", "100e3"), ("1E3", "1e3"), ("1e-3", "1e-3"), ("1E", "1E"),
        ("100u", "100u"), ("0.1n", "1n"),
        ("-1000m", "-1"), ("+5", "5"), (".5", "500m"), ("5.", "5"), ("010m", "10m"),
    ],
)  # fmt: skip
def test_the_canonical_form(given: str, written: str) -> None:
    assert canonical(given) == written


@pytest.mark.parametrize("text", ["", "abc", "1.2.3", "1Qi", "1 Gi", "--1", "1e", "Gi"])
def test_what_is_no_quantity(text: str) -> None:
    with pytest.raises(ValueError, match=r"quantit"):
        canonical(text)


@given(
    st.decimals(min_value=Decimal("-1e9"), max_value=Decimal("1e9"), places=3), st.sampled_from(["", "k", "Mi", "Gi"])
)
def test_the_value_stays_and_writing_again_changes_nothing(number: Decimal, suffix: str) -> None:
    text = f"{number:f}{suffix}"
    written = canonical(text)
    assert parse(written)[0] == parse(text)[0]
    assert canonical(written) == written
