"""The window gate: policies of the place, emergency stops, who asks."""
# ruff: noqa: E501 - sentences

import pytest

from policies.gates.facts import Kind, Stop
from policies.gates.window import evaluate
from policies.policy import PolicySet

MONDAYS = """
kind: Window
name: mondays
type: blackout
weekly: {from: mon 08:00, to: mon 12:00}
exempt: {users: [alice], kinds: [rollback]}
"""


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "pending"),
        ({"requested_by": "alice"}, "pass"),
        ({"requested_by": "bob"}, "pending"),
        ({"kind": Kind.ROLLBACK}, "pass"),
        ({"kind": Kind.HOTFIX}, "pending"),
    ],
)
def test_a_blackout(changes, state, promotion, rules, now):
    assert evaluate(promotion(**changes), rules(MONDAYS), now).state == state


def test_no_window_no_gate(promotion, rules, now):
    assert evaluate(promotion(), PolicySet(), now) is None
    assert evaluate(promotion(), rules(f"{MONDAYS}scope: {{environments: [staging]}}"), now) is None


@pytest.mark.parametrize(
    ("stop", "sentence"),
    [
        ({}, "emergency stop of everything by @erin since 2026-11-23 10:00 UTC: the data centre burns; goes on when the stop is lifted"),
        ({"environment": "prod", "by": None, "reason": ""}, "emergency stop of prod since 2026-11-23 10:00 UTC; goes on when the stop is lifted"),
        ({"app": "guestbook", "environment": "prod", "reason": "", "since": None}, "emergency stop of guestbook of prod by @erin; goes on when the stop is lifted"),
    ],
)  # fmt: skip
def test_an_emergency_stop_stops_rollbacks_and_the_exempt_too(stop, sentence, promotion, rules, now):
    stop = Stop(**{"by": "erin", "since": now, "reason": "the data centre burns", **stop})
    for changes in ({}, {"requested_by": "alice"}, {"kind": Kind.ROLLBACK}):
        verdict = evaluate(promotion(stops=(stop,), **changes), rules(MONDAYS), now)
        assert (verdict.state, verdict.sentence, verdict.until) == ("pending", sentence, None)


@pytest.mark.parametrize("stop", [{"environment": "staging"}, {"app": "shop"}, {"environment": "prod", "app": "shop"}])
def test_a_stop_elsewhere_stops_nothing_here(stop, promotion, now):
    assert evaluate(promotion(stops=(Stop(by="erin", **stop),)), PolicySet(), now) is None


def test_a_broken_window_is_an_error_that_names_its_line(promotion, rules, now):
    verdict = evaluate(promotion(), rules(organisation=MONDAYS.replace("mon 12:00", "noon")), now)
    assert verdict.state == "error"
    assert verdict.sentence == (
        "a policy cannot be read: org.yml:5: `weekly.to`: 'noon' is not a weekday and a time — write it like fri 18:00"
    )


def test_a_policy_of_an_unknown_kind_could_have_been_a_window(promotion, rules, now):
    assert evaluate(promotion(), rules("kind: Windoww\n"), now).state == "error"
    assert evaluate(promotion(), rules("kind: Vulnerability\n"), now) is None
    assert evaluate(promotion(), rules("kind: Vulnerability\nfoo: 1\n"), now) is None
