"""Hotfixes and rollbacks: who may ask, whose approval it takes, and what a hotfix is exempt from."""
# ruff: noqa: E501 - tables

import pytest

from policies.gates.bypass import approver_may_merge, evaluate
from policies.gates.facts import Commit, Kind, Review
from policies.gates.registry import judge, ready
from policies.policy import PolicySet

HEAD = "b" * 40
PERMISSIONS = {"alice": "write", "bob": "write", "carol": "read", "wendy": "write"}
WAITING = "hotfix: waiting for 1 approval by someone with write permission who wrote none of its commits"


@pytest.fixture
def hotfix(promotion, now):
    def make(*approvers, **changes):
        reviews = tuple(Review(author=who, state="APPROVED", commit=HEAD, submitted_at=now) for who in approvers)
        return promotion(
            **{"kind": Kind.HOTFIX, "requested_by": "alice", "skipped": ("staging",), "permissions": PERMISSIONS, "reviews": reviews, **changes}
        )  # fmt: skip

    return make


def test_the_usual_road_is_no_bypass(promotion, now):
    assert evaluate(promotion(), PolicySet(), now) is None


@pytest.mark.parametrize(
    ("approvers", "changes", "state", "sentence"),
    [
        (["bob"], {}, "pass", "hotfix: approved by @bob"),
        ([], {}, "pending", WAITING),
        (["alice"], {}, "pending", f"{WAITING}; @alice's approval does not count: they asked for it"),
        (["wendy"], {}, "pending", f"{WAITING}; @wendy's approval does not count: they wrote or built part of the release"),
        (["carol"], {}, "pending", f"{WAITING}; @carol's approval does not count: it takes anyone with write permission"),
        (["bob"], {"requested_by": "carol"}, "fail", "this hotfix was asked for by @carol; it may be asked for by anyone with write permission"),
        (["bob"], {"requested_by": None}, "fail", "this hotfix was asked for by nobody known; it may be asked for by anyone with write permission"),
        (["bob"], {"commits": (Commit(sha="d" * 40, author=None),)}, "fail", None),
    ],
)  # fmt: skip
def test_without_a_policy_a_hotfix_takes_a_writer_and_somebody_else_s_approval(
    approvers, changes, state, sentence, hotfix, now
):
    verdict = evaluate(hotfix(*approvers, **changes), PolicySet(), now)
    assert verdict.state == state
    assert sentence in (None, verdict.sentence)


def policy(hotfix):
    return f"kind: Promotion\nname: fast lane\nhotfix: {{{hotfix}}}\n"


@pytest.mark.parametrize(
    ("rule", "approvers", "changes", "state", "says"),
    [
        ("approvals: 0", [], {}, "pass", "hotfix asked for by @alice, who may"),
        ("approvals: 2", ["bob"], {}, "pending", "waiting for 1 more approval"),
        ("allowed: {users: [dave]}", ["bob"], {}, "fail", "it may be asked for by dave (repo.yml:1: hotfix)"),
        ("allowed: {teams: [acme/sre]}", ["bob"], {"team_members": {"acme/sre": frozenset({"alice"})}}, "pass", ""),
        ("allowed: {teams: [acme/sre]}", ["bob"], {}, "fail", "it may be asked for by acme/sre"),
        ("approvers: {users: [carol]}", ["carol"], {}, "pass", "approved by @carol"),
        ("approvers: {users: [carol]}", ["bob"], {}, "pending", "@bob's approval does not count: it takes carol"),
        ("requester_may_approve: true", ["alice"], {}, "pass", "approved by @alice"),
        ("builder_may_approve: true", ["wendy"], {}, "pass", "approved by @wendy"),
        ("builder_may_approve: false", ["bob"], {"built_by": "bob"}, "pending", "@bob's approval does not count"),
        ("builder_may_approve: true", ["bob"], {"built_by": "bob"}, "pass", "approved by @bob"),
        ("may_skip: [qa]", ["bob"], {}, "fail", "a hotfix may not pass by staging"),
        ("may_skip: [stag*]", ["bob"], {}, "pass", ""),
        ("pass: \"'urgent' in labels\"", ["bob"], {}, "fail", "does not meet the condition 'urgent' in labels"),
        ("pass: \"'urgent' in labels\"", ["bob"], {"labels": frozenset({"urgent"})}, "pass", ""),
        ("fail: commit.author == 'wendy'", ["bob"], {"commits": (Commit(sha="a" * 40, author="wendy", committer="wendy"),)}, "fail", "turned away by the condition"),
        ("pass: 'true', fail: 'true'", ["bob"], {}, "fail", "turned away by the condition true"),
        ("pass: image.size > 3", ["bob"], {}, "error", "repo.yml:1: hotfix: image.size > 3"),
    ],
)  # fmt: skip
def test_a_policy(rule, approvers, changes, state, says, hotfix, rules, now):
    verdict = evaluate(hotfix(*approvers, **changes), rules(policy(rule)), now)
    assert verdict.state == state, verdict
    assert says in verdict.sentence


def test_every_policy_has_to_agree(hotfix, rules, now):
    both = rules(policy("approvals: 0"), policy("approvals: 1"))
    assert evaluate(hotfix(), both, now).state == "pending"
    assert evaluate(hotfix("bob"), both, now).passed
    elsewhere = policy("approvals: 5") + "scope: {environments: [staging]}\n"
    assert evaluate(hotfix("bob"), rules(elsewhere), now).passed


def test_a_rollback_takes_what_its_own_rule_says(promotion, rules, now):
    back = promotion(kind=Kind.ROLLBACK, requested_by="alice", permissions=PERMISSIONS)
    assert evaluate(back, PolicySet(), now).sentence == "rollback asked for by @alice, who may"
    assert evaluate(back, rules("kind: Promotion\nrollback: {approvals: 1}\n"), now).state == "pending"
    by_reader = promotion(kind=Kind.ROLLBACK, requested_by="carol", permissions=PERMISSIONS)
    assert evaluate(by_reader, PolicySet(), now).state == "fail"
    automatic = promotion(kind=Kind.ROLLBACK, requested_by=None)
    assert evaluate(automatic, PolicySet(), now).sentence == "rollback asked for by ghapp itself, who may"


WINDOW = "kind: Window\nname: w\ntype: blackout\ndaily: {from: 00:00, to: 24:00}\n"
SCANS = "kind: Vulnerability\nname: v\nblock: [critical]\n"
PLUGINS = "kind: RequiredPlugins\nname: r\nplugins: [{plugin: gitleaks}]\n"
SRE = """
kind: Approval
name: a
policy:
  approval: [x]
approval_rules:
  - {name: x, requires: {count: 1, users: [zoe]}}
"""
ALL = "---\n".join((WINDOW, SCANS, PLUGINS, SRE))


@pytest.mark.parametrize(
    ("theirs", "ours", "exempt", "by", "binding"),
    [
        ("", ALL, "", "ours", {"window", "vulnerability", "plugins", "approval", "filter"}),
        ("", ALL, "window", "ours", {"vulnerability", "plugins", "approval", "filter"}),
        ("", ALL, "window, vulnerability, plugins, approval, filter", "ours", set()),
        (ALL, "", "window, vulnerability, plugins, approval, filter", "theirs", set()),
        (ALL, "", "window, vulnerability, plugins, approval, filter", "ours", {"window", "vulnerability", "plugins", "approval"}),
    ],
)  # fmt: skip
def test_what_a_hotfix_is_exempt_from(theirs, ours, exempt, by, binding, hotfix, rules, now):
    lane = policy(f"exempt: [{exempt}]")
    texts = {"theirs": theirs, "ours": ours}
    texts[by] = f"{texts[by]}---\n{lane}" if texts[by] else lane
    facts = hotfix("bob", filter="tag == 'never'", approvals=3)
    verdicts = judge(facts, rules(texts["ours"], texts["theirs"]), now)
    assert {name for name, v in verdicts.items() if not v.passed} == binding


def test_on_the_usual_road_nothing_is_exempt(promotion, rules, now):
    policies = rules(f"{WINDOW}---\n{policy('exempt: [window]')}")
    assert not ready(judge(promotion(), policies, now)).passed


def test_whether_an_approver_may_merge_it_by_hand(hotfix, rules):
    facts = hotfix("bob")
    assert approver_may_merge(facts, PolicySet(), "bob")
    strict = rules(policy("approver_may_merge: false"))
    assert not approver_may_merge(facts, strict, "Bob")
    assert approver_may_merge(facts, strict, "alice")
    assert not approver_may_merge(facts, strict, "carol")
