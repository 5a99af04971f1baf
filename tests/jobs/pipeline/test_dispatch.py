"""A pipeline that is started from elsewhere: by a secret, with typed inputs, and by nobody else."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from ghapp.web import create_app
from jobs import subjects
from jobs.subjects import Ask
from tests.jobs.pipeline.conftest import Lane

CONFIG = """\
version: 1
app: web
pipeline:
  on:
    dispatch:
      secret: CALL
      inputs:
        target: {type: choice, choices: [a, b], required: true}
        count: {type: number, default: 3}
  before:
    - {run: 'echo "$GHAPP_EVENT $GHAPP_INPUT_TARGET $GHAPP_INPUT_COUNT"', when: event.inputs.target == "b"}
"""
BEFORE = "ghapp / web / before"


@pytest.fixture
def client(lane: Lane) -> FlaskClient:
    folder = lane.secrets / lane.full_name
    folder.mkdir(parents=True)
    (folder / "CALL").write_text("open sesame\n")
    app = create_app(lane.settings)
    app.extensions["ghapp"].__dict__["redis"] = lane.redis
    app.extensions["ghapp"].__dict__["github"] = lane.github
    return app.test_client()


def call(client: FlaskClient, lane: Lane, *, secret: str = "open sesame", app: str = "web", **body: Any) -> int:
    url = f"/dispatch/{lane.full_name}/{app}"
    return client.post(url, json=body, headers={"X-Ghapp-Secret": secret}).status_code


def test_a_call_with_the_secret_starts_a_run_with_its_inputs(lane: Lane, client: FlaskClient) -> None:
    sha = lane.push({".ghapp.yml": CONFIG})
    assert lane.checks(sha) == {}
    assert call(client, lane, inputs={"target": "b"}) == 202
    lane.work_off()
    assert lane.ends(sha) == {BEFORE: "success"}
    assert lane.log(lane.checks(sha)[BEFORE]["external_id"], "before-0") == "dispatch b 3\n"


@pytest.mark.parametrize("wrong", [{"secret": ""}, {"secret": "open"}, {"app": "other"}, {"branch": "none"}])
def test_without_the_secret_there_is_nothing_to_call(lane: Lane, client: FlaskClient, wrong: dict[str, str]) -> None:
    lane.push({".ghapp.yml": CONFIG})
    assert call(client, lane, **{"inputs": {"target": "b"}, **wrong}) == 404
    assert lane.queue.wanted(subjects.repository(lane.id)) == 0


@pytest.mark.parametrize("inputs", [{}, {"target": "c"}, {"target": "a", "x": "1"}, {"target": "a", "count": "many"}])
def test_inputs_that_are_not_declared_or_of_another_type_are_refused(
    lane: Lane, client: FlaskClient, inputs: dict[str, str]
) -> None:
    lane.push({".ghapp.yml": CONFIG})
    assert call(client, lane, inputs=inputs) == 400


def test_a_dispatch_by_github_is_judged_by_the_same_inputs(lane: Lane) -> None:
    sha = lane.push({".ghapp.yml": CONFIG.replace("secret: CALL", "secret: ''")})

    def ask(**inputs: str) -> Ask:
        return Ask("dispatch", "run", "ada", f"d-{inputs}", {"client_payload": {"app": "web", "inputs": inputs}})

    lane.look(sha, ask(target="evil"))
    assert lane.ends(sha) == {"ghapp / config": "neutral"}
    assert "is not one of a, b" in lane.checks(sha)["ghapp / config"]["output"]["summary"]
    lane.look(sha, ask(target="b"))
    assert lane.ends(sha)[BEFORE] == "success"
