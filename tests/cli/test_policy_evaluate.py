"""`ghapp policy evaluate`, as a person and as a program calls it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from ghapp.cli.policy import COMMANDS, policy

FACTS = {
    "repository": "acme/web",
    "head_sha": "c1",
    "author": "alice",
    "commits": [
        {"oid": "c1", "author_login": "alice", "committer_login": "alice", "pushed_at": "2026-01-01T10:00:00Z"}
    ],
    "comments": [{"author": "bob", "body": ":+1:", "created_at": "2026-01-01T11:00:00Z"}],
}
RULE = "policy: {approval: [a]}\napproval_rules: [{name: a, requires: {count: 1, users: [bob]}}]"
CAROL = RULE.replace("bob", "carol")
UNKNOWN_PUSH = RULE.replace("requires", "options: {invalidate_on_push: true}, requires")


@pytest.fixture
def run(tmp_path):
    def call(*arguments, stdin=None, **files):
        for name, text in files.items():
            (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        named = [str(tmp_path / a) if a in files else a for a in arguments]
        return CliRunner().invoke(policy, ["evaluate", *named], input=stdin)

    return call


def test_a_person_reads_a_tree(run):
    result = run("--policy", "p", "--facts", "f", p=CAROL, f=json.dumps(FACTS))
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        "… pending: a: waiting for one of @carol (1 person can); @bob's approval does not count: @bob is not @carol",
        "  … approval: all of",
        "    … a: waiting for one of @carol (1 person can); @bob's approval does not count: @bob is not @carol",
        "      ⊘ @bob's approval does not count: @bob is not @carol",
        "  ⊘ disapproval: nobody is named who may disapprove",
    ]


def test_a_program_reads_json(run):
    told = json.loads(run("--policy", "p", "--facts", "f", "--json", p=RULE, f=json.dumps(FACTS)).stdout)
    assert (told["state"], told["sentence"]) == ("success", "a: approved by @bob"[3:])
    assert told["tree"]["children"][0]["children"][0]["approved_by"] == ["bob"]


def test_facts_may_come_from_standard_input(run):
    assert "✓ success" in run("--policy", "p", "--facts", "-", p=RULE, stdin=json.dumps(FACTS)).output


def test_without_a_policy_the_shared_one_is_looked_for(run):
    shared = {"acme/.github": {"default_branch": "main", "files": {"main": {"policy.yml": RULE}}}}
    assert "⊘ none" in run("--facts", "f", f=json.dumps(FACTS)).output
    assert "✓ success" in run("--facts", "f", f=json.dumps(FACTS | {"repositories": shared})).output


@pytest.mark.parametrize(("now", "state"), [("2026-01-01T10:30:00Z", "success"), ("2026-01-02T00:00:00Z", "pending")])
def test_now_stands_in_for_an_unknown_push(run, now, state):
    facts = FACTS | {"commits": [{"oid": "c1", "author_login": "alice", "committer_login": "alice"}]}
    told = run("--policy", "p", "--facts", "f", "--json", "--now", now, p=UNKNOWN_PUSH, f=json.dumps(facts))
    assert json.loads(told.stdout)["state"] == state


def test_a_check_in_ci_can_fail(run):
    files = {"f": json.dumps(FACTS)}
    assert run("--policy", "p", "--facts", "f", "--check", p=RULE, **files).exit_code == 0
    assert run("--policy", "p", "--facts", "f", "--check", p=CAROL, **files).exit_code == 1


@pytest.mark.parametrize(
    ("policy_text", "facts", "sentence"),
    [
        ("polcy: {}", json.dumps(FACTS), "the policy is invalid: .policy.yml:1: unknown key `polcy`"),
        (b"\xff\xfe\x00", json.dumps(FACTS), "the policy is not UTF-8 text; save it as UTF-8"),
        (RULE, "{", "the facts cannot be read: "),
        (RULE, "[]", "the facts cannot be read: the facts are a list; write one JSON object"),
        (RULE, "[" * 100_000, "the facts cannot be read: "),
        (RULE, b"\xff", "the facts cannot be read: "),
        ("[" * 100_000, json.dumps(FACTS), "the policy is invalid: .policy.yml:1: "),
        ("x: " * 2000, json.dumps(FACTS), "the policy is invalid: .policy.yml:1: "),
        ("# " + "x" * 1_000_001, json.dumps(FACTS), "the policy is invalid: .policy.yml: larger than"),
    ],
)
def test_what_cannot_be_read_is_an_error_and_never_a_pass(run, policy_text, facts, sentence):
    result = run("--policy", "p", "--facts", "f", "--json", p=policy_text, f=facts)
    told = json.loads(result.stdout)
    assert (result.exit_code, told["state"], told["tree"]) == (0, "error", None)
    assert told["sentence"].startswith(sentence)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "say what to judge: --facts FILE, or --batch FILE"),
        (["--facts", "/nowhere"], "/nowhere: No such file or directory"),
        (["--batch", "-", "--facts", "-"], "--batch brings policies and facts with it"),
        (["--facts", "-", "--now", "noon"], "'noon' is not a time"),
    ],
)
def test_wrong_use_is_told(run, arguments, message):
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.output


def line(name, policy_text, facts=None):
    return json.dumps({"id": name, "policy": policy_text, "facts": FACTS if facts is None else facts})


def test_a_batch_answers_line_by_line_and_survives_bad_lines(run):
    lines = [
        line("ok", RULE),
        line("waiting", CAROL),
        "{not json",
        line("no policy", None),
        line("bad facts", RULE, {"repository": 5}),
        line("bad policy", "a: ["),
        json.dumps({"id": 7, "policy": 5, "facts": FACTS}),
        "[]",
        "",
        line("deep", RULE, FACTS | {"extra": json.loads("[" * 200 + "]" * 200)}),
        line("closed", RULE, FACTS | {"state": "merged"}),
        '{"id": "\\ud83d", "policy": "\\ud83d", "facts": {"repository": "a/b"}}',
        line("half a letter", 'policy: {approval: ["\ud83d"]}'),
        line("ok again", RULE),
    ]
    result = run("--batch", "-", stdin="\n".join(lines))
    answers = [json.loads(answer) for answer in result.stdout.splitlines()]
    assert [(a["id"], a["state"]) for a in answers] == [
        ("ok", "success"),
        ("waiting", "pending"),
        (None, "error"),
        ("no policy", "none"),
        ("bad facts", "error"),
        ("bad policy", "error"),
        (7, "error"),
        (None, "error"),
        ("deep", "success"),
        ("closed", "none"),
        ("?", "error"),
        ("half a letter", "error"),
        ("ok again", "success"),
    ]
    assert all(a["sentence"] for a in answers)
    assert answers[2]["sentence"].startswith("line 3 cannot be judged: ")
    assert all(set(a) == {"id", "state", "sentence"} for a in answers)


def test_a_batch_file_and_its_check(run):
    assert run("--batch", "b", "--check", b=line("a", RULE)).exit_code == 0
    assert run("--batch", "b", "--check", b=line("a", RULE) + "\n" + line("b", CAROL)).exit_code == 1


def test_the_schema_command():
    told = json.loads(CliRunner().invoke(policy, ["schema", "facts"]).stdout)
    assert told["title"] == "Facts of a pull request"


@pytest.mark.parametrize("name", ["evaluate", "schema", "facts"])
def test_help_of_every_command(name):
    result = CliRunner().invoke(policy, [name, "--help"])
    assert result.exit_code == 0
    assert name in COMMANDS
    assert COMMANDS[name][2] in CliRunner().invoke(policy, ["--help"]).output.replace("\n", " ")


def test_asking_for_help_imports_no_regular_expressions_and_no_models():
    code = (
        "import sys; from click.testing import CliRunner; from ghapp.cli.policy import policy;"
        "CliRunner().invoke(policy, ['evaluate', '--help']);"
        "print([m for m in ('re2', 'pydantic', 'yaml', 'policies.approval.parse') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "[]\n"
