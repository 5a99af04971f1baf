"""Whether the environments before this one allow it."""
# ruff: noqa: E501 - a table

from datetime import timedelta

import pytest

from policies.gates.facts import Kind, Order, Strategy, Upstream
from policies.gates.upstream import evaluate
from policies.policy import PolicySet

NONE = PolicySet()

# staging's release │ healthy │ soak     │ strategy │ verdict
# ──────────────────┼─────────┼──────────┼──────────┼────────────────────────────
# nothing           │         │          │ any      │ pending
# older             │         │          │ any      │ pending
# this one          │ no      │          │ any      │ pending
# this one          │ yes     │ not over │ any      │ pending until it is
# this one          │ yes     │ over     │ any      │ pass
# newer             │ yes     │ over     │ match    │ pending
# newer             │ yes     │ over     │ others   │ pass
# older, but a no-op│ yes     │ over     │ any      │ pass
TABLE = [
    ({"release": None}, "pending", "staging runs nothing yet; it has to run aaaaaaa-1 first", None),
    ({"order": Order.OLDER}, "pending", "staging still runs r; it has to run aaaaaaa-1 first", None),
    ({"order": None}, "pending", "staging still runs r; it has to run aaaaaaa-1 first", None),
    ({"healthy": None}, "pending", "staging runs r, which is not healthy yet", None),
    ({"healthy": None, "state": "failure", "message": "1 of 3 ready"}, "pending", "staging runs r, which is unhealthy (1 of 3 ready)", None),
    ({"healthy": 0}, "pass", "staging runs r, healthy since 2026-11-23 10:00 UTC", None),
    ({"healthy": 29, "soak": 30}, "pending", "staging runs r, healthy since 2026-11-23 09:31 UTC; its soak of 30m ends 2026-11-23 10:01 UTC", 1),
    ({"healthy": 30, "soak": 30}, "pass", "staging runs r, healthy since 2026-11-23 09:30 UTC, longer than its soak of 30m", None),
    ({"healthy": -5, "soak": 30}, "pending", "staging runs r, healthy since 2026-11-23 10:05 UTC; its soak of 30m ends 2026-11-23 10:35 UTC", 35),
    ({"order": Order.NEWER}, "pass", "staging runs r, healthy since 2026-11-23 09:00 UTC", None),
    ({"order": Order.NEWER, "strategy": Strategy.QUEUE}, "pass", "staging runs r, healthy since 2026-11-23 09:00 UTC", None),
    ({"order": Order.NEWER, "strategy": Strategy.MATCH}, "pending", "staging already runs r, and this environment matches it; not aaaaaaa-1", None),
    ({"order": Order.OLDER, "no_op": True}, "pass", "staging runs r, healthy since 2026-11-23 09:00 UTC", None),
    ({"order": Order.OLDER, "no_op": True, "healthy": None}, "pending", "staging runs r, which is not healthy yet", None),
]  # fmt: skip


@pytest.mark.parametrize(("given", "state", "sentence", "until"), TABLE)
def test_one_upstream(given, state, sentence, until, promotion, now, minutes):
    given = {"release": "r", "order": Order.SAME, "healthy": 60, "soak": 0, **given}
    strategy = given.pop("strategy", Strategy.LATEST)
    healthy = given.pop("healthy")
    upstream = Upstream(
        environment="staging",
        healthy_since=None if healthy is None else now - minutes(healthy),
        soak=minutes(given.pop("soak")),
        **given,
    )
    verdict = evaluate(promotion(after=("staging",), strategy=strategy, upstreams=(upstream,)), NONE, now)
    assert (verdict.state, verdict.sentence) == (state, sentence)
    assert verdict.until == (now + minutes(until) if until else None)


def test_an_unhealthy_moment_begins_the_soak_again(promotion, now, minutes):
    def at(healthy_since):
        up = Upstream(
            environment="staging", release="r", order=Order.SAME, healthy_since=healthy_since, soak=minutes(30)
        )
        return evaluate(promotion(after=("staging",), upstreams=(up,)), NONE, now)

    assert at(now - minutes(31)).passed
    assert at(None).until is None
    assert at(now - minutes(2)).until == now + minutes(28)


@pytest.fixture
def two(promotion, now, minutes):
    def make(*healthy, any_of=False):
        ups = tuple(
            Upstream(
                environment=name, release="r", order=Order.SAME, soak=minutes(10), healthy_since=h and now - minutes(h)
            )
            for name, h in zip(("eu", "us"), healthy, strict=False)
        )
        return evaluate(promotion(after=("eu", "us"), after_any=any_of, upstreams=ups), NONE, now)

    return make


@pytest.mark.parametrize(
    ("healthy", "any_of", "passes", "until"),
    [
        ((20, 20), False, True, None),
        ((20, None), False, False, None),
        ((20, 5), False, False, 5),
        ((3, 5), False, False, 5),
        ((20, None), True, True, None),
        ((None, None), True, False, None),
        ((3, 5), True, False, 5),
        ((20,), False, False, None),  # nothing is known of us
        ((20,), True, True, None),
    ],
)
def test_all_and_any(healthy, any_of, passes, until, two, now):
    verdict = two(*healthy, any_of=any_of)
    assert verdict.passed is passes
    assert verdict.until == (now + timedelta(minutes=until) if until else None)


def test_a_rollback_waits_for_no_environment_and_a_hotfix_not_for_those_it_passes_by(promotion, now):
    held_up = promotion(after=("staging",), kind=Kind.ROLLBACK)
    assert evaluate(held_up, NONE, now).passed
    hotfix = promotion(after=("staging", "qa"), kind=Kind.HOTFIX, skipped=("staging", "qa"), requested_by="alice")
    assert evaluate(hotfix, NONE, now).sentence.startswith("staging is passed by: a hotfix by @alice")
    assert not evaluate(promotion(after=("staging", "qa"), kind=Kind.HOTFIX, skipped=("staging",)), NONE, now).passed


def test_no_upstream_no_gate(promotion, now):
    assert evaluate(promotion(), NONE, now) is None
