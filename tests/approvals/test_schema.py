"""The published schemas say what the readers take."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from ghapp.approvals import factsfile
from ghapp.approvals.schema import case_schema, facts_schema, policy_schema

OBSERVED = Path(__file__).parents[1] / "policies" / "approval" / "observed" / "pull_requests.jsonl"


def cases():
    return [json.loads(line) for line in OBSERVED.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("schema", [facts_schema, policy_schema, case_schema])
def test_schemas_are_schemas(schema):
    jsonschema.Draft202012Validator.check_schema(schema())


def test_every_key_of_the_facts_file_is_described():
    assert set(facts_schema()["properties"]) == set(factsfile.KEYS)


def test_real_facts_and_policies_are_valid():
    facts = jsonschema.Draft202012Validator(facts_schema())
    policy = jsonschema.Draft202012Validator(policy_schema())
    line = jsonschema.Draft202012Validator(case_schema())
    for case in cases():
        facts.validate(case["facts"])
        policy.validate(case["policy"])
        line.validate({"id": "x", "policy": json.dumps(case["policy"]), "facts": case["facts"]})


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("", True),
        ("policy: {approval: [a]}\napproval_rules: [{name: a}]", True),
        ("policy: {approval: [{or: [a, {and: [b]}]}]}", True),
        ("remote: acme/policies\nref: main", True),
        ("polcy: {}", False),
        ("policy: {approval: [{or: []}]}", False),
        ("policy: {approval: [{nor: [a]}]}", False),
        ("approval_rules: [{name: a, requires: {count: two}}]", False),
        ("approval_rules: [{name: a, requires: {permissions: [owner]}}]", False),
        ("approval_rules: [{name: a, if: {modified_lines: {total: '5'}}}]", False),
        ("approval_rules: [{name: a, options: {request_review: {mode: everyone}}}]", False),
        ("path: x", False),
    ],
)
def test_the_schema_of_policies_tells_editors(text, valid):
    assert jsonschema.Draft202012Validator(policy_schema()).is_valid(yaml.safe_load(text)) is valid


def test_broken_facts_are_broken_for_the_schema_too():
    facts = jsonschema.Draft202012Validator(facts_schema())
    assert not facts.is_valid({"repository": "acme"})
    assert not facts.is_valid({"repository": "a/b", "commits": {}})
    assert not facts.is_valid({"repository": "a/b", "permissions": {"bob": "owner"}})
