"""What policy-bot itself answered (October 2024, run on these very cases), and that we answer the same.

`pull_requests.jsonl` varies policies and pull requests; `files.jsonl` varies how a policy is written, on the facts in
its first line. Cases in which we differ on purpose are not among them; those stand in `test_better.py`.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ghapp.approvals import factsfile
from policies.approval.judge import judge

FOLDER = Path(__file__).parent / "observed"
NOW = datetime(2026, 1, 1, tzinfo=UTC)  # when it was run


def lines(name: str) -> list[dict]:
    return [json.loads(line) for line in (FOLDER / name).read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("state", ["success", "pending", "failure", "error", "none"])
def test_pull_requests(state):
    cases = [case for case in lines("pull_requests.jsonl") if case["state"] == state]
    assert cases
    for case in cases:
        judgement = judge(json.dumps(case["policy"], ensure_ascii=False), factsfile.parse(case["facts"]), NOW)
        assert judgement.state == state, (judgement.sentence, case)


@pytest.mark.parametrize("state", ["success", "pending", "failure", "error"])
def test_files(state):
    first, *cases = lines("files.jsonl")
    facts = factsfile.parse(first["facts"])
    cases = [case for case in cases if case["state"] == state]
    assert cases
    for case in cases:
        judgement = judge(case["policy"], facts, NOW)
        assert judgement.state == state, (judgement.sentence, case["policy"])
