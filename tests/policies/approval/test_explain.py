"""What a person reads: golden texts, and that foreign text does nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from policies.approval import explain
from policies.approval.judge import judge

NOW = datetime(2026, 1, 2, tzinfo=UTC)
POLICY = """
policy:
  approval:
    - or:
        - the team has approved
        - only docs have changed
    - green
  disapproval:
    requires: {organizations: [acme]}
approval_rules:
  - name: the team has approved
    description: Somebody who is on call has to see it.
    options: {invalidate_on_push: true}
    requires: {count: 1, teams: [acme/sre]}
  - name: only docs have changed
    if: {only_changed_files: {paths: ["^docs/"]}}
  - name: green
    requires: {conditions: {has_status: {statuses: [ci]}}}
"""
FACTS = {
    "commits": [{"oid": "1a2b3c4d5e", "pushed_at": 10}, {"oid": "9f8e7d6c5b", "pushed_at": 100}],
    "reviews": [
        {"author": "bob", "commit_oid": "1a2b3c4d5e", "submitted_at": 50},
        {"author": "dave", "submitted_at": 120},
    ],
    "files": [{"path": "src/app.py"}],
    "statuses": [{"context": "ci", "state": "success", "created_at": 110}],
}

TEXT = """\
… pending: the team has approved: waiting for one of @acme/sre (2 people can); @dave's approval does not count: \
@dave is not @acme/sre; @bob's approval was for 1a2b3c4 and no longer counts
  … approval: all of
    … any of
      … the team has approved: waiting for one of @acme/sre (2 people can); @dave's approval does not count: \
@dave is not @acme/sre; @bob's approval was for 1a2b3c4 and no longer counts
        · Somebody who is on call has to see it.
        ⊘ @bob's approval was for 1a2b3c4 and no longer counts
        ⊘ @dave's approval does not count: @dave is not @acme/sre
      ⊘ only docs have changed: does not apply: src/app.py matches none of `^docs/`
    ✓ green: approved by its conditions
  ⊘ disapproval: nobody has disapproved"""

Z = "\u200b"  # what breaks a mention
BOB = f"@{Z}bob's approval was for 1a2b3c4 and no longer counts"
DAVE = f"@{Z}dave's approval does not count: @{Z}dave is not @{Z}acme/sre"
MARKDOWN = f"""\
* … approval: all of
  * … any of
    * … the team has approved: waiting for one of @{Z}acme/sre \\(2 people can\\); {DAVE}; {BOB}
      * · Somebody who is on call has to see it.
      * ⊘ {BOB}
      * ⊘ {DAVE}
    * ⊘ only docs have changed: does not apply: src/app.py matches none of \\`^docs/\\`
  * ✓ green: approved by its conditions
* ⊘ disapproval: nobody has disapproved"""


def test_the_tree_for_a_terminal(facts):
    assert explain.text(judge(POLICY, facts(**FACTS), NOW)) == TEXT


def test_the_tree_for_a_check_run(facts):
    assert explain.markdown(judge(POLICY, facts(**FACTS), NOW)) == MARKDOWN


def test_nothing_to_show_is_the_sentence(facts):
    judgement = judge(None, facts(), NOW)
    assert explain.text(judgement) == "⊘ none: there is no policy for this repository"
    assert explain.markdown(judgement) == "there is no policy for this repository"


def test_a_broken_policy_lists_what_to_mend(facts):
    judgement = judge("polcy: {}\nfoo: [1]", facts(), NOW)
    assert explain.markdown(judgement).splitlines()[:3] == [
        "The policy file has to be mended:",
        "",
        "* .policy.yml:1: unknown key \\`polcy\\` — did you mean \\`policy\\`?",
    ]
    assert ".policy.yml:2: unknown key `foo`" in explain.text(judgement)


@pytest.mark.parametrize(
    "evil",
    [
        "@acme/everyone",
        "<img src=x onerror=alert(1)>",
        "[click](https://evil.example)",
        "![x](https://evil.example/pixel)",
        "`code` **bold** | table",
        "# heading\n- list\n\n> quote",
        "&lt;b&gt;",
        "https://evil.example",
        "\x1b[2Jcleared",
        "acme/web#1 GH-1 :tada:",
        "\u202egnp.exe",
    ],
)
def test_foreign_text_does_nothing(facts, evil):
    policy = "policy: {approval: [a]}\napproval_rules: [{name: a, if: {title: {matches: [x]}}}]"
    judgement = judge(policy, facts(title=evil), NOW)
    shown = explain.markdown(judgement)
    assert len(shown.splitlines()) == 3
    for active in ("@acme", "<img", "[click]", "![", "**", " # ", " &lt;b", "https://", "\x1b", "\u202e"):
        assert active not in shown
    assert "\x1b" not in explain.text(judgement)
    assert len(explain.text(judgement).splitlines()) == 4


def test_a_huge_tree_is_cut_to_what_github_takes(facts):
    rules = "".join(f"  - {{name: {'r' * 200}{i}, requires: {{count: 1, users: [bob]}}}}\n" for i in range(600))
    names = "".join(f"    - {'r' * 200}{i}\n" for i in range(600))
    policy = f"policy:\n  approval:\n{names}approval_rules:\n{rules}"
    shown = explain.markdown(judge(policy, facts(), NOW))
    assert len(shown) < 65_535
    assert shown.splitlines()[-1].startswith("* … ")


@pytest.mark.parametrize(
    ("options", "facts", "sentence"),
    [
        ({}, {}, "waiting for one of @bob or @carol (2 people can)"),
        ({}, {"author": "carol"}, "waiting for one of @bob or @carol (1 person can)"),
        (
            {},
            {"reviews": [{"author": None}]},
            "waiting for one of @bob or @carol (2 people can); a deleted account's approval does not count: "
            "a deleted account is not any of @bob, @carol",
        ),
        (
            {},
            {"commits": [{"oid": "c1", "author_login": "bob", "committer_login": "carol"}]},
            "waiting for one of @bob or @carol (nobody is left who can)",
        ),
        (
            {"ignore_edited_comments": True},
            {"comments": [{"author": "bob", "edited_at": 90}]},
            "waiting for one of @bob or @carol (2 people can); @bob's approval was edited",
        ),
        (
            {},
            {"reviews": [{"author": "bob"}, {"author": "bob", "state": "CHANGES_REQUESTED", "submitted_at": 70}]},
            "waiting for one of @bob or @carol (2 people can); "
            "@bob's approval no longer counts, for they have since requested changes",
        ),
    ],
)
def test_sentences_to_act_on(rule, options, facts, sentence):
    assert rule({"options": options, "requires": {"count": 1, "users": ["bob", "carol"]}}, facts).sentence == sentence


def test_sentences_that_count(rule):
    two = {"requires": {"count": 2, "users": ["bob", "carol", "dave"]}}
    assert rule(two, {}).sentence == "waiting for 2 of @bob or @carol or @dave (3 people can)"
    assert rule(two, {"reviews": [{"author": "bob"}]}).sentence == (
        "waiting for one of @bob or @carol or @dave (2 people can) (1 of 2 given)"
    )
    both = {"reviews": [{"author": "bob"}, {"author": "carol", "submitted_at": 61}]}
    assert rule(two, both).sentence == "approved by @bob and @carol"
    nobody = {"requires": {"count": 1}}
    assert rule(nobody, {}).sentence == (
        "nobody can approve: `requires` names no users, teams, organizations or permissions"
    )
    elsewhere = {"requires": {"count": 1, "teams": ["other/t"]}}
    assert rule(elsewhere, {}).sentence == "waiting for one of @other/t"
