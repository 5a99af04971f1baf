"""``POST /webhooks/github``: what is taken, what is refused and how, and that nothing is promised that is not kept."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from redis import Redis

from ghapp.settings import load
from ghapp.web import create_app
from ghapp.web import front as front_module
from ghapp.web.front import Front
from jobs.deliveries import STREAM, Delivery

from .conftest import OLD_SECRET, environ, push, signed

PATH = "/webhooks/github"


def records(redis: Redis) -> list[Delivery]:
    return [Delivery.from_json(fields[b"r"]) for _, fields in redis.xrange(STREAM)]


@pytest.mark.parametrize("secret", ["new-secret", "old-secret"])
def test_a_signed_delivery_is_one_small_record(client: FlaskClient, redis: Redis, secret: str) -> None:
    body = push(commits=[{"message": "x" * 9_000}])
    answer = client.post(PATH, data=body, headers=signed(body, secret=secret))
    assert (answer.status_code, answer.json) == (202, {"delivery": "d-1", "queued": True})
    (record,) = records(redis)
    assert [str(subject) for subject in record.subjects] == [f"commit/7/{'b' * 40}"]
    assert (record.repository, record.full_name, record.installation) == (7, "acme/web", 9)


def test_a_delivery_that_comes_again_is_not_written_again(client: FlaskClient, redis: Redis) -> None:
    for queued in (True, False, False):
        answer = client.post(PATH, data=push(), headers=signed(push()))
        assert (answer.status_code, answer.json["queued"]) == (202, queued)
    assert len(records(redis)) == 1


@pytest.mark.parametrize("event", ["star", "ping", "workflow_job", "something_new"])
def test_an_unknown_event_is_accepted_and_leaves_nothing(client: FlaskClient, redis: Redis, event: str) -> None:
    assert client.post(PATH, data=push(), headers=signed(push(), event=event)).status_code == 202
    assert redis.keys() == []


BAD: list[tuple[str, bytes, dict[str, str], int, str]] = [
    ("unsigned", push(), {"X-Hub-Signature-256": ""}, 401, "not signed"),
    ("wrong signature", push(), {"X-Hub-Signature-256": "sha256=" + "0" * 64}, 401, "does not match"),
    ("signature of other type", push(), {"X-Hub-Signature-256": "sha1=" + "0" * 40}, 401, "does not match"),
    ("signature with umlaut", push(), {"X-Hub-Signature-256": "sha256=ä"}, 401, "does not match"),
    ("no JSON", b"ref=refs/heads/main", {}, 400, "not JSON"),
    ("not UTF-8", b'{"ref": "\xff"}', {}, 400, "not JSON"),
    ("a list", b"[]", {}, 400, "not a JSON object"),
    ("nothing", b"", {}, 400, "not JSON"),
    ("deep", b'{"a":' * 200 + b"1" + b"}" * 200, {}, 400, "nested deeper"),
    ("very deep", b"[" * 90_000 + b"]" * 90_000, {}, 400, "not JSON"),
    ("a form", push(), {"Content-Type": "application/x-www-form-urlencoded"}, 415, "application/json"),
    ("no event", push(), {"X-GitHub-Event": ""}, 400, "X-GitHub-Event"),
    ("a strange event", push(), {"X-GitHub-Event": "push\x7f; flushall"}, 400, "X-GitHub-Event"),
    ("no id", push(), {"X-GitHub-Delivery": ""}, 400, "X-GitHub-Delivery"),
    ("a strange id", push(), {"X-GitHub-Delivery": "../../x"}, 400, "X-GitHub-Delivery"),
    ("too large", b"x" * 200_001, {}, 413, ""),
]


@pytest.mark.parametrize(("body", "headers", "status", "said"), [case[1:] for case in BAD], ids=[c[0] for c in BAD])
def test_anything_else_is_refused_with_a_sentence(
    client: FlaskClient, redis: Redis, body: bytes, headers: dict[str, str], status: int, said: str
) -> None:
    answer = client.post(PATH, data=body, headers={**signed(body), **headers})
    assert answer.status_code == status
    assert said in answer.json["message"]
    assert redis.keys() == []


def test_many_keys_are_refused(redis_url: str, tmp_path: Path) -> None:
    app = create_app(load({**environ(redis_url, tmp_path), "GHAPP_MAX_BODY": "25000000"}))
    body = json.dumps({str(n): 1 for n in range(600_000)}).encode()
    answer = app.test_client().post(PATH, data=body, headers=signed(body))
    assert (answer.status_code, answer.json["message"][:14]) == (400, "The JSON is ne")


def test_nothing_is_parsed_before_the_signature_is_good(client: FlaskClient) -> None:
    body = b"{" * 1000
    headers = {**signed(body), "X-Hub-Signature-256": "sha256=" + "0" * 64}
    assert client.post(PATH, data=body, headers=headers).status_code == 401


def test_without_redis_nothing_is_promised(tmp_path: Path) -> None:
    client = create_app(load(environ(f"unix://{tmp_path}/nothing.sock", tmp_path))).test_client()
    answer = client.post(PATH, data=push(), headers=signed(push()))
    assert answer.status_code == 503
    assert "Redis is away" in answer.json["message"]
    assert answer.headers["Retry-After"]
    assert client.get("/healthz").status_code == 200


def test_without_a_secret_nothing_is_taken(redis_url: str, tmp_path: Path) -> None:
    settings = load({**environ(redis_url, tmp_path), "GHAPP_WEBHOOK_SECRETS": ""})
    answer = create_app(settings).test_client().post(PATH, data=push(), headers=signed(push()))
    assert (answer.status_code, "GHAPP_WEBHOOK_SECRETS" in answer.json["message"]) == (503, True)


# --- the same through ASGI, where a client may do what WSGI hides ----------------------------------------
class Call:
    """One request to the front, its body in parts, each after a pause."""

    def __init__(
        self, front: Front, parts: list[tuple[float, bytes]], headers: dict[str, str], path: str = PATH
    ) -> None:
        self._front, self._parts = front, parts
        self._scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "query_string": b"",
            "http_version": "1.1",
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        }
        self.sent: list[Any] = []

    async def send(self, message: Any) -> None:
        self.sent.append(message)

    async def receive(self) -> Any:
        if not self._parts:
            return {"type": "http.disconnect"}
        pause, part = self._parts.pop(0)
        await asyncio.sleep(pause)
        return {"type": "http.request", "body": part, "more_body": bool(self._parts)}

    async def run(self) -> tuple[int, Any]:
        await self._front(self._scope, self.receive, self.send)
        body = b"".join(message.get("body", b"") for message in self.sent[1:])
        return self.sent[0]["status"], json.loads(body)


@pytest.fixture
def front(redis_url: str, tmp_path: Path) -> Front:
    return Front(create_app(load(environ(redis_url, tmp_path))))


def test_the_front_answers_as_flask_does(front: Front, redis: Redis) -> None:
    body = push()

    async def both() -> list[Any]:
        first = await Call(front, [(0, body[:10]), (0, body[10:])], signed(body)).run()
        again = await Call(front, [(0, body)], signed(body, secret=OLD_SECRET)).run()
        wrong = await Call(front, [(0, body + b" ")], signed(body)).run()
        return [first, again, wrong]

    first, again, wrong = asyncio.run(both())
    assert first == (202, {"delivery": "d-1", "queued": True})
    assert again == (202, {"delivery": "d-1", "queued": False})
    assert wrong[0] == 401
    assert len(records(redis)) == 1


def test_deliveries_of_one_moment_go_in_one_round_trip(front: Front, redis: Redis) -> None:
    async def many() -> list[tuple[int, Any]]:
        body = push()
        calls = [Call(front, [(0, body)], signed(body, delivery=f"d-{n}")) for n in range(100)]
        return list(await asyncio.gather(*(call.run() for call in calls)))

    before = redis.info("stats")["total_reads_processed"]
    answers = asyncio.run(many())
    assert [status for status, _ in answers] == [202] * 100
    assert len(records(redis)) == 100
    assert redis.info("stats")["total_reads_processed"] - before < 30


def test_a_body_without_a_length_is_measured_as_it_comes(front: Front) -> None:
    parts = [(0.0, b"x" * 50_000) for _ in range(10)]
    assert asyncio.run(Call(front, parts, signed(b"")).run())[0] == 413
    assert len(parts) == 5  # the rest was not even read


def test_a_body_that_says_it_is_large_is_not_read(front: Front) -> None:
    parts = [(0.0, b"{}")]
    assert asyncio.run(Call(front, parts, {**signed(b"{}"), "Content-Length": "99999999"}).run())[0] == 413
    assert parts == [(0.0, b"{}")]


@pytest.mark.parametrize("path", [PATH, "/agent/v1/token"])
def test_a_slow_body_costs_no_thread_and_ends(front: Front, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setattr(front_module, "BODY_SECONDS", 0.05)
    parts = [(0.03, b"{") for _ in range(100)]
    assert asyncio.run(Call(front, parts, signed(b"{}"), path).run())[0] == 408


def test_the_front_passes_everything_else_to_flask(front: Front) -> None:
    status, body = asyncio.run(Call(front, [(0, b"{}")], {"Content-Type": "application/json"}, "/agent/v1/token").run())
    assert (status, "credential" in body["message"]) == (401, True)
