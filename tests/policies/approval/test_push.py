"""What a push ends: approvals bound to the head that a reviewer saw, or to the time of the push."""

from __future__ import annotations

import pytest

TWO = [{"oid": "c1", "pushed_at": 10}, {"oid": "c2", "pushed_at": 100}]
BATCH = [{"oid": "c1"}, {"oid": "c2", "pushed_at": 100}]
UNKNOWN = [{"oid": "c1", "pushed_at": 10}, {"oid": "c2"}]
MERGE = {"committed_via_web": True, "parents": ["c1", "base2"], "pushed_at": 200}
UPDATED = [{"oid": "c1", "pushed_at": 10}, {"oid": "m", **MERGE}]
UPDATED_THEN_MORE = [*UPDATED, {"oid": "c3", "pushed_at": 300}]
LOCAL_MERGE = [{"oid": "c1", "pushed_at": 10}, {"oid": "m", **MERGE, "committed_via_web": False}]
BY_BOT = [{"oid": "c1", "pushed_at": 10}, {"oid": "b", "author_login": "bot[bot]", "pushed_at": 200}]


def comment(minute):
    return {"comments": [{"author": "bob", "created_at": minute}]}


def review(oid, minute=60, **more):
    return {"reviews": [{"author": "bob", "commit_oid": oid, "submitted_at": minute, **more}]}


IGNORE_MERGES = {"ignore_update_merges": True}
IGNORE_BOT = {"ignore_commits_by": {"users": ["bot[bot]"]}}


@pytest.mark.parametrize(
    ("commits", "said", "options", "expected"),
    [
        # Comments are bound to their time, strictly after the push.
        (TWO, comment(101), {}, True),
        (TWO, comment(100), {}, False),
        (TWO, comment(99), {}, False),
        # Of commits pushed together the last has the time.
        (BATCH, comment(99), {}, False),
        (BATCH, comment(101), {}, True),
        # A push at an unknown time is now.
        (UNKNOWN, comment(101), {}, False),
        # Reviews are bound to the head their writer saw.
        (TWO, review("c2", 101), {}, True),
        (TWO, review("c2", 100), {}, True),  # within the second of the push: it names the head
        (UNKNOWN, review("c2"), {}, True),
        (TWO, review("c1", 50), {}, False),
        (TWO, review("c1", 101), {}, False),  # begun before the push, sent after it
        (TWO, review("gone", 101), {}, False),  # of a head that a force-push took away
        (TWO, review(None, 101), {}, False),
        (TWO, review("c1", 101, state="COMMENTED", body=":+1:"), {}, False),
        (TWO, review("c2", 101, state="COMMENTED", body=":+1:"), {}, True),
        # Update merges can be ignored; so can commits of some.
        (UPDATED, review("c1"), {}, False),
        (UPDATED, review("c1"), IGNORE_MERGES, True),
        (UPDATED, review("m", 201), IGNORE_MERGES, True),
        (UPDATED, comment(60), {}, False),
        (UPDATED, comment(60), IGNORE_MERGES, True),
        (UPDATED, comment(10), IGNORE_MERGES, False),
        (UPDATED_THEN_MORE, review("m", 201), IGNORE_MERGES, False),
        (UPDATED_THEN_MORE, review("c3", 301), IGNORE_MERGES, True),
        (LOCAL_MERGE, review("c1"), IGNORE_MERGES, False),
        (BY_BOT, review("c1"), {}, False),
        (BY_BOT, review("c1"), IGNORE_BOT, True),
        (BY_BOT, comment(60), IGNORE_BOT, True),
        # Nothing counts, so nothing ends.
        (BY_BOT[1:], review("gone"), IGNORE_BOT, True),
    ],
)
def test_invalidate_on_push(approves, commits, said, options, expected):
    facts = {"commits": commits, **said}
    assert approves({"invalidate_on_push": True, **options}, facts) is expected
    assert approves(options, facts) is True  # without the option nothing ends


SIDE = [
    {"oid": "c1", "pushed_at": 10},
    {"oid": "s1", "author_login": "dave", "parents": ["base"], "pushed_at": 150},
    {"oid": "m", "parents": ["c1", "s1"], "committed_via_web": True, "pushed_at": 200},
]


def test_a_side_branch_merged_in_on_the_web_is_no_update_merge(approves):
    options = {"invalidate_on_push": True, "ignore_update_merges": True}
    assert approves(options, {"commits": SIDE, **review("c1", 60)}) is False
    assert approves(options, {"commits": SIDE, **review("m", 201)}) is True


def test_a_side_branch_that_a_bot_merges_in_ends_what_was_said_before(approves):
    merged_by_bot = [SIDE[0], SIDE[1], SIDE[2] | {"author_login": "bot[bot]"}]
    options = {"invalidate_on_push": True, **IGNORE_BOT}
    assert approves(options, {"commits": merged_by_bot, **comment(120)}) is False
    assert approves(options, {"commits": merged_by_bot, **comment(160)}) is True
    assert approves(options, {"commits": merged_by_bot, **review("c1", 160)}) is False


def test_commits_that_go_in_circles_end(approves):
    circle = [{"oid": "c1", "parents": ["c2"]}, {"oid": "c2", "parents": ["c1"]}]
    assert approves({"invalidate_on_push": True}, {"commits": circle, **comment(60)}) is False


def test_what_ended_is_said(rule):
    written = {"options": {"invalidate_on_push": True}, "requires": {"count": 1, "teams": ["acme/sre"]}}
    facts = {"commits": [{"oid": "1a2b3c4d", "pushed_at": 10}, {"oid": "5e6f7a8b", "pushed_at": 100}]}
    assert rule(written, facts | review("1a2b3c4d", 50)).sentence == (
        "waiting for one of @acme/sre (2 people can); @bob's approval was for 1a2b3c4 and no longer counts"
    )
    assert rule(written, facts | comment(50)).sentence == (
        "waiting for one of @acme/sre (2 people can); "
        "@bob's approval came before the push of 5e6f7a8 and no longer counts"
    )
