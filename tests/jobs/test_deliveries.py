"""Deliveries between server and workers: written once, dispatched at least once, small."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from redis import Redis

from ghapp.github.directory import Directory, Place
from ghapp.github.shared import RedisStore
from jobs import branches, subjects
from jobs.deliveries import GROUP, STREAM, Delivery, Dispatcher, append, mark, reduce
from jobs.queue import WANTED, Queue
from jobs.subjects import Ask

PUSH: dict[str, Any] = {
    "ref": "refs/heads/env/prod",
    "before": "a" * 40,
    "after": "b" * 40,
    "repository": {"id": 7, "name": "web", "full_name": "acme/web", "default_branch": "main"},
    "installation": {"id": 9},
    "sender": {"login": "alice"},
    "commits": [{"modified": [".ghapp/shop.json"], "message": "m" * 5000}],
}
ENVIRONMENT = subjects.environment(7, "shop", "prod")


@pytest.fixture
def dispatcher(redis: Redis) -> Dispatcher:
    made = Dispatcher(redis, Directory(RedisStore(redis)), "here")
    made.dispatch(0.001)  # makes the group
    return made


def test_a_record_is_small_and_reads_back_the_same() -> None:
    delivery = reduce("d-1", "push", PUSH)
    assert Delivery.from_json(delivery.to_json()) == delivery
    assert len(delivery.to_json()) < 300
    asked = reduce("d-2", "check_suite", {**PUSH, "action": "rerequested", "check_suite": {"head_sha": "b" * 40}})
    assert asked.ask == Ask("rerun_failed", "", "alice", "d-2")
    assert Delivery.from_json(asked.to_json()) == asked


def test_a_delivery_is_written_once(redis: Redis) -> None:
    delivery = reduce("d-1", "push", PUSH)
    assert [append(redis, delivery), append(redis, delivery)] == [True, False]
    assert redis.xlen(STREAM) == 1
    assert 2 * 86_400 < redis.ttl(mark("d-1")) <= 3 * 86_400


def test_dispatching_makes_jobs_and_remembers_where(redis: Redis, dispatcher: Dispatcher) -> None:
    append(redis, reduce("d-1", "push", PUSH))
    assert dispatcher.dispatch(1) == 1
    assert Queue(redis).wanted(ENVIRONMENT) == 1
    assert redis.xlen(STREAM) == 0
    assert Directory(RedisStore(redis)).find("acme/web") == Place(7, "acme/web", 9)
    assert branches.seen(redis, "acme/web", "env/prod") == "b" * 40


def test_what_was_written_before_anybody_listened_is_dispatched(redis: Redis) -> None:
    append(redis, reduce("d-1", "push", PUSH))
    late = Dispatcher(redis, Directory(RedisStore(redis)), "late")
    assert [late.dispatch(0.001), late.dispatch(1)] == [0, 1]


def test_a_record_whose_reader_died_is_dispatched_by_another(redis: Redis, dispatcher: Dispatcher) -> None:
    append(redis, reduce("d-1", "push", PUSH))
    redis.xreadgroup(GROUP, "dead", {STREAM: ">"})
    assert dispatcher.dispatch(0.001) == 0
    (pending,) = redis.xpending_range(STREAM, GROUP, "-", "+", 10)
    redis.xclaim(STREAM, GROUP, "dead", 0, [pending["message_id"]], idle=60_000)  # as if it had been a minute
    assert dispatcher.dispatch_abandoned() == 1
    assert Queue(redis).wanted(ENVIRONMENT) == 1


def test_many_dispatchers_share_and_lose_nothing(redis: Redis, dispatcher: Dispatcher) -> None:
    for number in range(1, 501):
        append(redis, Delivery(f"d-{number}", "pull_request", "opened", (subjects.pull(7, number),)))
    counts: list[int] = []

    def run(name: str) -> None:
        mine = Dispatcher(redis, Directory(RedisStore(redis)), name)
        while found := mine.dispatch(0.05, most=7):
            counts.append(found)

    threads = [threading.Thread(target=run, args=(f"n{i}",)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts) == 500
    assert redis.hlen(WANTED) == 500


def test_a_record_that_cannot_be_read_stops_nothing(redis: Redis, dispatcher: Dispatcher) -> None:
    redis.xadd(STREAM, {"r": b"[1]"})
    append(redis, reduce("d-1", "push", PUSH))
    assert dispatcher.dispatch(1) == 2
    assert Queue(redis).wanted(ENVIRONMENT) == 1


def test_a_flushed_redis_is_listened_to_again(redis: Redis, dispatcher: Dispatcher) -> None:
    redis.flushall()
    append(redis, reduce("d-1", "push", PUSH))
    assert [dispatcher.dispatch(0.001), dispatcher.dispatch(1)] == [0, 1]
    assert dispatcher.dispatch_abandoned() == 0
