"""The commands about policies, run as people run them."""

import json
import subprocess
import sys
import textwrap

import jsonschema
import pytest
from click.testing import CliRunner

from ghapp.__main__ import main

WINDOWS = """
kind: Window
name: year end
type: blackout
timezone: Europe/Berlin
once: {start: 2026-12-20 18:00, end: 2027-01-02 06:00}
message: nobody is here
scope: {environments: [prod]}
---
kind: RequiredPlugins
name: secrets
plugins: [{plugin: gitleaks}]
block_from: 2027-01-01
"""
CASES = """
policies: [rules.yml]
cases:
  - name: nobody deploys at the year end
    now: 2026-12-25 12:00
    expect: {window: pending}
"""
FACTS = {"repository": "acme/guestbook", "app": "guestbook", "environment": {"name": "prod"}, "head_sha": "b" * 40}


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    folder = tmp_path / ".ghapp" / "policies"
    folder.mkdir(parents=True)
    (folder / "rules.yml").write_text(WINDOWS)
    (folder / "rules.test.yml").write_text(CASES)
    record = {"id": "1", "at": "2026-12-25T12:00:00Z", "facts": FACTS}
    (tmp_path / "facts.json").write_text(json.dumps(FACTS))
    (tmp_path / "past.jsonl").write_text(
        json.dumps(record) + "\n\n" + json.dumps({**record, "id": "2", "at": "2026-12-01"})
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ghapp(*arguments, status=0):
    done = CliRunner().invoke(main, list(arguments))
    assert done.exit_code == status, done.output
    return done.output


def test_validate(checkout):
    assert ghapp("policy", "validate") == "1 file: nothing is wrong\n"
    (checkout / ".ghapp/policies/bad.yml").write_text("kind: Window\ntype: frozen\ndaily: {from: 1:00, to: 2:00}\n")
    (checkout / ".ghapp/policies/bad.test.yml").write_text("cases: []")
    said = ghapp("policy", "validate", status=1).splitlines()
    assert said[0] == (
        ".ghapp/policies/bad.yml:2: `type`: not a value that is known — write one of 'blackout' or 'maintenance'"
    )
    assert said[1].startswith(".ghapp/policies/bad.test.yml:1: `cases`")
    found = json.loads(ghapp("policy", "validate", "--json", status=1))
    assert (found["ok"], found["files"], found["problems"][0]["line"]) == (False, 2, 2)


def test_validate_a_file_a_folder_and_what_does_not_exist(checkout):
    assert ghapp("policy", "validate", ".ghapp/policies/rules.yml", ".ghapp/policies") == "2 files: nothing is wrong\n"
    assert "nowhere does not exist" in ghapp("policy", "validate", "nowhere", status=1)
    (checkout / ".policy.yml").write_text("policy: {aproval: []}")
    assert ".policy.yml:1" in ghapp("policy", "validate", ".policy.yml", status=1)


def test_validate_a_calendar_beside_the_policy(checkout):
    folder = checkout / ".ghapp/policies"
    (folder / "holidays.yml").write_text("kind: Window\ntype: blackout\nics: holidays.ics\n")
    assert "there is no calendar 'holidays.ics'" in ghapp("policy", "validate", status=1)
    calendar = ghapp("windows", "--ics", "--policies", ".ghapp/policies/rules.yml", "--now", "2026-12-01")
    (folder / "holidays.ics").write_text(calendar)
    ghapp("policy", "validate")
    assert ghapp("windows", "--json", "--now", "2026-12-01").count('"start"') == 2


def test_cases(checkout):
    assert ghapp("policy", "test") == "✓ nobody deploys at the year end\n1 of 1 as expected\n"
    (checkout / ".ghapp/policies/rules.test.yml").write_text(CASES.replace("pending", "pass"))
    assert "window: is pending, not pass (blackout 'year end'" in ghapp("policy", "test", status=1)
    found = json.loads(ghapp("policy", "test", "--json", ".ghapp/policies/rules.test.yml", status=1))
    assert (found["ok"], found["cases"][0]["line"]) == (False, 4)
    (checkout / ".ghapp/policies/rules.test.yml").unlink()
    assert "there are no test cases" in ghapp("policy", "test", status=1)


def test_explain(checkout):
    said = ghapp("policy", "explain", "--facts", "facts.json", "--now", "2026-12-25T12:00Z", "--details")
    assert said.startswith(
        "guestbook: release → prod (promotion)\n… ready: pending (may change 2027-01-01 00:00 UTC)\n"
    )
    assert "  … window   blackout 'year end' (nobody is here) until 2 Jan 2027 06:00 Europe/Berlin" in said
    assert "Add to `.ghapp.yml`" in said
    found = json.loads(ghapp("policy", "explain", "--facts", "facts.json", "--now", "2026-12-25", "--json"))
    assert found["gates"]["window"]["until"] == "2027-01-02T05:00:00Z"
    assert "say what to explain" in ghapp("policy", "explain", status=2)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ("{", "not JSON"),
        ("", "is empty"),
        ('{"enviroment": "prod"}', "enviroment: unknown key; did you mean environment?"),
    ],
)
def test_facts_that_cannot_be_read(facts, said, checkout):
    (checkout / "facts.json").write_text(facts)
    assert said in ghapp("policy", "explain", "--facts", "facts.json", status=1)


def test_simulate(checkout):
    at = ("--facts", "facts.json", "--now", "2026-12-25T12:00Z")
    said = ghapp("policy", "simulate", *at, "--environment", "staging", "--kind", "hotfix", "--by", "alice")
    rows = {line.split()[0]: line.split()[1:3] for line in said.splitlines()[1:]}
    assert rows["window"] == ["pending", "—"]
    assert rows["bypass"] == ["—", "fail"]
    (checkout / "facts.json").write_text(
        json.dumps({**FACTS, "environment": {"name": "qa", "approvals": 1}, "permissions": {"bob": "write"}})
    )
    both = json.loads(ghapp("policy", "simulate", *at, "--approve", "bob", "--json"))
    assert [both[k]["gates"]["approval"]["state"] for k in ("before", "after")] == ["pending", "pass"]


def test_simulate_a_pull_request(checkout):
    policy = """
    policy: {approval: [one]}
    approval_rules: [{name: one, requires: {count: 1, users: [bob]}}]
    """
    (checkout / "p.yml").write_text(textwrap.dedent(policy))
    facts = {"repository": "acme/x", "number": 1, "state": "open", "author": "alice", "head_sha": "a" * 40}
    facts["commits"] = [{"oid": "a" * 40, "author_login": "alice", "committer_login": "alice", "parents": []}]
    (checkout / "pull.json").write_text(json.dumps(facts))
    at = ("--facts", "pull.json", "--policy", "p.yml", "--json")
    both = json.loads(ghapp("policy", "simulate", *at, "--approve", "bob"))
    assert (both["before"]["state"], both["after"]["state"]) == ("pending", "success")
    both = json.loads(ghapp("policy", "simulate", *at, "--comment", "bob=:+1:"))
    assert both["after"]["state"] == "success"
    assert "write LOGIN=TEXT" in ghapp("policy", "simulate", *at, "--comment", "bob", status=2)


def test_replay(checkout):
    said = ghapp("policy", "replay", "--facts", "past.jsonl", "--now", "2027-01-10")
    assert said.splitlines()[-1] == "2 promotions replayed, 1 would be decided otherwise"
    assert "2026-12-25 12:00  guestbook: release → prod  pass  pending" in said
    (checkout / "facts.json").unlink()
    found = json.loads(ghapp("policy", "replay", "--facts", ".", "--now", "2027-01-10", "--json", "--since", "20d"))
    assert (found["replayed"], found["changed"]) == (1, 1)


def test_report(checkout):
    said = ghapp("policy", "report", "--facts", "past.jsonl", "--now", "2026-12-01")
    assert "2027-01-01 00:00  acme/guestbook  guestbook  prod         plugins  gitleaks has not run" in said
    assert json.loads(ghapp("policy", "report", "--facts", "past.jsonl", "--json"))["blocked"]


def test_windows(checkout):
    said = ghapp("windows", "--next", "90d", "--now", "2026-12-01")
    assert said.splitlines()[1].startswith(
        "20 Dec 2026 18:00 Europe/Berlin (17:00 UTC)  2 Jan 2027 06:00 Europe/Berlin"
    )
    assert (
        ghapp("windows", "--now", "2026-12-01", "--environment", "staging")
        == "no window is open or opens in that time\n"
    )
    assert ghapp("windows", "--now", "2026-12-01", "--environment", "prod", "--repository", "acme/x") != ""
    found = json.loads(ghapp("windows", "--now", "2026-12-01", "--json"))
    assert (found[0]["start"], found[0]["end"]) == ("2026-12-20T17:00:00Z", "2027-01-02T05:00:00Z")
    assert "is not a duration" in ghapp("windows", "--next", "soon", status=2)
    (checkout / ".ghapp/policies/bad.yml").write_text("kind: Window\n")
    assert "bad.yml:1" in ghapp("windows", status=1)


def test_the_organisation_s_policies_are_joined(checkout):
    org = checkout / "org"
    (org / ".ghapp/policies").mkdir(parents=True)
    (org / ".ghapp/policies/w.yml").write_text(
        "kind: Window\nname: always\ntype: blackout\ndaily: {from: 00:00, to: 24:00}\n"
    )
    at = ("--facts", "facts.json", "--now", "2026-11-01", "--json", "--policies", ".")
    assert json.loads(ghapp("policy", "explain", *at))["gates"]["window"]["state"] == "pass"
    found = json.loads(ghapp("policy", "explain", *at, "--organisation", "org"))
    assert found["gates"]["window"]["state"] == "pending"


def test_no_policies_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "there is no .ghapp/policies here" in ghapp("policy", "validate", status=1)


@pytest.mark.parametrize(
    "kind", ["Window", "Approval", "Vulnerability", "RequiredPlugins", "Promotion", "BuildProfile"]
)
def test_every_kind_has_a_schema(kind):
    jsonschema.Draft202012Validator.check_schema(json.loads(ghapp("schema", kind)))


@pytest.mark.parametrize("command", ["validate", "test", "explain", "simulate", "replay", "report"])
def test_asking_for_help_imports_no_policies(command):
    script = (
        "import sys; from ghapp.__main__ import main\n"
        f"try: main(['policy', '{command}', '--help'])\n"
        "except SystemExit: pass\n"
        "assert not [m for m in sys.modules if m.startswith(('policies', 'pydantic', 'cel', 'icalendar'))], 'imported'"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
