"""Holds and rejected releases."""
# ruff: noqa: E501 - sentences

import pytest

from policies.gates.facts import Hold
from policies.gates.hold import evaluate
from policies.policy import PolicySet


@pytest.mark.parametrize(
    ("hold", "sentence"),
    [
        (
            {"by": "alice", "reason": "we look at the logs", "what": "/hold"},
            "held by @alice since 2026-11-23 10:00 UTC: we look at the logs; goes on after /unhold",
        ),
        ({"by": None, "since": None, "what": "the label ghapp/hold"}, "held by the label ghapp/hold; goes on when the label is removed"),
    ],
)  # fmt: skip
def test_a_hold(hold, sentence, promotion, now):
    verdict = evaluate(promotion(holds=(Hold(**{"since": now, **hold}),)), PolicySet(), now)
    assert (verdict.state, verdict.sentence) == ("pending", sentence)


def test_nothing_holds_it(promotion, now):
    assert evaluate(promotion(), PolicySet(), now).passed


def test_a_rejected_release_fails(promotion, now):
    verdict = evaluate(promotion(rejected="it loses orders"), PolicySet(), now)
    assert (verdict.state, verdict.sentence) == ("fail", "release aaaaaaa-1 was rejected: it loses orders")
