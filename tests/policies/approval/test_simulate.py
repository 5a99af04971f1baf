"""What if somebody else had said something, or nobody, or the branch were another."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from policies.approval.actors import Actors
from policies.approval.case import CannotJudge
from policies.approval.facts import Comment, Review
from policies.approval.judge import judge
from policies.approval.simulate import Simulation, simulate

NOW = datetime(2026, 1, 2, tzinfo=UTC)
POLICY = """
policy: {approval: [{or: [reviewed, free]}]}
approval_rules:
  - name: reviewed
    requires: {count: 1, users: [bob]}
  - name: free
    if: {targets_branch: {pattern: ^sandbox}}
"""
SAID = {
    "comments": [{"author": "bob"}],
    "reviews": [{"author": "bob"}, {"author": "bob", "state": "COMMENTED", "body": ":+1:"}],
}
BOB = Actors(users=("bob",))


@pytest.mark.parametrize(
    ("said", "simulation", "state"),
    [
        ({}, Simulation(), "pending"),
        (SAID, Simulation(), "success"),
        (SAID, Simulation(ignore_comments=BOB), "success"),  # the review is left
        (SAID, Simulation(ignore_reviews=BOB), "success"),  # the comments are left
        (SAID, Simulation(ignore_comments=BOB, ignore_reviews=BOB), "pending"),
        (SAID, Simulation(Actors(teams=("acme/sre",)), Actors(permissions=("admin",))), "pending"),
        (SAID, Simulation(Actors(users=("carol",)), Actors(users=("carol",))), "success"),
        ({}, Simulation(add_comments=(Comment("bob", "👍", NOW),)), "success"),
        ({}, Simulation(add_reviews=(Review("bob", "APPROVED"),)), "success"),
        ({}, Simulation(add_reviews=(Review("bob", "APPROVED"),), ignore_reviews=BOB), "success"),
        ({}, Simulation(base_branch="sandbox/1"), "success"),
    ],
)
def test_simulation(facts, said, simulation, state):
    assert judge(POLICY, simulate(facts(**said), simulation, NOW), NOW).state == state


def test_real_facts_are_untouched(facts):
    before = facts(**SAID)
    simulate(before, Simulation(ignore_comments=BOB, ignore_reviews=BOB, base_branch="x"), NOW)
    assert before == facts(**SAID)


def test_whom_one_cannot_read_one_cannot_ignore(facts):
    with pytest.raises(CannotJudge, match="the team other/t cannot be read"):
        simulate(facts(**SAID), Simulation(ignore_comments=Actors(teams=("other/t",))), NOW)
