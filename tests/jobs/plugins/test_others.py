"""Plugins that talk to other systems, or read what tests wrote."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path

import pytest

from jobs import plugins
from jobs.executors import bubblewrap
from jobs.pipeline.result import Outcome
from jobs.pipeline.triggers import Occasion, Pull
from tests.jobs.pipeline.conftest import Ground, Lane
from tests.jobs.plugins.conftest import Server


# --- all of them ------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", sorted(plugins.PLUGINS))
def test_every_plugin_describes_itself_and_its_inputs(name: str) -> None:
    plugin = plugins.load(name)
    assert plugin.name == name
    assert plugin.description.endswith(".")
    assert plugin.version.count(".") == 2
    assert all(plugins.describe(plugin.inputs).values()), plugins.describe(plugin.inputs)


def test_a_plugin_can_be_named_with_a_version() -> None:
    assert plugins.find("trivy@1").name == plugins.find("trivy@v1.0").name == plugins.find("trivy@1.0.0").name
    for wrong in ("trivy@2", "trivy@1.9", "Trivy", "../x", "trivy@latest", ""):
        with pytest.raises(plugins.UnknownPlugin):
            plugins.find(wrong)


# --- webhook ------------------------------------------------------------------------------------------
def test_a_webhook_is_signed_and_its_status_decides(ground: Ground, server: Server) -> None:
    server.answers["/hook"] = (202, {"got": "it"})
    ground.secret("KEY", "a shared secret")
    wish = {"url": f"{server.url}/hook", "secret": "KEY", "data": {"note": 'a "quote" \\ and\nline'}}
    result = ground.run(uses="webhook", secrets=["KEY"], **{"with": wish})
    assert result.ended.outcome is Outcome.SUCCESS, ground.log(result)
    (asked,) = server.asked
    digest = hmac.new(b"a shared secret", asked.body, hashlib.sha256).hexdigest()
    assert asked.headers["X-Ghapp-Signature-256"] == f"sha256={digest}"
    sent = json.loads(asked.body)
    assert (sent["commit"], sent["data"]["note"]) == ("a" * 40, 'a "quote" \\ and\nline')
    server.answers["/hook"] = (500, {})
    refused = ground.run(uses="webhook", always=True, **{"with": {"url": f"{server.url}/hook"}})
    assert (refused.ended.outcome, refused.ended.sentence) == (Outcome.FAILURE, "the server answered 500")


@pytest.mark.parametrize("url", ["file:///etc/passwd", "gopher://x", "http://127.0.0.1:9/", 'http://x/"\noutput = "/x'])
def test_a_webhook_that_goes_nowhere_is_an_error(ground: Ground, url: str) -> None:
    assert ground.run(uses="webhook", **{"with": {"url": url}}).ended.outcome is Outcome.ERROR


def test_a_redirect_is_not_followed(ground: Ground, server: Server) -> None:
    server.answers["/hook"] = (302, {})
    assert ground.run(uses="webhook", **{"with": {"url": f"{server.url}/hook"}}).ended.outcome is Outcome.FAILURE
    assert len(server.asked) == 1


def test_a_secret_that_the_step_does_not_name_is_not_given(ground: Ground, server: Server) -> None:
    ground.secret("KEY", "value")
    result = ground.run(uses="webhook", **{"with": {"url": server.url, "secret": "KEY"}})
    assert result.ended.outcome is Outcome.ERROR
    assert "add it under `secrets`" in result.ended.sentence
    assert server.asked == []


# --- jira ---------------------------------------------------------------------------------------------
@pytest.fixture
def jira(ground: Ground, server: Server) -> Server:
    ground.occasion = Occasion(
        "pull_request", branch="fix/WEB-7-login", pull=Pull(1, "WEB-8: x (see UTF-8)", "ada", "fix/WEB-7-login", "main")
    )
    ground.secret("JIRA", "jira-token-value")
    issue = "/rest/api/2/issue"
    server.answers |= {
        f"{issue}/WEB-7": (200, {"fields": {"status": {"name": "In Progress"}}}),
        f"{issue}/WEB-8": (200, {"fields": {"status": {"name": "Done"}}}),
        f"{issue}/WEB-7/comment": (201, {}),
        f"{issue}/WEB-7/transitions": (200, {"transitions": [{"id": "31", "name": "Ready"}]}),
    }
    return server


def ask_jira(ground: Ground, server: Server, **wish: object) -> tuple[Outcome, str]:
    given = {"url": server.url, "token": "JIRA", **wish}
    ended = ground.run(uses="jira", secrets=["JIRA"], always=True, **{"with": given}).ended
    return ended.outcome, ended.sentence


def test_jira_issues_are_checked_commented_and_moved(ground: Ground, jira: Server) -> None:
    outcome, sentence = ask_jira(ground, jira, projects=["WEB"], states=["In Progress"])
    assert (outcome, sentence) == (Outcome.FAILURE, "WEB-8 is 'Done', not In Progress")
    ground.occasion = Occasion("push", branch="fix/WEB-7-login")
    wish = {"states": ["In Progress"], "comment": "built", "transition": "Ready"}
    assert ask_jira(ground, jira, **wish)[0] is Outcome.SUCCESS
    posted = [(a.path.rpartition("/")[2], json.loads(a.body)) for a in jira.asked if a.method == "POST"]
    assert posted == [("comment", {"body": "built"}), ("transitions", {"transition": {"id": "31"}})]
    assert jira.asked[0].headers["Authorization"] == "Bearer jira-token-value"


def test_a_change_without_an_issue_fails_where_one_is_demanded(ground: Ground, jira: Server) -> None:
    ground.occasion = Occasion("push", branch="main")
    assert ask_jira(ground, jira)[0] is Outcome.FAILURE
    assert ask_jira(ground, jira, required=False)[0] is Outcome.SUCCESS
    assert ask_jira(ground, jira, issues=["WEB-99"]) == (Outcome.FAILURE, "WEB-99 does not exist")


# --- sonarqube ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ((200, {"projectStatus": {"status": "OK"}}), Outcome.SUCCESS),
        (
            (
                200,
                {
                    "projectStatus": {
                        "status": "ERROR",
                        "conditions": [{"status": "ERROR", "metricKey": "coverage", "actualValue": "3"}],
                    }
                },
            ),
            Outcome.FAILURE,
        ),
        ((200, {"projectStatus": {"status": "NONE"}}), Outcome.ERROR),
        ((401, {}), Outcome.ERROR),
    ],
)
def test_sonarqubes_gate_decides(ground: Ground, server: Server, answer: tuple[int, object], outcome: Outcome) -> None:
    server.answers["/api/qualitygates/project_status"] = answer
    ground.secret("SONAR", "sonar-token")
    wish = {"url": server.url, "project": "web", "token": "SONAR", "scan": False}
    result = ground.run(uses="sonarqube", secrets=["SONAR"], **{"with": wish})
    assert result.ended.outcome is outcome, result.ended.sentence


# --- email ----------------------------------------------------------------------------------------------
def test_a_message_is_sent(ground: Ground, mail: tuple[str, list[str]]) -> None:
    ground.secret("SMTP", mail[0])
    wish = {
        "server": "SMTP",
        "sender": "ci@acme.example",
        "to": ["ada@acme.example"],
        "subject": "a\r\nBcc: x@y",
        "text": "hi",
    }
    result = ground.run(uses="email", secrets=["SMTP"], **{"with": wish})
    assert result.ended.outcome is Outcome.SUCCESS, ground.log(result)
    (message,) = mail[1]
    assert "Subject: a Bcc: x@y\r\n" in message
    assert "\r\nBcc:" not in message
    bad = {**wish, "to": ["ada@acme.example, x@y.example"]}
    assert ground.run(uses="email", secrets=["SMTP"], **{"with": bad}).ended.outcome is Outcome.ERROR


# --- coverage -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "report",
    [
        '<?xml version="1.0"?><coverage lines-valid="4" lines-covered="3"><line hits="0"/></coverage>',
        '<coverage><line hits="1"/><line hits="2"/><line hits="1"/><line hits="0"/></coverage>',
        '{"totals": {"covered_lines": 3, "num_statements": 4}}',
        "TN:\nSF:a.py\nDA:1,1\nDA:2,5\nDA:3,1\nDA:4,0\nend_of_record\n",
    ],
)
def test_coverage_is_measured_against_a_minimum(ground: Ground, report: str) -> None:
    ground.files(report=report)
    good = ground.run(uses="coverage", always=True, **{"with": {"file": "report", "minimum": 75}})
    assert (good.ended.outcome, good.ended.outputs["percent"]) == (Outcome.SUCCESS, "75.00")
    bad = ground.run(uses="coverage", always=True, **{"with": {"file": "report", "minimum": 75.1}})
    assert bad.ended.sentence == "75.00 % of the lines are covered, 75.1 % are demanded"


@pytest.mark.parametrize("report", ["", "{}", "<a/>", "no report", '<!DOCTYPE x [<!ENTITY a "b">]><coverage/>'])
def test_coverage_of_nothing_is_an_error(ground: Ground, report: str) -> None:
    ground.files(report=report)
    assert ground.run(uses="coverage", **{"with": {"file": "report"}}).ended.outcome is Outcome.ERROR


# --- tools that cannot be installed here: what is done with what they would say -------------------------
def stand_in(ground: Ground, monkeypatch: pytest.MonkeyPatch, name: str, script: str) -> None:
    folder = ground.root / "tools"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)
    monkeypatch.setattr(bubblewrap, "path", lambda: f"{folder}:/usr/bin:/bin")
    monkeypatch.setattr(bubblewrap, "_tool_folders", lambda _: [folder])


SUMMARY = '{"metrics": {"http_req_duration": {"avg": 12.5, "p(95)": 30, "thresholds": {"p(95)<20": %s}}}}'


@pytest.mark.parametrize(
    ("status", "crossed", "outcome"),
    [
        (0, "false", Outcome.SUCCESS),
        (99, "true", Outcome.FAILURE),
        (0, "true", Outcome.FAILURE),
        (107, "false", Outcome.ERROR),
    ],
)
def test_k6s_thresholds_decide(
    ground: Ground, monkeypatch: pytest.MonkeyPatch, status: int, crossed: str, outcome: Outcome
) -> None:
    ground.files(**{"load.js": "x"})
    stand_in(ground, monkeypatch, "k6", f"echo '{SUMMARY % crossed}' > /scratch/summary.json; exit {status}")
    result = ground.run(uses="k6", **{"with": {"script": "load.js", "vus": 5}})
    assert result.ended.outcome is outcome
    if outcome is not Outcome.ERROR:
        assert result.ended.outputs["http_req_duration.avg"] == "12.5"


@pytest.mark.parametrize("tool", ["alembic", "dbmate", "flyway", "liquibase", "migrate"])
def test_migrations_get_the_address_without_showing_it(
    ground: Ground, monkeypatch: pytest.MonkeyPatch, tool: str
) -> None:
    ground.files(**{"db__x.sql": "x"})
    ground.secret("DB", "postgres://user:pass-word@db/x")
    stand_in(ground, monkeypatch, tool, 'env; echo "$@"; pwd; env | grep -q pass-word')
    result = ground.run(
        uses="database-migration", secrets=["DB"], **{"with": {"tool": tool, "url": "DB", "path": "db"}}
    )
    assert result.ended.outcome is Outcome.SUCCESS, ground.log(result)
    assert "pass-word" not in ground.log(result)
    assert "/workspace/db" in ground.log(result)
    monkeypatch.setattr(bubblewrap, "path", lambda: "/usr/bin:/bin")
    monkeypatch.setattr(bubblewrap, "_tool_folders", lambda _: [])
    gone = ground.run(uses="database-migration", secrets=["DB"], **{"with": {"tool": tool, "url": "DB"}})
    assert gone.ended.outcome is Outcome.ERROR
    assert "is not installed" in gone.ended.sentence


# --- on a forge -------------------------------------------------------------------------------------------
def test_divergence_from_the_base_is_counted(lane: Lane) -> None:
    step = "version: 1\napp: web\npipeline: {before: [{uses: branch-divergence, id: d}]}\n"
    lane.push({".ghapp.yml": step})
    lane.push({"x": "1"}, branch="feature", look=False)
    lane.push({"y": "1"}, branch="main")
    sha = lane.push({"z": "1"}, branch="feature", look=False)
    lane.open_pull("feature")
    lane.look(sha)
    check = lane.checks(sha)["ghapp / web / before"]
    assert check["conclusion"] == "failure"
    assert check["output"]["title"].startswith("branch-divergence: 1 commits behind main")


def test_the_documentation_names_every_plugin_and_input() -> None:
    page = (Path(__file__).parents[3] / "docs" / "plugins.md").read_text()
    sections = {part.partition("\n")[0]: part for part in page.split("\n## ")[1:]}
    assert set(sections) == set(plugins.PLUGINS)
    for name, text in sections.items():
        for input_name, description in plugins.describe(plugins.load(name).inputs).items():
            assert f"| `{input_name}` |" in text, (name, input_name)
            assert description in text, (name, input_name)
