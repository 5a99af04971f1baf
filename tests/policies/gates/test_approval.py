"""Who has to approve: whose approval counts, of which head, and what the sentence says."""
# ruff: noqa: E501 - a table

import dataclasses
from datetime import timedelta

import pytest

from policies.approval.facts import Comment
from policies.gates.approval import evaluate, pull_request_of
from policies.gates.facts import Commit, Kind, Review
from policies.policy import PolicySet

NONE = PolicySet()
HEAD, OLD = "b" * 40, "c" * 40
PERMISSIONS = {"alice": "write", "bob": "admin", "carol": "read", "wendy": "write", "ghapp[bot]": "write"}


@pytest.fixture
def judged(promotion, now):
    def make(*reviews, policies=NONE, **changes):
        listed = tuple(
            Review(author=who, state=state, commit=commit, submitted_at=now + timedelta(minutes=i))
            for i, (who, state, commit) in enumerate(reviews)
        )
        facts = promotion(**{"approvals": 1, "reviews": listed, "permissions": PERMISSIONS, **changes})
        return evaluate(facts, policies, now)

    return make


YES, NO, DISMISSED, SAID = "APPROVED", "CHANGES_REQUESTED", "DISMISSED", "COMMENTED"
WAITING = "waiting for 1 approval by someone with write permission who wrote none of its commits"


@pytest.mark.parametrize(
    ("reviews", "sentence"),
    [
        ([], WAITING),
        ([("alice", YES, HEAD)], "approved by @alice"),
        ([("bob", YES, HEAD)], "approved by @bob"),
        ([("ALICE", YES, HEAD)], "approved by @ALICE"),
        ([("alice", YES, OLD)], f"{WAITING}; @alice's approval was for ccccccc and no longer counts"),
        ([("carol", YES, HEAD)], f"{WAITING}; @carol's approval does not count: only read permission here"),
        ([("dave", YES, HEAD)], f"{WAITING}; @dave's approval does not count: no permission here"),
        ([("wendy", YES, HEAD)], f"{WAITING}; @wendy's approval does not count: they wrote or built part of the release"),
        ([("Wendy", YES, HEAD)], f"{WAITING}; @Wendy's approval does not count: they wrote or built part of the release"),
        ([("ghapp[bot]", YES, HEAD)], f"{WAITING}; @ghapp[bot]'s approval does not count: an App's"),
        ([(None, YES, HEAD)], WAITING),
        ([("alice", NO, HEAD)], f"{WAITING}; @alice asks for changes"),
        ([("alice", SAID, HEAD)], WAITING),
        ([("alice", YES, HEAD), ("alice", NO, HEAD)], f"{WAITING}; @alice asks for changes"),
        ([("alice", NO, HEAD), ("alice", YES, HEAD)], "approved by @alice"),
        ([("alice", YES, HEAD), ("alice", DISMISSED, HEAD)], WAITING),
        ([("alice", YES, HEAD), ("alice", SAID, HEAD)], "approved by @alice"),
        ([("alice", YES, HEAD), ("alice", YES, OLD)], f"{WAITING}; @alice's approval was for ccccccc and no longer counts"),
        ([("alice", YES, HEAD), ("bob", YES, HEAD)], "approved by @alice, @bob"),
        ([("wendy", YES, HEAD), ("bob", YES, HEAD)], "approved by @bob"),
    ],
)  # fmt: skip
def test_one_approval(reviews, sentence, judged):
    verdict = judged(*reviews)
    assert verdict.sentence == sentence
    assert verdict.state == ("pass" if sentence.startswith("approved") else "pending")


def test_more_than_one_approval(judged):
    assert judged(("alice", YES, HEAD), approvals=2).sentence == WAITING.replace("1 approval", "1 more approval")
    assert judged(("alice", YES, HEAD), ("alice", YES, HEAD), approvals=2).state == "pending"
    assert judged(("alice", YES, HEAD), ("bob", YES, HEAD), approvals=2).passed
    assert judged(approvals=2).sentence.startswith("waiting for 2 approvals by people with write permission")


def commit(**fields):
    return Commit(**{"sha": "d" * 40, "author": "wendy", "committer": "wendy", **fields})


@pytest.mark.parametrize(
    ("commits", "why"),
    [
        ([commit(author=None)], "(its author)"),
        ([commit(committer=None)], "(its committer)"),
        ([commit(co_authors=(None,))], "(a co-author)"),
        ([commit(), commit(author=None)], "(its author)"),
    ],
)
def test_a_commit_of_unknown_people_fails_closed(commits, why, judged):
    verdict = judged(("bob", YES, HEAD), commits=tuple(commits))
    assert verdict.state == "fail"
    assert "commit ddddddd is by someone GitHub does not know" in verdict.sentence
    assert why in verdict.sentence


def test_a_list_of_commits_that_is_cut_fails_closed(judged):
    assert judged(("bob", YES, HEAD), commits_complete=False).state == "fail"


@pytest.mark.parametrize(
    ("commits", "counts"),
    [
        ([commit(committer=None, committed_via_web=True)], True),
        ([commit(committer="web-flow")], True),
        ([commit(committer="bob")], False),
        ([commit(co_authors=("bob",))], False),
        ([commit(), commit(author="bob")], False),
        ([commit(author="BOB")], False),
        ([], True),
    ],
)
def test_whoever_has_a_part_in_a_commit_is_a_contributor(commits, counts, judged):
    assert judged(("bob", YES, HEAD), commits=tuple(commits)).passed is counts


def test_whoever_built_it_is_a_contributor(judged):
    assert not judged(("bob", YES, HEAD), built_by="bob").passed


def test_nothing_demanded_is_no_gate_and_a_rollback_has_its_own_number(judged):
    assert judged(approvals=0) is None
    assert judged(approvals=1, kind=Kind.ROLLBACK) is None
    assert judged(approvals=0, rollback_approvals=1, kind=Kind.ROLLBACK).state == "pending"


SRE = """
kind: Approval
name: sre
scope: {environments: [prod]}
policy:
  approval:
    - ops
approval_rules:
  - name: ops
    requires: {count: 1, teams: [acme/sre]}
"""
TEAM = {"acme/sre": frozenset({"bob", "erin"})}


@pytest.fixture
def by_policy(judged, rules):
    def make(*reviews, text=SRE, **changes):
        return judged(*reviews, policies=rules(text), **{"approvals": 0, "team_members": TEAM, **changes})

    return make


def test_a_policy_in_the_policy_bot_language(by_policy):
    waiting = by_policy(("alice", YES, HEAD))
    assert waiting.state == "pending"
    assert "ops: waiting for one of @acme/sre (2 people can)" in waiting.sentence
    assert "(the repository's policy 'sre')" in waiting.sentence
    assert by_policy(("bob", YES, HEAD)).sentence == "approved by @bob (the repository's policy 'sre')"


def test_a_policy_counts_only_approvals_of_this_head(by_policy):
    assert not by_policy(("bob", YES, OLD)).passed
    assert not by_policy(("bob", YES, HEAD), commits=(commit(author="bob"),)).passed
    assert not by_policy(("bob", YES, HEAD), requested_by="bob").passed


def test_a_comment_counts_only_when_it_came_after_the_head(promotion, rules, now):
    facts = promotion(permissions=PERMISSIONS, team_members=TEAM)
    pull = pull_request_of(facts)
    head = dataclasses.replace(pull.commits[0], pushed_at=now)
    for minutes, passes in ((-5, False), (5, True)):
        said = Comment("bob", ":+1:", now + timedelta(minutes=minutes))
        pull = dataclasses.replace(pull, commits=(head, *pull.commits[1:]), comments=(said,))
        judged = evaluate(dataclasses.replace(facts, pull_request=pull), rules(SRE), now + timedelta(hours=1))
        assert judged.passed is passes


def test_policy_and_number_have_both_to_be_met(by_policy):
    assert by_policy(("bob", YES, HEAD), approvals=2).sentence.startswith("waiting for 1 more approval")
    assert by_policy(("alice", YES, HEAD), ("erin", YES, HEAD), approvals=1).passed


def test_a_rollback_is_judged_by_its_own_number_not_by_the_policies(by_policy):
    assert by_policy(kind=Kind.ROLLBACK) is None
    assert by_policy(("alice", YES, HEAD), kind=Kind.ROLLBACK, rollback_approvals=1).passed


def test_a_policy_that_is_elsewhere_or_broken(by_policy):
    assert by_policy(text=SRE.replace("[prod]", "[staging]")) is None
    broken = by_policy(("bob", YES, HEAD), text=SRE.replace("- ops\n", "- opps\n", 1))
    assert broken.state == "error"
    assert broken.sentence.startswith("a policy cannot be read: repo.yml:7: there is no rule named `opps`")


def test_a_policy_of_which_no_rule_applies_is_an_error_that_names_it(by_policy):
    text = SRE.replace("    requires:", "    if: {has_labels: [x]}\n    requires:")
    verdict = by_policy(("bob", YES, HEAD), text=text)
    assert verdict.state == "error"
    assert verdict.sentence.endswith("(the repository's policy 'sre', repo.yml:2)")
