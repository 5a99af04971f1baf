"""Where policy-bot lets something through and we do not, or loses something and we do not.

Each test names what policy-bot answers, so that a difference is never mistaken for a slip.
"""

from __future__ import annotations

import pytest

PLAIN = {"requires": {"count": 1, "users": ["alice", "bob", "carol", "dave"]}}


def approval(login, minute, **more):
    return {"author": login, "submitted_at": minute, **more}


def asks(login, minute):
    return approval(login, minute, state="CHANGES_REQUESTED")


@pytest.mark.parametrize(
    ("reviews", "comments", "expected"),
    [
        ([approval("bob", 60)], [], "approved"),
        ([approval("bob", 60), asks("bob", 70)], [], "pending"),  # policy-bot: approved
        ([asks("bob", 60), approval("bob", 70)], [], "approved"),
        ([approval("bob", 60), asks("carol", 70)], [], "approved"),  # somebody else's request is theirs
        ([approval("bob", 60), asks("bob", 70), approval("bob", 80)], [], "approved"),
        ([approval("bob", 60), asks("bob", 60)], [], "pending"),
        ([asks("bob", 60), approval("bob", 60)], [], "approved"),
        ([asks("bob", 70)], [{"author": "bob", "created_at": 60}], "pending"),
        ([asks("bob", 60)], [{"author": "bob", "created_at": 60}], "pending"),
        ([asks("bob", 60)], [{"author": "bob", "created_at": 61}], "approved"),
        ([approval("bob", 60), approval("bob", 70, state="DISMISSED")], [], "approved"),
    ],
)
def test_who_asks_for_changes_takes_their_approval_back(rule, reviews, comments, expected):
    assert rule(PLAIN, {"reviews": reviews, "comments": comments}).outcome == expected


def test_with_a_disapproval_rule_a_request_for_changes_is_that_rules_business(judged):
    facts = {"reviews": [approval("bob", 60), asks("bob", 70), approval("carol", 80)]}
    revoked = judged({"r": PLAIN}, facts, disapproval={"requires": {"users": ["bob", "carol"]}})
    assert revoked.outcome == "approved"
    assert [c.login for c in revoked.children[0].children[0].approvers] == ["bob", "carol"]
    idle = judged({"r": PLAIN}, {"reviews": facts["reviews"][:2]}, disapproval={"if": {"has_labels": ["x"]}})
    assert idle.outcome == "pending"  # that rule names nobody


SIDE = [
    {"oid": "c1"},
    {"oid": "s1", "author_login": "dave", "parents": ["base"]},
    {"oid": "m", "parents": ["c1", "s1"]},
]


def test_who_wrote_a_merged_side_branch_is_a_contributor(rule):
    facts = {"commits": SIDE, "reviews": [approval("dave", 60)]}
    assert rule(PLAIN, facts).outcome == "pending"  # policy-bot: approved
    assert "they contributed s1" in rule(PLAIN, facts).sentence


def test_a_commit_that_the_head_does_not_reach_makes_nobody_a_contributor(rule):
    stray = [{"oid": "x", "author_login": "dave", "parents": ["base"]}, {"oid": "c1", "parents": ["base"]}]
    assert rule(PLAIN, {"commits": stray, "reviews": [approval("dave", 60)]}).outcome == "approved"


@pytest.mark.parametrize(
    "commit",
    [
        {"author_login": None, "committer_login": None},
        {"author_login": None, "committer_login": "alice"},
        {"author_login": "alice", "co_authors": [None]},
        {"author_login": "alice", "message": "x\n\nCo-authored-by: Eve <eve@example.com>"},
    ],
)
def test_while_somebody_behind_a_commit_is_unknown_nobody_is_known_to_be_another(rule, commit):
    facts = {"commits": [{"oid": "c1abcdefgh", **commit}], "reviews": [approval("bob", 60)]}
    result = rule(PLAIN, facts)
    assert result.outcome == "pending"  # policy-bot: approved
    assert "GitHub knows no account for somebody behind c1abcde" in result.sentence
    for allowed in ("allow_contributor", "allow_non_author_contributor"):
        assert rule({"options": {allowed: True}, **PLAIN}, facts).outcome == "approved"


def test_an_author_who_may_approve_still_may_beside_a_stranger(rule):
    facts = {"commits": [{"oid": "c1", "author_login": None}], "reviews": [approval("alice", 60)]}
    assert rule({"options": {"allow_author": True}, **PLAIN}, facts).outcome == "approved"


@pytest.mark.parametrize("via_web", [True, False])
def test_a_committer_without_an_account_is_no_stranger_beside_a_known_author(rule, via_web):
    facts = {"commits": [{"oid": "c1", "committer_login": None, "committed_via_web": via_web}]}
    assert rule(PLAIN, facts | {"reviews": [approval("bob", 60)]}).outcome == "approved"


@pytest.mark.parametrize(
    "commit",
    [
        {"co_authors": ["bob"]},
        {"message": "x\n\nCo-authored-by: Bob <bob@users.noreply.github.com>"},
        {"message": "x\n\nco-AUTHORED-by: Bob <12345+bob@users.noreply.github.com>\n"},
    ],
)
def test_co_authors_are_contributors(rule, commit):
    facts = {"commits": [{"oid": "c1", **commit}], "reviews": [approval("bob", 60)]}
    assert rule(PLAIN, facts).outcome == "pending"  # policy-bot: approved
    assert rule(PLAIN, facts | {"reviews": [approval("carol", 60)]}).outcome == "approved"


@pytest.mark.parametrize("count", [250, 600])
def test_long_pull_requests_are_judged(rule, count):
    commits = [{"oid": f"c{i}"} for i in range(count)]
    commits[3]["author_login"] = "bob"
    assert rule(PLAIN, {"commits": commits, "reviews": [approval("bob", 60)]}).outcome == "pending"
    assert rule(PLAIN, {"commits": commits, "reviews": [approval("carol", 60)]}).outcome == "approved"


def test_a_list_that_could_not_be_read_in_full_fails_closed_with_that_sentence(rule):
    facts = {"incomplete": {"commits": "GitHub lists 250 of 400 commits"}, "reviews": [approval("bob", 60)]}
    assert (rule(PLAIN, facts).outcome, rule(PLAIN, facts).sentence) == ("error", "GitHub lists 250 of 400 commits")


def test_a_status_that_turns_red_makes_the_rule_pending(rule):
    written = {"requires": {"conditions": {"has_status": {"statuses": ["ci"]}}}}
    assert rule(written, {"statuses": [{"context": "ci", "state": "success", "created_at": 1}]}).outcome == "approved"
    turned = [{"context": "ci", "state": s, "created_at": m} for s, m in (("success", 1), ("failure", 2))]
    assert rule(written, {"statuses": turned}).outcome == "pending"
