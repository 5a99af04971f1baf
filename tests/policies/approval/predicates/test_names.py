"""repository, title."""

import pytest

TABLE = [
    ({"matches": ["^acme/"]}, True),
    ({"matches": ["^other/", "web$"]}, True),
    ({"matches": ["^other/"]}, False),
    ({"not_matches": ["^other/"]}, True),
    ({"not_matches": ["^acme/"]}, False),
    ({"not_matches": ["^other/", "web"]}, False),  # all of them have to miss
    ({"matches": ["^acme/"], "not_matches": ["web"]}, True),  # either is enough
    ({"matches": ["nope"], "not_matches": ["nope"]}, True),
    ({"matches": ["nope"], "not_matches": ["web"]}, False),
    ({"not_matches": []}, False),
    ({"not_matches": [None]}, True),  # given, and matching nothing
    ({"matches": [None]}, False),
    ({}, False),
]


@pytest.mark.parametrize(("value", "expected"), TABLE)
def test_repository(holds, value, expected):
    assert holds("repository", value, {"repository": "acme/web"}) is expected


@pytest.mark.parametrize(("value", "expected"), TABLE)
def test_title(holds, value, expected):
    assert holds("title", value, {"title": "acme/web"}) is expected


def test_a_title_may_be_empty(holds):
    assert holds("title", {"matches": ["^$"]}, {"title": ""}) is True
