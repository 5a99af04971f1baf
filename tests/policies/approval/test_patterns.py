"""Go's regular expressions: what it takes, what it refuses, and what matches."""

from __future__ import annotations

import pytest

from policies.approval import patterns
from policies.approval.patterns import BadPattern, PatternList, any_of


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("b", "abc", True),  # unanchored
        ("^b", "abc", False),
        ("", "anything", True),
        ("", "", True),
        (r"\b(?i)domain\s*lgtm\b", "Domain LGTM", True),  # a flag in the middle
        (r"\b(?i)domain\s*lgtm\b", "Domain LGTMs", False),
        (r"^BREAKING CHANGE: (\w| )+$", "BREAKING CHANGE: all of it", True),
        ("a.c", "a\nc", False),
        ("(?s)a.c", "a\nc", True),
        ("^b$", "a\nb\nc", False),
        ("(?m)^b$", "a\nb\nc", True),
        ("b$", "b\n", False),  # the end of the text, and not the newline before it
        (r"a\z", "a", True),
        (r"\Qa.c\E", "abc", False),
        (r"\Qa.c\E", "a.c", True),
        (r"\pN", "٣", True),
        (r"\p{Greek}", "α", True),
        (r"\d", "٣", False),  # ASCII alone
        (r"\w", "é", False),
        (r"^.$", "é", True),  # letters, not bytes
        (r"^.$", "👍", True),
        ("(?i)k", "\u212a", True),  # the Kelvin sign
        ("(?P<name>a)", "a", True),
        ("(?<name>a)", "a", True),
        (r"[[:alpha:]]", "z", True),
        (r"\x{1F44D}", "👍", True),
        ("(?U)a+", "aa", True),
        ("x{0,1000}y", "y", True),
        (r"\PL{1000}", "1" * 1000, True),  # large, and yet within what Go compiles
        (r"[\Qa]", "a", None),
        ("a{,3}", "a{,3}", True),  # no repetition, plain text
    ],
)
def test_matching(pattern, text, expected):
    if expected is None:
        with pytest.raises(BadPattern):
            patterns.compile(pattern)
    else:
        assert patterns.compile(pattern).matches(text) is expected


@pytest.mark.parametrize(
    "pattern",
    [
        r"\C",
        r"a\C+",
        r"[\C]",
        "(?=a)",
        "(?!a)",
        "(?<=a)",
        r"(a)\1",
        r"\Z",
        "*a",
        "a**",
        "(a",
        "a)",
        "[a",
        "[z-a]",
        "a{1001}",
        "a{2,1}",
        "(a{100}){100}",
        r"\p{Nope}",
        r"\é",
        "(?P<名>a)",
        "(?P<1-2>a)",
        "\\",
        "\ud800",
    ],
)
def test_what_go_refuses(pattern):
    with pytest.raises(BadPattern):
        patterns.compile(pattern)


@pytest.mark.parametrize("pattern", [r"\\C", r"\Q\C\E", r"\Q(?P<名>\E", r"[(?P<名>]", r"\(?P<名>"])
def test_what_only_looks_like_it(pattern):
    patterns.compile(pattern)


@pytest.mark.parametrize(
    ("listed", "text", "expected"),
    [
        ([], "a", False),
        ([None], "a", False),
        (["a"], "a", True),
        (["b", "a"], "a", True),
        (["b", "c"], "a", False),
        ([None, "a"], "a", True),
        (["x", ""], "a", True),
    ],
)
def test_lists(listed, text, expected):
    compiled = any_of(None if p is None else patterns.compile(p) for p in listed)
    assert compiled.matches(text) is expected
    assert bool(compiled) is bool(listed)


def test_which_of_many():
    many = PatternList([patterns.compile(p) for p in ("^a", "b", "c$", "^$")])
    assert many.which("abc") == {0, 1, 2}
    assert many.which("") == {3}
    assert many.which("x") == frozenset()


def test_a_set_that_gives_up_is_asked_pattern_by_pattern():
    many = PatternList([patterns.compile("a"), patterns.compile("b")])

    class Mute:
        def Match(self, text: bytes) -> None:
            return None

    many._set = Mute()
    assert many.which("ab") == {0, 1}


def test_a_pattern_made_to_hang_does_not():
    assert patterns.compile("(a*)*b").matches("a" * 50_000) is False
