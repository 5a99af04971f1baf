"""Health, readiness and metrics: what is wrong is said in a sentence, and a server starts whatever is away."""

from __future__ import annotations

from pathlib import Path

from flask.testing import FlaskClient
from redis import Redis

from ghapp.settings import load
from ghapp.web import create_app
from jobs import counters, subjects
from jobs.queue import Queue

from .conftest import environ


def test_a_server_with_redis_is_ready_although_github_is_away(client: FlaskClient) -> None:
    assert client.get("/healthz").json == {"status": "ok"}
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json["checks"]["redis"] == {
        "ok": True,
        "message": "Redis keeps nothing on disk; set `appendonly yes` and `appendfsync always`.",
    }
    github = answer.json["checks"]["github"]
    assert (github["ok"], github["message"][:45]) == (False, "http://127.0.0.1:9/api/v3 cannot be reached: ")


def test_readiness_says_how_safe_redis_is(client: FlaskClient, redis: Redis) -> None:
    redis.config_set("appendonly", "yes")
    redis.config_set("appendfsync", "always")
    try:
        said = client.get("/readyz").json["checks"]["redis"]["message"]
    finally:
        redis.config_set("appendonly", "no")
    assert said == "Redis writes every delivery to its disk before it is accepted."


def test_without_redis_it_is_not_ready_and_says_so_without_the_password(tmp_path: Path) -> None:
    url = "redis://:hunter2@127.0.0.1:9/0"
    client = create_app(load(environ(url, tmp_path))).test_client()
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "Redis at redis://127.0.0.1:9/0 cannot be reached" in answer.json["checks"]["redis"]["message"]
    assert "hunter2" not in answer.text
    assert client.get("/metrics").status_code == 503


def test_without_a_secret_it_is_not_ready(redis_url: str, tmp_path: Path) -> None:
    settings = load({**environ(redis_url, tmp_path), "GHAPP_WEBHOOK_SECRETS": ""})
    answer = create_app(settings).test_client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json["checks"]["webhook_secrets"]["message"].endswith("set GHAPP_WEBHOOK_SECRETS.")


def test_metrics_of_all_processes(client: FlaskClient, redis: Redis) -> None:
    queue = Queue(redis)
    queue.enqueue(subjects.pull(1, 2))
    queue.enqueue(subjects.pull(1, 3))
    counters.count(redis, [("deliveries", ("push",), 2), ("reconciles", ("pull", "done"), 1), ("gone", ("x",), 1)])
    counters.count(redis, [("deliveries", ("push",), 3)])
    lines = client.get("/metrics").text.splitlines()
    assert 'ghapp_queue_jobs{queue="reconcile"} 2.0' in lines
    assert "ghapp_subjects_wanted 2.0" in lines
    assert 'ghapp_deliveries_total{event="push"} 5.0' in lines
    assert 'ghapp_reconciles_total{kind="pull",outcome="done"} 1.0' in lines
    assert "# HELP ghapp_subjects_failing Subjects whose last reconcile failed." in lines


def test_every_answer_carries_the_security_headers(client: FlaskClient) -> None:
    for path in ("/healthz", "/nowhere"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
