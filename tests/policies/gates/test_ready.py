"""All gates together: which are asked, what their sum says, and the texts as people read them."""
# ruff: noqa: E501 - sentences are golden

from datetime import timedelta

import pytest

from policies.gates.facts import Commit, Hold, Order, Review, Upstream
from policies.gates.registry import GATES, judge, ready
from policies.policy import PolicySet
from policies.verdict import error, failed, passed, pending

HEAD, SOURCE = "b" * 40, "a" * 40


def test_every_gate_is_registered_once_and_says_what_it_is():
    names = [gate.NAME for gate in GATES]
    assert len(set(names)) == len(names) == 13
    assert all(gate.__doc__.startswith("Passes ") for gate in GATES)


def test_nothing_asked_passes(promotion, now):
    verdicts = judge(promotion(), PolicySet(), now)
    assert list(verdicts) == ["hold"]
    assert ready(verdicts).sentence == "the one gate passes"
    assert ready({}).sentence == "there are no gates"


def test_the_sum(now):
    later, sooner = now + timedelta(hours=2), now + timedelta(hours=1)
    assert ready({"a": passed("x"), "b": passed("y", until=later)}).until == later
    waiting = ready({"a": passed("x"), "b": pending("not yet", until=later), "c": pending("nor this", until=sooner)})
    assert (waiting.state, waiting.until) == ("pending", sooner)
    assert waiting.sentence == "2 of 3 gates missing — b: not yet; c: nor this"
    assert ready({"a": pending("x"), "b": failed("no"), "c": error("broken")}).sentence == (
        "3 of 3 gates missing — c: broken; b: no; a: x"
    )
    assert ready({"a": pending("x"), "b": failed("no")}).state == "fail"
    assert ready({"b": failed("no"), "c": error("broken")}).state == "error"
    assert len(ready({"a": pending("x" * 5000)}).sentence) == 600


POLICIES = """
kind: Approval
name: operations
policy:
  approval:
    - ops
approval_rules:
  - name: ops
    requires: {count: 1, teams: [acme/sre]}
---
kind: Window
name: year end
type: blackout
timezone: Europe/Berlin
once: {start: 2026-11-20 18:00, end: 2027-01-02 06:00}
---
kind: RequiredPlugins
name: secrets
plugins: [{plugin: gitleaks}]
---
kind: Vulnerability
name: baseline
block: [critical]
"""


@pytest.fixture
def waiting(promotion, rules, now):
    facts = promotion(
        after=("staging",),
        approvals=1,
        holds=(Hold(by="erin", since=now, reason="@everyone look at the logs", what="/hold"),),
        upstreams=(
            Upstream(
                environment="staging",
                release="aaaaaaa-1",
                order=Order.SAME,
                healthy_since=now - timedelta(minutes=10),
                soak=timedelta(minutes=30),
            ),
        ),
        commits=(Commit(sha=SOURCE, author="wendy", committer="wendy"),),
        reviews=(Review(author="bob", state="APPROVED", commit="1a2b3c4" + "0" * 33, submitted_at=now),),
        permissions={"bob": "write"},
        team_members={"acme/sre": frozenset({"bob", "erin", "zoe"})},
    )
    return judge(facts, rules(POLICIES), now)


def test_the_sentences(waiting):
    assert {name: v.sentence for name, v in waiting.items()} == {
        "hold": "held by @erin since 2026-11-23 10:00 UTC: @everyone look at the logs; goes on after /unhold",
        "upstream": "staging runs aaaaaaa-1, healthy since 2026-11-23 09:50 UTC; its soak of 30m ends 2026-11-23 10:20 UTC",
        "window": "blackout 'year end' until 2 Jan 2027 06:00 Europe/Berlin (05:00 UTC); merges by itself then",
        "approval": "ops: waiting for one of @acme/sre (3 people can); @bob's approval was for 1a2b3c4 and no longer counts (the repository's policy 'operations')",
        "vulnerability": "there is no scan of the repository at aaaaaaa yet; the repository's policy 'baseline' wants one",
        "plugins": "gitleaks has not run on aaaaaaa; the repository's policy 'secrets' requires it",
    }  # fmt: skip


def test_no_detail_pings_anybody(waiting):
    for name, verdict in waiting.items():
        assert "@everyone" not in verdict.details, name
        assert "@acme/sre" not in verdict.details, name


def test_a_gate_that_is_waited_for_names_the_moment_at_which_to_look_again(waiting, now):
    total = ready(waiting)
    assert total.state == "pending"
    assert total.until == now + timedelta(minutes=20)
    assert total.sentence.startswith("6 of 6 gates missing — hold: held by @erin")


def test_a_sentence_is_one_line_whatever_people_write(promotion, now):
    hold = Hold(by="erin", reason="first\n\n| second \x1b[31m\u202e third", what="/hold")
    assert judge(promotion(holds=(hold,)), PolicySet(), now)["hold"].sentence == (
        "held by @erin: first | second [31m third; goes on after /unhold"
    )


@pytest.mark.parametrize("kind", ["Approval", "Window", "Vulnerability", "RequiredPlugins", "Promotion"])
def test_a_broken_policy_of_any_kind_is_never_a_pass(kind, promotion, rules, now):
    verdicts = judge(promotion(), rules(organisation=f"kind: {kind}\nnonsense: true\n"), now)
    total = ready(verdicts)
    assert total.state == "error"
    assert "org.yml:" in total.sentence


def test_an_empty_policy_file_is_never_a_pass(promotion, rules, now):
    assert ready(judge(promotion(), rules(" "), now)).state == "error"


def test_the_same_question_has_the_same_answer(promotion, rules, now):
    facts, policies = promotion(approvals=1), rules(POLICIES)
    assert judge(facts, policies, now) == judge(facts, policies, now)
