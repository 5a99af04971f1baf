"""Build profiles: found by name or as the default, and the limits they set."""
# ruff: noqa: E501 - a table

from datetime import timedelta

import pytest

from policies.build_profile import over_the_limit, profile_for
from policies.kinds import parse_policies, parse_policy
from policies.organisation import merge
from policies.policy import Origin
from policies.scope import Place
from policies.yamltext import Problems

PLACE = Place("acme/guestbook", "guestbook")
THEIRS = """
kind: BuildProfile
name: medium
cpu: 2
memory: 4Gi
timeout: 30m
default: true
max_cpu: 4
max_memory: 8Gi
max_timeout: 1h
"""
OURS = """
kind: BuildProfile
name: large
cpu: 4
---
kind: BuildProfile
name: only the shop's
scope: {apps: [shop]}
default: true
"""
BOTH = merge(parse_policies(THEIRS, "org.yml", origin=Origin.ORGANISATION), parse_policies(OURS, "repo.yml"))


@pytest.mark.parametrize(
    ("name", "place", "found"),
    [
        ("medium", PLACE, "medium"),
        ("large", PLACE, "large"),
        ("", PLACE, "medium"),
        ("huge", PLACE, None),
        ("only the shop's", PLACE, None),
        ("only the shop's", Place("acme/guestbook", "shop"), "only the shop's"),
    ],
)
def test_which_profile(name, place, found):
    profile = profile_for(BOTH, place, name)
    assert (profile.name if profile else None) == found


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"cpu": 4.0}, ""),
        ({"cpu": 4.5}, "4.5 processors are more than the 4 that the organisation's policy 'medium' allows"),
        ({"memory": 9 * 2**30}, "9Gi of memory are more than the 8Gi that the organisation's policy 'medium' allows"),
        ({"timeout": timedelta(hours=2)}, "a timeout of 2h is more than the 1h that the organisation's policy 'medium' allows"),
        ({"cpu": 1.0, "memory": 2**30, "timeout": timedelta(minutes=5)}, ""),
    ],
)  # fmt: skip
def test_limits(asked, said):
    assert over_the_limit(BOTH, PLACE, **{"cpu": None, "memory": None, "timeout": None, **asked}) == said


def test_a_profile_is_within_its_own_limits():
    with pytest.raises(Problems, match="`cpu` is more than `max_cpu`"):
        parse_policy("kind: BuildProfile\ncpu: 8\nmax_cpu: 4\n", "p.yml")
