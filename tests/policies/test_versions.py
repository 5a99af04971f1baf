"""Versions and ranges, by the rules of Semantic Versioning."""

import pytest

from policies.versions import parse_range, parse_version


@pytest.mark.parametrize(
    ("range_", "inside", "outside"),
    [
        ("*", "0.0.1 9.9.9 1.0.0-rc.1", ""),
        ("1.4.2", "1.4.2 v1.4.2 1.4.2+build", "1.4.3 1.4.2-rc.1"),
        ("=1.4.2", "1.4.2", "1.4.1"),
        ("==1.4", "1.4.0", "1.4.1"),
        ("!=1.4.2", "1.4.1", "1.4.2"),
        ("1", "1.0.0 1.9.9", "2.0.0 0.9.9"),
        ("1.4", "1.4.0 1.4.9", "1.5.0 1.3.9"),
        ("1.x", "1.0.0 1.9.9", "2.0.0"),
        ("1.4.*", "1.4.0 1.4.9", "1.5.0"),
        (">=1.4,<2", "1.4.0 1.9.9", "1.3.9 2.0.0"),
        (">=1.4, <=2", "1.4.0 2.0.0", "2.0.1"),
        (">1.4", "1.4.1", "1.4.0"),
        ("^1.4", "1.4.0 1.9.0", "2.0.0 1.3.0"),
        ("^0.4", "0.4.0 0.4.9", "0.5.0"),
        ("^0.4.2", "0.4.2 0.4.9", "0.5.0 0.4.1"),
        ("^0.0.3", "0.0.3", "0.0.4"),
        ("^0", "0.0.1 0.9.0", "1.0.0"),
        ("~1.4.2", "1.4.2 1.4.9", "1.5.0 1.4.1"),
        ("~1.4", "1.4.0 1.4.9", "1.5.0"),
        ("~1", "1.0.0 1.9.0", "2.0.0"),
    ],
)
def test_ranges(range_, inside, outside):
    found = parse_range(range_)
    assert all(parse_version(v) in found for v in inside.split())
    assert not any(parse_version(v) in found for v in outside.split())


def test_the_order_of_the_specification():
    order = ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11"]
    order += ["1.0.0-rc.1", "1.0.0"]
    versions = [parse_version(v) for v in order]
    assert sorted(versions) == versions


@pytest.mark.parametrize("text", ["", "latest", "1.2.3.4", "1..2", "one", ">=", "1.x.2", "^x"])
def test_what_is_none(text):
    with pytest.raises(ValueError, match="is not a version range"):
        parse_range(text)


@pytest.mark.parametrize("text", ["", "latest", "1.2.3.4", "9" * 50])
def test_what_is_no_version(text):
    assert parse_version(text) is None
