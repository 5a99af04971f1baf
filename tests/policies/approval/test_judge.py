"""Which policy applies, and what state GitHub is told."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from policies import verdict
from policies.approval.judge import State, judge

NOW = datetime(2026, 1, 2, tzinfo=UTC)
FREE = "policy: {approval: [a]}\napproval_rules: [{name: a}]"
WAITS = "policy: {approval: [a]}\napproval_rules: [{name: a, requires: {count: 1, users: [bob]}}]"
SKIPS = "policy: {approval: [a]}\napproval_rules: [{name: a, if: {has_labels: [x]}}]"
FORBIDS = "policy: {disapproval: {if: {has_labels: []}}}"


def repository(default="main", **files):
    return {"default_branch": default, "files": files}


@pytest.mark.parametrize(
    ("text", "state"),
    [
        (FREE, State.SUCCESS),
        ("", State.SUCCESS),
        (WAITS, State.PENDING),
        (FORBIDS, State.FAILURE),
        (SKIPS, State.ERROR),
        ("polcy: {}", State.ERROR),
    ],
)
def test_states(facts, text, state):
    assert judge(text, facts(), NOW).state is state


@pytest.mark.parametrize("state", ["closed", "merged"])
@pytest.mark.parametrize("text", [FREE, "not: a policy", None])
def test_only_open_pull_requests_are_judged(facts, state, text):
    judgement = judge(text, facts(state=state), NOW)
    assert (judgement.state, judgement.sentence) == (
        State.NONE,
        f"the pull request is {state}; only open ones are judged",
    )


REMOTE = "remote: acme/policies"


@pytest.mark.parametrize(
    ("text", "repositories", "state"),
    [
        (None, {}, State.NONE),
        (None, {"acme/.github": repository(main={"policy.yml": WAITS})}, State.PENDING),
        (None, {"acme/.github": repository("trunk", trunk={"policy.yml": WAITS}, main={})}, State.PENDING),
        (None, {"acme/.github": repository("trunk", main={"policy.yml": WAITS})}, State.NONE),
        (None, {"acme/.github": repository(main={".policy.yml": WAITS})}, State.NONE),
        (None, {"other/.github": repository(main={"policy.yml": WAITS})}, State.NONE),
        (None, {"acme/.github": repository(main={"policy.yml": ""})}, State.SUCCESS),
        # An empty file is a policy, and does not fall back.
        ("", {"acme/.github": repository(main={"policy.yml": WAITS})}, State.SUCCESS),
        (REMOTE, {"acme/policies": repository(main={".policy.yml": WAITS})}, State.PENDING),
        (REMOTE, {"acme/policies": repository(main={"policy.yml": WAITS})}, State.ERROR),
        (REMOTE, {"Acme/Policies": repository(main={".policy.yml": WAITS})}, State.PENDING),
        (REMOTE, {}, State.ERROR),
        (REMOTE, {"acme/policies": repository(main={".policy.yml": REMOTE})}, State.ERROR),  # one hop
        (REMOTE, {"acme/policies": repository(main={".policy.yml": ""})}, State.SUCCESS),
        (f"{REMOTE}\npath: a/b.yml", {"acme/policies": repository(main={"a/b.yml": WAITS})}, State.PENDING),
        (f"{REMOTE}\nref: v1", {"acme/policies": repository(v1={".policy.yml": WAITS}, main={})}, State.PENDING),
        (f"{REMOTE}\nref: v2", {"acme/policies": repository(main={".policy.yml": WAITS})}, State.ERROR),
        ("remote: ''", {}, State.ERROR),
        ("remote: acme", {}, State.ERROR),
        ("remote: /acme", {}, State.ERROR),
        ("remote: acme/", {}, State.ERROR),
        (
            None,
            {
                "acme/.github": repository(main={"policy.yml": REMOTE}),
                "acme/policies": repository(main={".policy.yml": WAITS}),
            },
            State.PENDING,
        ),
    ],
)
def test_where_policies_come_from(facts, text, repositories, state):
    assert judge(text, facts(repositories=repositories), NOW).state is state


def test_sentences_name_the_place(facts):
    missing = judge("remote: acme/policies\nref: v2", facts(), NOW)
    assert missing.sentence == (
        ".policy.yml points to .policy.yml in acme/policies@v2, which is not there; mend `remote`, `path` or `ref`"
    )
    remote = {"acme/policies": repository(main={".policy.yml": "polcy: {}\nx: 1"})}
    invalid = judge(REMOTE, facts(repositories=remote), NOW)
    assert invalid.sentence == (
        "the policy is invalid: acme/policies:.policy.yml:1: unknown key `polcy` — did you mean `policy`? (and 1 more)"
    )
    assert [problem.line for problem in invalid.problems] == [1, 2]


@pytest.mark.parametrize(
    ("text", "state"),
    [
        (FREE, verdict.State.PASS),
        (WAITS, verdict.State.PENDING),
        (FORBIDS, verdict.State.FAIL),
        (SKIPS, verdict.State.ERROR),
        (None, verdict.State.PASS),
    ],
)
def test_as_a_gate(facts, text, state):
    judgement = judge(text, facts(), NOW)
    assert judgement.verdict("why") == verdict.Verdict(state, judgement.sentence, "why")


def test_as_json(facts):
    told = judge(WAITS, facts(), NOW).to_json()
    sentence = "a: waiting for one of @bob (1 person can)"
    assert (told["state"], told["sentence"]) == ("pending", sentence)
    approval, disapproval = told["tree"]["children"]
    assert (disapproval["kind"], disapproval["state"]) == ("disapproval", "skipped")
    assert approval["children"] == [
        {"kind": "rule", "name": "a", "state": "pending", "sentence": "waiting for one of @bob (1 person can)"}
    ]
    assert judge(None, facts(), NOW).to_json()["tree"] is None
