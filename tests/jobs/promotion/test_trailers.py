"""Trailers that git itself reads back, whatever people wrote into a reason."""

from __future__ import annotations

import subprocess

import pytest

from ghapp import names
from jobs.promotion.trailers import Account, message
from policies.verdict import passed

ACCOUNT = Account(
    app="web",
    environment="prod",
    release="1a2b3c4-000000",
    source="1a2b3c4" + "0" * 33,
    images={"reg.example/web": "sha256:" + "a" * 64},
    kind="hotfix",
    gates={"upstream": passed("staging runs it"), "approval": passed("approved by ada")},
    approvers=("ada", "bob"),
    requested_by="eve",
)


def parsed(text: str) -> list[tuple[str, str]]:
    out = subprocess.run(
        ["git", "interpret-trailers", "--parse"], input=f"subject\n\n{text}", capture_output=True, text=True, check=True
    ).stdout
    return [(k, v) for k, _, v in (line.partition(": ") for line in out.splitlines())]


@pytest.mark.parametrize(
    "reason",
    [
        "plain",
        'a "quoted" one',
        "two\nlines\n\nand Ghapp-Release: forged",
        "🚀 ünï ✓",
        "\x1b[31m\u202ered",
        " ",
        "x" * 9000,
        "a: b",
    ],
)
def test_git_reads_every_trailer_back(reason: str) -> None:
    account = Account(**{**{f: getattr(ACCOUNT, f) for f in ACCOUNT.__slots__}, "reason": reason})
    found = parsed(message(account))
    assert [v for k, v in found if k == names.TRAILER_RELEASE] == ["1a2b3c4-000000"]
    assert [v for k, v in found if k == names.TRAILER_APPROVED_BY] == ["ada", "bob"]
    assert [v for k, v in found if k == names.TRAILER_IMAGE] == [f"reg.example/web@sha256:{'a' * 64}"]
    assert [v for k, v in found if k == names.TRAILER_GATE][1] == "approval: pass – approved by ada"
    assert len([v for k, v in found if k == names.TRAILER_REASON]) == 1
