"""Policy files: kinds, documents, envelopes, schemas, and joining the organisation's with a repository's."""
# ruff: noqa: E501 - tables

import json

import jsonschema
import pytest

from policies.kinds import KINDS, parse_policies, parse_policy, problems_in, read_folder, schema_of
from policies.organisation import merge, strictest
from policies.policy import Origin
from policies.verdict import State, Verdict, failed, passed, pending
from policies.yamltext import load

EXAMPLES = {
    "Window": "type: blackout\ntimezone: Europe/Berlin\nweekly: {from: fri 18:00, to: mon 06:00}\nexempt: {users: [a], kinds: [rollback]}",
    "Vulnerability": "block: [critical, {severity: high, fixable: true}]\nallow: [CVE-2024-1]\nexceptions: [{id: CVE-2, reason: r, owner: o, expires: 2027-01-01}]\nscans: {max_age: 7d}",
    "RequiredPlugins": "plugins: [{plugin: gitleaks, version: '>=8', inputs: {mode: full}}]\nblock_from: 2027-01-01\nwaivers: [{repositories: [x], reason: r, owner: o, expires: 2027-01-01}]",
    "Promotion": "hotfix: {allowed: {users: [a]}, approvals: 2, pass: tag != ''}\nfilter: {fail: tag == 'x'}\ngates: [{checks: [{name: ci, app: github-actions}]}]",
    "BuildProfile": "cpu: 500m\nmemory: 4Gi\ntimeout: 30m\ntolerations: [{key: k, operator: Exists, tolerationSeconds: 3}]",
    "Approval": "policy: {approval: [ops]}\napproval_rules: [{name: ops, requires: {count: 1, teams: [a/b]}}]",
}  # fmt: skip


def test_there_is_an_example_of_every_kind():
    assert set(EXAMPLES) == set(KINDS)


@pytest.mark.parametrize("kind", EXAMPLES)
def test_each_kind_is_read_and_its_schema_agrees(kind):
    text = f"kind: {kind}\nname: an example\ndescription: why\nscope: {{environments: [prod]}}\n{EXAMPLES[kind]}\n"
    policy = parse_policy(text, "p.yml")
    assert (policy.kind, policy.name, policy.line, str(policy.scope)) == (kind, "an example", 1, "environments prod")
    schema = schema_of(kind)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(load(text).data)
    json.dumps(schema)


@pytest.mark.parametrize("kind", EXAMPLES)
def test_each_kind_refuses_an_unknown_key_as_does_its_schema(kind):
    text = f"kind: {kind}\n{EXAMPLES[kind]}\nfrobnicate: 1\n"
    problems = problems_in(text, name="p.yml")
    assert [p.line for p in problems] == [text.count("\n")]
    assert "frobnicate" in str(problems[0])
    assert list(jsonschema.Draft202012Validator(schema_of(kind)).iter_errors(load(text).data))


def test_several_documents_in_a_file_keep_their_lines():
    found = parse_policies(
        "# first\nkind: BuildProfile\n---\n# a comment\n\nkind: BuildProfile\ncpu: lots\n---\n", "p.yml"
    )
    assert [(p.name, p.line) for p in found.policies] == [("p", 2)]
    assert [str(p) for b in found.broken for p in b.problems] == [
        "p.yml:7: `cpu`: 'lots' is not a number of processors; write it like 2, 0.5 or 500m"
    ]
    assert found.broken[0].kind == "BuildProfile"


def test_a_separator_within_a_text_separates_nothing():
    text = "kind: BuildProfile\ndescription: |\n  one\n  ---\n  two\ncpu: 1\n"
    assert parse_policy(text, "p.yml").body.cpu == 1


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "---\n", "---\n# x\n---\n"])
def test_an_empty_file_is_broken_not_absent(text):
    found = parse_policies(text, "p.yml")
    assert [str(p) for b in found.broken for p in b.problems] == [
        "p.yml:1: the file holds no policy — write one, or remove the file"
    ]
    assert list(found.problems("Window"))


def test_an_approval_policy_keeps_the_language_and_its_line_numbers():
    text = "kind: Approval\nname: x\npolicy:\n  approval: [ops]\nscope:\n  environments:\n    - prod\napproval_rules:\n- name: ops\n  requires: {cuont: 1}\n"
    assert [p.line for p in problems_in(text, name="p.yml")] == [10]
    flow = problems_in("{kind: Approval, name: x, policy: {approval: []}}", name="p.yml")
    assert [str(p) for p in flow] == ["p.yml:1: several keys stand on one line — write each key on a line of its own"]


def test_a_policy_bot_file_is_read_as_such():
    assert problems_in("policy: {approval: []}", name="repo/.policy.yml") == []
    assert problems_in("", name=".policy.yml") == []
    assert problems_in("polcy: {}", name=".policy.yml")


def test_bytes_that_are_no_text():
    assert str(problems_in(b"kind: \xff\xfe", name="p.yml")[0]) == "p.yml: not UTF-8 text — save the file as UTF-8"


def test_a_folder():
    found = read_folder(
        {
            "p/b.yml": "kind: BuildProfile\nname: same\n",
            "p/a.yaml": "kind: BuildProfile\nname: same\n",
            "p/w.yml": "kind: Window\ntype: blackout\nics: x.ics\n",
            "p/x.ics": "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20260101T000000\nDTEND:20260102T000000\nEND:VEVENT\nEND:VCALENDAR",
            "p/b.test.yml": "cases: []",
            "p/README.md": "x",
        },
        Origin.ORGANISATION,
    )  # fmt: skip
    assert [p.file for p in found.policies] == ["p/a.yaml", "p/b.yml", "p/w.yml"]
    assert [str(p) for b in found.broken for p in b.problems] == [
        "p/b.yml:1: a build profile called 'same' is already at p/a.yaml:1 — give each a name of its own: `name:`"
    ]


def test_the_organisation_s_build_profile_cannot_be_replaced():
    theirs = parse_policies("kind: BuildProfile\nname: medium\ncpu: 2\n", "org.yml", origin=Origin.ORGANISATION)
    ours = parse_policies("kind: BuildProfile\nname: medium\ncpu: 64\n---\nkind: BuildProfile\nname: big\n", "repo.yml")
    both = merge(theirs, ours)
    assert [(p.name, p.origin) for p in both.of("BuildProfile")] == [("medium", "organisation"), ("big", "repository")]
    assert "the organisation has a build profile 'medium' of its own" in str(next(both.problems("BuildProfile")))


def test_of_two_origins_the_stricter_verdict_counts():
    theirs = parse_policies("kind: BuildProfile\nname: a\n", "org.yml", origin=Origin.ORGANISATION).policies
    ours = parse_policies("kind: BuildProfile\nname: b\n", "repo.yml").policies
    verdicts = {"a": pending("they wait"), "b": passed("we do not")}
    judge = lambda group: verdicts[group[0].name]  # noqa: E731
    assert strictest((*theirs, *ours), judge) == Verdict(State.PENDING, "they wait")
    verdicts["b"] = failed("we refuse")
    assert strictest((*theirs, *ours), judge) == Verdict(State.FAIL, "we refuse")
    assert strictest((), judge) is None
