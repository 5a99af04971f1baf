"""What is a command and what merely looks like one."""

from __future__ import annotations

import pytest

from jobs.commands import WORDS, Command, Target, parse, target, usage


@pytest.mark.parametrize(
    ("comment", "words"),
    [
        ("/hold", ["hold"]),
        ("/HOLD", ["hold"]),
        ("Looks good.\n/promote abc1234 to prod\n", ["promote"]),
        ("/test\r\n/hold", ["test", "hold"]),
        ("  /hold", ["hold"]),
        ("please /hold", []),
        ("`/hold`", []),
        ("``` \n/hold\n```", []),
        ("~~~\n/hold\n~~~", []),
        ("```\n/hold", []),
        ("    /hold", []),
        ("> /hold", []),
        ("> quoted\n/hold", []),
        ("- /hold", []),
        ("1. /hold", []),
        ("# /hold", []),
        ("<!-- \n/hold\n-->", []),
        ("<details>\n/hold\n</details>", []),
        ("a `code\n/hold` span", []),
        ("/etc/passwd", []),
        ("/holding", []),
        ("/hold-on", []),
        ("//hold", []),
        ("/ hold", []),
        ("", []),
        ("/hold\n" * 50, ["hold"] * 10),
    ],
)
def test_only_lines_that_a_person_meant(comment: str, words: list[str]) -> None:
    assert [c.word for c in parse(comment)] == words


def test_the_rest_of_the_line_is_kept() -> None:
    assert parse("/reject 1a2b3c4-0f0f0f breaks `login` & *more*") == [
        Command("reject", "1a2b3c4-0f0f0f breaks  login & more")
    ]


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("", Target()),
        ("prod", Target(environment="prod")),
        ("1a2b3c4-0f0f0f to prod", Target("1a2b3c4-0f0f0f", "prod")),
        ("prod to 1a2b3c4-0f0f0f because it burns", Target("1a2b3c4-0f0f0f", "prod", "because it burns")),
        ("to prod", Target(environment="prod")),
        ("1a2b3c4 to prod now", Target("1a2b3c4", "prod", "now")),
        ("v1.2.3 prod", Target("v1.2.3", "prod")),
        ("to be or not", Target(reason="to be or not")),
        ("nowhere", Target(reason="nowhere")),
        ("prod staging", Target(environment="prod", reason="staging")),
    ],
)
def test_targets(rest: str, expected: Target) -> None:
    assert target(Command("promote", rest), {"dev", "staging", "prod"}) == expected


def test_help_names_every_command() -> None:
    assert all(f"/{word}" in usage() for word in WORDS)
    assert all(line.count("|") - line.count("\\|") == 3 for line in usage().strip().splitlines())
