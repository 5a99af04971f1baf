"""The sweep: what was missed is read back, and everything open or recent is looked at, however Redis forgot it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from redis import Redis

from ghapp.github import errors
from ghapp.github.app import GitHubApp
from jobs import subjects, sweep
from jobs.deliveries import STREAM, Delivery, append, mark, reduce
from jobs.queue import BACKGROUND, WANTED, Queue, rq_queue
from jobs.reconcile import Context
from jobs.subjects import Ask

if TYPE_CHECKING:
    from tests.conftest import Place

CONFIG = """
version: 1
app: shop
deploy:
  environments:
    - {name: dev, render: {plain: k8s}}
    - {name: prod, render: {plain: k8s}, after: [dev]}
"""


@pytest.fixture
def github(place: Place, redis: Redis) -> GitHubApp:
    return GitHubApp(place.settings, redis)


@pytest.fixture
def context(place: Place, github: GitHubApp, queue: Queue) -> Context:
    return Context(place.settings, github, queue, datetime.now(UTC), place.settings.data_dir)


def wanted(redis: Redis) -> set[str]:
    return {raw.decode() for raw in redis.hkeys(WANTED)}


def webhook(place: Place, url: str) -> None:
    place.app.webhook_url = url
    place.forge.wait_for_deliveries()


# --- missed deliveries ------------------------------------------------------------------------------
def test_deliveries_that_never_arrived_are_read_back_once(place: Place, github: GitHubApp, redis: Redis) -> None:
    webhook(place, "http://127.0.0.1:9/webhooks/github")  # nobody listens there
    sha = place.push(README="one")
    place.forge.wait_for_deliveries()
    assert sweep.read_back(github, redis, now=datetime.now(UTC), app_id=place.app.id) >= 1
    taken = [Delivery.from_json(fields[b"r"]) for _, fields in redis.xrange(STREAM)]
    assert subjects.commit(place.repository.id, sha) in {subject for delivery in taken for subject in delivery.subjects}
    before = github.calls.total()
    assert sweep.read_back(github, redis, now=datetime.now(UTC), app_id=place.app.id) == 0
    assert github.calls.total() - before == 1  # the cursor says that there is nothing new


def test_what_arrived_is_not_fetched_again(place: Place, github: GitHubApp, redis: Redis) -> None:
    webhook(place, "http://127.0.0.1:9/webhooks/github")
    place.push(README="one")
    place.forge.wait_for_deliveries()
    for delivery in place.forge.deliveries:
        append(redis, reduce(delivery.guid, "push", {"ref": "refs/heads/env/x", "repository": {"id": 1}}))
    before = redis.xlen(STREAM)
    assert sweep.read_back(github, redis, now=datetime.now(UTC)) == 0
    assert redis.xlen(STREAM) == before


def test_after_a_flush_only_the_last_minutes_are_taken_again(place: Place, github: GitHubApp, redis: Redis) -> None:
    webhook(place, "http://127.0.0.1:9/webhooks/github")
    place.push(README="one")
    place.push(README="two")
    place.forge.wait_for_deliveries()
    pushes = [delivery for delivery in place.forge.deliveries if delivery.event == "push"]
    for delivery in place.forge.deliveries:
        delivery.status_code = 202  # GitHub saw them all accepted …
        delivery.delivered_at -= timedelta(hours=1)
    pushes[1].delivered_at += timedelta(hours=1)  # … and this one just now
    assert sweep.read_back(github, redis, now=datetime.now(UTC), app_id=place.app.id) == 1
    assert redis.exists(mark(pushes[1].guid))


# --- installations ----------------------------------------------------------------------------------
def test_an_installation_leads_to_its_repositories(place: Place, context: Context, redis: Redis) -> None:
    place.forge.create_repository("acme", "other")
    sweep.reconcile_installation(subjects.installation(place.installation.id), context)
    assert len(wanted(redis)) == 2
    assert subjects.repository(place.repository.id).job_id in rq_queue(redis, BACKGROUND).job_ids


def test_a_removed_installation_ends_quietly(place: Place, context: Context) -> None:
    with pytest.raises(errors.NotInstalled):
        sweep.reconcile_installation(subjects.installation(424242), context)


def test_when_people_come_or_go_only_promotions_are_looked_at(
    place: Place, context: Context, redis: Redis, github: GitHubApp
) -> None:
    place.push(README="one")
    place.push("feature", README="two")
    client = github.for_repository("acme/web")
    ours = client.post("pulls", {"title": "Promote", "head": "feature", "base": "main"})["number"]
    place.push("theirs", README="three")
    place.call("alice", "POST", "/repos/acme/web/pulls", {"title": "T", "head": "theirs", "base": "main"})
    context = Context(**{**_fields(context), "asks": (Ask("members", delivery="d-1"),)})
    sweep.reconcile_installation(subjects.installation(place.installation.id), context)
    assert wanted(redis) == {f"pull/{place.repository.id}/{ours}"}


def _fields(context: Context) -> dict[str, Any]:
    return {name: getattr(context, name) for name in ("settings", "github", "queue", "now", "data_dir")}


# --- repositories -----------------------------------------------------------------------------------
def test_a_repository_leads_to_what_is_open_and_recent(place: Place, context: Context, redis: Redis) -> None:
    main = place.push(_dot_ghapp_dot_yml=CONFIG, k8s__a="")
    feature = place.push("feature", README="two")
    place.push("env/dev", README="three")
    made: Any = place.call("alice", "POST", "/repos/acme/web/pulls", {"title": "T", "head": "feature", "base": "main"})
    number, path = made["number"], f"/repos/acme/web/issues/{made['number']}/comments"
    command: Any = place.call("alice", "POST", path, {"body": "/test"})
    place.call("alice", "POST", path, {"body": "just words"})
    answered: Any = place.call("alice", "POST", path, {"body": "/help"})
    place.call("bob", "POST", f"/repos/acme/web/issues/comments/{answered['id']}/reactions", {"content": "+1"})
    sweep.reconcile_repository(subjects.repository(place.repository.id), context)
    i = place.repository.id
    assert wanted(redis) == {
        f"commit/{i}/{main}",
        f"commit/{i}/{feature}",
        f"pull/{i}/{number}",
        f"comment/{i}/{command['id']}",
        f"environment/{i}/shop/dev",
        f"environment/{i}/shop/prod",
    }


def test_a_repository_without_configuration_has_no_pipelines(place: Place, context: Context, redis: Redis) -> None:
    place.push(README="one")
    sweep.reconcile_repository(subjects.repository(place.repository.id), context)
    assert wanted(redis) == set()


def test_a_call_from_outside_reaches_the_head_of_its_branch(place: Place, context: Context, queue: Queue) -> None:
    main = place.push(_dot_ghapp_dot_yml=CONFIG, k8s__a="")
    ask = Ask("dispatch", "build", "alice", "d-1", {"branch": "main", "client_payload": {"x": 1}})
    sweep.reconcile_repository(
        subjects.repository(place.repository.id), Context(**{**_fields(context), "asks": (ask,)})
    )
    assert queue.asks(subjects.commit(place.repository.id, main)) == [ask]


def test_an_archived_repository_is_left_alone(place: Place, context: Context, redis: Redis) -> None:
    place.push(_dot_ghapp_dot_yml=CONFIG, k8s__a="")
    place.repository.archived = True
    sweep.reconcile_repository(subjects.repository(place.repository.id), context)
    sweep.reconcile_installation(subjects.installation(place.installation.id), context)
    assert wanted(redis) == set()


def test_what_a_sweep_costs(place: Place, context: Context, github: GitHubApp) -> None:
    place.push(_dot_ghapp_dot_yml=CONFIG, k8s__a="")
    for number in range(8):
        place.push(f"branch-{number}", README=str(number))
    sweep.reconcile_repository(subjects.repository(place.repository.id), context)
    github.calls.clear()
    sweep.reconcile_repository(subjects.repository(place.repository.id), context)
    spent = {name: count for name, count in github.calls.items() if "access_tokens" not in name}
    assert sum(spent.values()) <= 4, spent
