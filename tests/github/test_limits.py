"""Limits shared by processes over Redis behave as those of one process, and go on when Redis is away."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from redis import Redis

from ghapp.github.limits import FORGOTTEN_AFTER, MAX_CONCURRENT, Limits, LocalLimits, Wait
from ghapp.github.limits_redis import RedisLimits

from .conftest import Moment


@pytest.fixture(params=["one process", "Redis", "Redis away"])
def limits(request: pytest.FixtureRequest, redis: Redis, moment: Moment, tmp_path: Path) -> Limits:
    made: dict[str, Callable[[], Limits]] = {
        "one process": lambda: LocalLimits(80, moment),
        "Redis": lambda: RedisLimits(redis, 80, moment),
        "Redis away": lambda: RedisLimits(Redis(unix_socket_path=f"{tmp_path}/none", retry=None), 80, moment),
    }
    return made[request.param]()


def test_no_more_calls_at_once_than_allowed(limits: Limits, moment: Moment) -> None:
    for number in range(MAX_CONCURRENT):
        assert limits.enter(9, f"c{number}", write=False) is None
    assert limits.enter(9, "more", write=False) == Wait("busy", pytest.approx(moment.now + 0.1))
    assert limits.enter(10, "other", write=False) is None
    limits.leave(9, "c0")
    assert limits.enter(9, "more", write=False) is None


def test_a_call_that_never_ended_is_forgotten(limits: Limits, moment: Moment) -> None:
    for number in range(MAX_CONCURRENT):
        limits.enter(9, f"c{number}", write=False)
    moment.now += FORGOTTEN_AFTER + 1
    assert limits.enter(9, "more", write=False) is None


def test_eighty_writes_a_minute(limits: Limits, moment: Moment) -> None:
    for number in range(80):
        assert limits.enter(9, f"c{number}", write=True) is None
        limits.leave(9, f"c{number}")
        moment.now += 0.1
    assert limits.enter(9, "more", write=True) == Wait("writes", pytest.approx(moment.now - 8 + 60))
    assert limits.enter(9, "read", write=False) is None
    moment.now += 52.1
    assert limits.enter(9, "more", write=True) is None


def test_the_later_of_two_moments_parks(limits: Limits, moment: Moment) -> None:
    limits.park(9, moment.now + 100)
    limits.park(9, moment.now + 50)
    assert limits.parked(9) == pytest.approx(moment.now + 100)
    assert limits.enter(9, "c", write=False) == Wait("parked", pytest.approx(moment.now + 100))
    assert limits.parked(10) == 0
    moment.now += 101
    assert limits.parked(9) == 0
    assert limits.enter(9, "c", write=False) is None


def test_what_is_left_of_the_budget(limits: Limits, moment: Moment) -> None:
    assert not limits.low(9)
    limits.seen(9, 900, 5000, moment.now + 600)
    assert limits.low(9)
    moment.now += 601
    assert not limits.low(9)


def test_processes_share_a_parked_installation(redis: Redis, moment: Moment) -> None:
    RedisLimits(redis, 80, moment).park(9, moment.now + 100)
    assert RedisLimits(redis, 80, moment).parked(9) == pytest.approx(moment.now + 100)


def test_a_server_without_limits(redis: Redis, moment: Moment) -> None:
    for limits in (LocalLimits(0, moment), RedisLimits(redis, 0, moment)):
        assert [limits.enter(9, f"{n}", write=True) for n in range(90)] == [None] * 90
