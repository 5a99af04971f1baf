"""has_author_in, has_contributor_in, only_has_contributors_in, author_is_only_contributor."""

import pytest


def commits(*people):
    """Commits c1, c2… by (author, committer, more)."""
    made = []
    for i, (author, committer, *more) in enumerate(people, 1):
        extra = more[0] if more else {}
        made.append({"oid": f"c{i}", "author_login": author, "committer_login": committer, **extra})
    return {"commits": made}


ACTORS = [
    ({"users": ["alice"]}, True),
    ({"users": ["Alice"]}, False),  # logins are compared exactly
    ({"users": ["bob"]}, False),
    ({"teams": ["acme/sre"]}, False),
    ({"teams": ["acme/dev"], "users": ["alice"]}, True),
    ({"organizations": ["acme"]}, True),
    ({"permissions": ["read"]}, True),
    ({"permissions": ["write"]}, True),
    ({"permissions": ["maintain"]}, False),
    ({"permissions": ["admin", "triage"]}, True),  # any of them, at least
    ({"permissions": ["none"]}, True),  # any collaborator
    ({"admins": True}, False),
    ({"write_collaborators": True}, True),
    ({"write_collaborators": False}, False),
    ({}, False),
]


@pytest.mark.parametrize(("actors", "expected"), ACTORS)
def test_has_author_in(holds, actors, expected):
    assert holds("has_author_in", actors, {}) is expected


@pytest.mark.parametrize(
    ("actors", "error"),
    [
        ({"teams": ["other/team"]}, "the team other/team cannot be read; install the app on the organisation other"),
        (
            {"organizations": ["other"]},
            "the members of other cannot be read; install the app on the organisation other",
        ),
        ({"teams": ["sre"]}, "`sre` is not a team; write organisation/team"),
        ({"teams": ["acme/sre/x"]}, "`acme/sre/x` is not a team; write organisation/team"),
    ],
)
def test_what_cannot_be_read_is_an_error_when_it_has_to_be_asked(holds, actors, error):
    assert holds("has_author_in", actors, {}) == error
    assert holds("has_author_in", actors | {"users": ["alice"]}, {}) is True


def test_a_team_that_is_not_there_has_no_members(holds):
    assert holds("has_author_in", {"teams": ["acme/gone"]}, {}) is False
    assert holds("has_author_in", {"teams": ["ACME/DEV"]}, {"author": "dave"}) is True
    assert holds("has_author_in", {"organizations": ["Acme"]}, {}) is True


def test_a_deleted_author_is_nobody(holds):
    everything = {"users": ["", "alice"], "organizations": ["acme"], "permissions": ["none"]}
    assert holds("has_author_in", everything, {"author": None}) is False


BY_ALICE = commits(("alice", "alice"))
BY_BOB = commits(("alice", "alice"), ("bob", "bob"))
COMMITTED_BY_BOB = commits(("alice", "bob"))
ON_THE_WEB = commits(("alice", "web-flow", {"committed_via_web": True}))
WEB_UNKNOWN = commits(("alice", None, {"committed_via_web": True}))
NO_AUTHOR = commits((None, "alice"))
NO_COMMITTER = commits(("alice", None))
WITH_CAROL = commits(("alice", "alice", {"co_authors": ["carol"]}))
WITH_STRANGER = commits(("alice", "alice", {"co_authors": [None]}))
TRAILER = commits(("alice", "alice", {"message": "x\n\nCo-authored-by: C <1+carol@users.noreply.github.com>"}))


@pytest.mark.parametrize(
    ("facts", "users", "has_any", "only"),
    [
        (BY_ALICE, ["alice"], True, True),
        (BY_ALICE, ["bob"], False, False),
        (BY_ALICE | {"author": "dave"}, ["alice"], True, False),  # who opened it counts as well
        (BY_BOB, ["alice"], True, False),
        (BY_BOB, ["alice", "bob"], True, True),
        (COMMITTED_BY_BOB, ["bob"], True, False),
        (ON_THE_WEB, ["alice"], True, False),
        (ON_THE_WEB, ["alice", "web-flow"], True, True),
        (WEB_UNKNOWN, ["alice"], True, True),
        (NO_AUTHOR, ["alice"], True, False),
        (NO_COMMITTER, ["alice"], True, True),
        (WITH_CAROL, ["carol"], True, False),
        (WITH_CAROL, ["alice"], True, False),
        (TRAILER, ["carol"], True, False),
        (WITH_STRANGER, ["alice"], True, False),
        (BY_ALICE | {"author": None}, ["alice"], True, False),
    ],
)
def test_contributors(holds, facts, users, has_any, only):
    assert holds("has_contributor_in", {"users": users}, facts) is has_any
    assert holds("only_has_contributors_in", {"users": users}, facts) is only


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (BY_ALICE, True),
        (BY_BOB, False),
        (COMMITTED_BY_BOB, False),
        (ON_THE_WEB, True),
        (WEB_UNKNOWN, True),
        (NO_AUTHOR, False),
        (NO_COMMITTER, False),
        (WITH_CAROL, False),
        (WITH_STRANGER, False),
        (BY_ALICE | {"author": "bob"}, False),
        (commits((None, None)) | {"author": None}, False),  # two unknowns are not the same person
    ],
)
def test_author_is_only_contributor(holds, facts, expected):
    assert holds("author_is_only_contributor", True, facts) is expected
    assert holds("author_is_only_contributor", False, facts) is not expected


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("has_contributor_in", {"users": ["alice"]}),
        ("only_has_contributors_in", {"users": ["alice"]}),
        ("author_is_only_contributor", True),
    ],
)
def test_a_head_that_is_not_among_the_commits_is_an_error(holds, key, value):
    assert holds(key, value, BY_ALICE | {"head_sha": "gone"}) == (
        "head commit gone is missing, probably due to a force-push"
    )
