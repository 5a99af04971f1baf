"""Secrets never leave a step: every form, every split, every overlap."""

from __future__ import annotations

import base64
import random
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.pipeline.redaction import Redactor

SECRET = "hunter2/with+special=chars & spaces"


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        quote(SECRET, safe="").replace("%2F", "%2f").replace("%2B", "%2b").replace("%3D", "%3d"),
        base64.b64encode(SECRET.encode()).decode(),
        base64.b64encode(SECRET.encode()).decode().rstrip("="),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
    ],
)
def test_every_form_is_masked(form: str) -> None:
    assert Redactor([SECRET]).text(f"before {form} after") == "before *** after"


@pytest.mark.parametrize("user", ["a", "ab", "abc", "x-access-token"])
def test_a_secret_inside_something_longer_in_base64_is_masked(user: str) -> None:
    secret = "s3cr3t-token-0123456789"
    header = base64.b64encode(f"{user}:{secret}:tail".encode()).decode()
    shown = Redactor([secret]).text(f"Basic {header}").removeprefix("Basic ")
    assert "***" in shown
    filled = shown.replace("***", "A" * (len(header) - len(shown) + 3))
    assert secret[2:-2].encode() not in base64.b64decode(filled)
    assert len(shown) < len(header) - len(secret)


def test_the_longest_wins_where_one_secret_begins_another() -> None:
    assert Redactor(["abcd", "abcdefgh"]).text("x abcdefgh y abcd z") == "x *** y *** z"


def test_duplicates_and_empty_values_are_harmless() -> None:
    assert Redactor(["", "\n", "same", "same"]).text("same thing, same day") == "*** thing, *** day"


def test_overlapping_secrets_leave_nothing_over() -> None:
    assert Redactor(["abcd", "cdef"]).text("-abcdef-") == "-***-"


def test_each_line_of_a_key_is_masked() -> None:
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n-----END KEY-----\n"
    assert "kqhkiG9w0BAQEF" not in Redactor([key]).text("only one line: kqhkiG9w0BAQEF!")


def test_what_cannot_begin_a_secret_is_not_held_back() -> None:
    stream = Redactor(["secret"]).stream()
    assert stream.feed(b"progress 10%") == b"progress 10%"
    assert stream.feed(b" se") == b" "
    assert stream.feed(b"ven") == b"seven"


def test_a_secret_that_ends_where_another_may_begin_stays_masked() -> None:
    stream = Redactor(["ab", "bba"]).stream()
    assert b"".join((stream.feed(b"ab"), stream.feed(b"b"), stream.finish())) == b"***b"


secrets = st.lists(st.text("abc", min_size=1, max_size=6), max_size=4)


@settings(max_examples=300, deadline=None)
@given(secrets, st.text("abc ", max_size=60), st.randoms(use_true_random=False))
def test_chunks_change_nothing(values: list[str], text: str, chance: random.Random) -> None:
    """However the output is cut, the result is that of the whole; and nothing of a secret is in it."""
    redactor = Redactor(values)
    stream, data, out = redactor.stream(), text.encode(), b""
    while data:
        cut = chance.randint(1, 5)
        out += stream.feed(data[:cut])
        data = data[cut:]
    out += stream.finish()
    covered = set()
    for value in values:
        at = text.find(value)
        while at >= 0:
            covered |= set(range(at, at + len(value)))
            at = text.find(value, at + 1)
    left = "".join(c for i, c in enumerate(text) if i not in covered)
    assert out.decode().replace("***", "") == left
    assert redactor.text(text).replace("***", "") == left
