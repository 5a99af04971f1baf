"""Who may approve a rule, and what else it wants: actors, the ban on authors and contributors, counts, conditions."""

from __future__ import annotations

import pytest

BOB_TOO = {"commits": [{"oid": "c1"}, {"oid": "c2", "author_login": "bob"}]}
COMMITTED_BY_CAROL = {"commits": [{"oid": "c1", "committer_login": "carol"}]}
WITH_DAVE = {"commits": [{"oid": "c1", "co_authors": ["dave"]}]}
AUTHOR_COMMITTED_NOTHING = {"commits": [{"oid": "c1", "author_login": "bob"}]}
MIXED = BOB_TOO["commits"] + [
    {"oid": "c3", "committer_login": "carol"},
    {"oid": "c4", "co_authors": ["dave"]},
]

# Who approves: alice opened the pull request and wrote commits, bob wrote one, carol committed one, dave is a
# co-author of one, erin did nothing. The options allow:
A, C, N = "allow_author", "allow_contributor", "allow_non_author_contributor"
MATRIX = [
    ([], {"erin"}),
    ([A], {"erin", "alice"}),
    ([C], {"erin", "alice", "bob", "carol", "dave"}),
    ([N], {"erin", "bob", "carol", "dave"}),
    ([A, C], {"erin", "alice", "bob", "carol", "dave"}),
    ([A, N], {"erin", "alice", "bob", "carol", "dave"}),
    ([C, N], {"erin", "alice", "bob", "carol", "dave"}),
    ([A, C, N], {"erin", "alice", "bob", "carol", "dave"}),
]


@pytest.mark.parametrize(("allowed", "may"), MATRIX)
@pytest.mark.parametrize("login", ["alice", "bob", "carol", "dave", "erin"])
def test_author_contributor_and_options(approves, allowed, may, login):
    facts = {"commits": MIXED, "reviews": [{"author": login}]}
    everybody = {"count": 1, "users": ["alice", "bob", "carol", "dave", "erin"]}
    assert approves(dict.fromkeys(allowed, True), facts, everybody) is (login in may)


@pytest.mark.parametrize(
    ("allowed", "expected"), [([], False), ([A], True), ([C], True), ([N], False), ([A, N], True), ([C, N], True)]
)
def test_an_author_who_committed_nothing_is_still_the_author(approves, allowed, expected):
    facts = AUTHOR_COMMITTED_NOTHING | {"commits": [{"oid": "c1", "author_login": "bob"}]}
    assert approves(dict.fromkeys(allowed, True), facts | {"reviews": [{"author": "alice"}]}) is expected


@pytest.mark.parametrize(
    ("requires", "by", "expected"),
    [
        ({"users": ["bob"]}, ["bob"], True),
        ({"users": ["bob"]}, ["carol"], False),
        ({"teams": ["acme/sre"]}, ["carol"], True),
        ({"teams": ["acme/sre"]}, ["dave"], False),
        ({"organizations": ["acme"]}, ["bob"], True),
        ({"organizations": ["acme"]}, ["dave"], False),
        ({"permissions": ["maintain"]}, ["dave"], True),
        ({"permissions": ["maintain"]}, ["bob"], True),
        ({"permissions": ["maintain"]}, ["carol"], False),
        ({"admins": True}, ["dave"], False),
        ({"write_collaborators": True}, ["dave"], True),
        ({"users": ["bob"], "teams": ["acme/dev"]}, ["dave"], True),  # the union of all
        ({}, ["bob"], False),  # with nobody listed, nobody qualifies
        ({"users": ["bob", "carol"], "count": 2}, ["bob"], False),
        ({"users": ["bob", "carol"], "count": 2}, ["bob", "bob"], False),  # one person, one approval
        ({"users": ["bob", "carol"], "count": 2}, ["bob", "carol"], True),
        ({"users": ["bob", "carol"], "count": 2}, ["bob", "dave"], False),
        ({"users": ["bob"], "count": 0}, [], True),
        ({"users": ["bob"], "count": -1}, [], True),
        ({"users": [""]}, [None], False),  # a deleted account is nobody
        ({"organizations": ["acme"], "permissions": ["none"]}, [None], False),
    ],
)
def test_actors_and_count(approves, requires, by, expected):
    facts = {"reviews": [{"author": login} for login in by]}
    assert approves({}, facts, {"count": 1} | requires) is expected


def test_conditions_are_wanted_besides_approvals(rule):
    written = {"requires": {"count": 1, "users": ["bob"], "conditions": {"has_labels": ["ready"]}}}
    approved = {"reviews": [{"author": "bob"}]}
    assert rule(written, {}).outcome == "pending"
    assert rule(written, approved).outcome == "pending"
    assert rule(written, {"labels": ["ready"]}).outcome == "pending"
    assert rule(written, approved | {"labels": ["ready"]}).outcome == "approved"
    alone = {"requires": {"conditions": {"has_labels": ["ready"]}}}
    assert rule(alone, {}).outcome == "pending"
    assert rule(alone, {"labels": ["ready"]}).outcome == "approved"


def test_all_conditions_are_judged_so_an_error_beside_a_failing_one_shows(rule):
    conditions = {"changed_files": {"paths": ["nope"]}, "has_author_in": {"teams": ["other/t"]}}
    assert rule({"requires": {"conditions": conditions}}, {}).outcome == "error"
    assert rule({"if": conditions}, {}).outcome == "skipped"


def test_a_team_that_cannot_be_read_matters_once_somebody_has_to_be_looked_up(rule):
    written = {"requires": {"count": 1, "users": ["bob"], "teams": ["other/t"]}}
    assert rule(written, {}).outcome == "pending"
    assert rule(written, {"reviews": [{"author": "bob"}]}).outcome == "approved"
    assert rule(written, {"reviews": [{"author": "alice"}]}).outcome == "pending"  # banned before anybody asks
    assert rule(written, {"reviews": [{"author": "dave"}]}).outcome == "error"
    assert rule(written, {"reviews": [{"author": "bob"}, {"author": "dave"}]}).outcome == "error"


def test_a_rule_without_requirements_is_approved(rule):
    assert rule({}, {}).outcome == "approved"
    assert rule({}, {}).sentence == "no approval required"


def test_a_head_that_is_gone_is_an_error_where_commits_count(rule):
    gone = {"commits": [{"oid": "c1"}], "head_sha": "c9", "reviews": [{"author": "bob"}]}
    assert rule({"requires": {"count": 1, "users": ["bob"]}}, gone).outcome == "error"
    free = {"options": {"allow_contributor": True}, "requires": {"count": 1, "users": ["bob"]}}
    assert rule(free, gone).outcome == "approved"


METHODS = [
    # what is written, what bob did, does it approve
    (None, {"comments": [{"author": "bob", "body": "fine :+1: go"}]}, True),
    (None, {"comments": [{"author": "bob", "body": "👍"}]}, True),
    (None, {"comments": [{"author": "bob", "body": "LGTM"}]}, False),
    (None, {"reviews": [{"author": "bob"}]}, True),
    (None, {"reviews": [{"author": "bob", "state": "COMMENTED", "body": ":+1:"}]}, True),
    (None, {"reviews": [{"author": "bob", "state": "COMMENTED", "body": "hm"}]}, False),
    (None, {"reviews": [{"author": "bob", "state": "DISMISSED", "body": ":+1:"}]}, False),
    ({"comments": ["LGTM"]}, {"comments": [{"author": "bob", "body": "LGTM!"}]}, True),
    ({"comments": ["LGTM"]}, {"comments": [{"author": "bob", "body": ":+1:"}]}, False),
    ({"comments": ["LGTM"]}, {"reviews": [{"author": "bob"}]}, True),  # reviews stay on
    ({"comments": []}, {"comments": [{"author": "bob", "body": ":+1:"}]}, False),
    ({"comments": None}, {"comments": [{"author": "bob", "body": ":+1:"}]}, True),
    ({"comment_patterns": ["^(?i)ship it$"]}, {"comments": [{"author": "bob", "body": "Ship it"}]}, True),
    ({"comment_patterns": ["^(?i)ship it$"]}, {"comments": [{"author": "bob", "body": ":+1:"}]}, True),
    ({"comment_patterns": ["x"]}, {"reviews": [{"author": "bob", "state": "COMMENTED", "body": "x"}]}, True),
    ({"github_review": False}, {"reviews": [{"author": "bob"}]}, False),
    ({"github_review": False}, {"comments": [{"author": "bob", "body": ":+1:"}]}, True),
    ({"github_review_comment_patterns": ["lgtm"]}, {"reviews": [{"author": "bob", "body": "lgtm"}]}, True),
    ({"github_review_comment_patterns": ["lgtm"]}, {"reviews": [{"author": "bob", "body": "ok"}]}, False),
    # A pattern turns reviews on again, and one left empty lets none through.
    (
        {"github_review": False, "github_review_comment_patterns": ["lgtm"]},
        {"reviews": [{"author": "bob", "body": "lgtm"}]},
        True,
    ),
    ({"github_review_comment_patterns": [None]}, {"reviews": [{"author": "bob", "body": "ok"}]}, False),
    ({"body_patterns": ["no-platform"]}, {"author": "bob", "body": {"text": "no-platform"}}, True),
    ({"body_patterns": ["no-platform"]}, {"author": "bob", "body": {"text": "platform"}}, False),
    ({"body_patterns": ["^$"]}, {"author": "bob", "body": None}, True),
]


@pytest.mark.parametrize(("methods", "facts", "expected"), METHODS)
def test_methods(approves, methods, facts, expected):
    options = {"allow_author": True} | ({"methods": methods} if methods is not None else {})
    assert approves(options, facts, {"count": 1, "users": ["bob"]}) is expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"comments": [{"author": "bob", "edited_at": 70}]}, False),
        ({"comments": [{"author": "bob"}]}, True),
        ({"reviews": [{"author": "bob", "edited_at": 70}]}, False),
        ({"reviews": [{"author": "bob", "state": "COMMENTED", "body": ":+1:", "edited_at": 70}]}, False),
        ({"author": "bob", "body": {"text": "ok", "edited_at": 70}}, False),
        ({"author": "bob", "body": {"text": "ok"}}, True),
        # Only a person's latest word counts: an edited one hides an earlier that was not.
        (
            {"comments": [{"author": "bob", "created_at": 60}, {"author": "bob", "created_at": 61, "edited_at": 70}]},
            False,
        ),
        (
            {"comments": [{"author": "bob", "created_at": 61}, {"author": "bob", "created_at": 60, "edited_at": 70}]},
            True,
        ),
    ],
)
def test_edited_words_can_be_ignored(approves, facts, expected):
    options = {"ignore_edited_comments": True, "allow_author": True, "methods": {"body_patterns": ["ok"]}}
    assert approves(options, facts, {"count": 1, "users": ["bob"]}) is expected
    assert approves(options | {"ignore_edited_comments": False}, facts, {"count": 1, "users": ["bob"]}) is True


@pytest.mark.parametrize(
    ("options", "commit", "expected"),
    [
        ({}, {"author_login": "bob"}, False),
        ({"ignore_commits_by": {"users": ["bob"]}}, {"author_login": "bob"}, True),
        ({"ignore_commits_by": {"users": ["bob"]}}, {"author_login": "bob", "committer_login": "dave"}, False),
        ({"ignore_commits_by": {"users": ["bob"]}}, {"author_login": "bob", "co_authors": ["dave"]}, False),
        ({"ignore_commits_by": {"users": ["bob", "dave"]}}, {"author_login": "bob", "committer_login": "dave"}, True),
        ({"ignore_commits_by": {"teams": ["acme/sre"]}}, {"author_login": "bob"}, True),
        (
            {"ignore_commits_by": {"users": ["bob"]}},
            {"author_login": "bob", "committer_login": None, "committed_via_web": True},
            True,
        ),
        ({"ignore_commits_by": {"users": ["bob"]}}, {"author_login": "bob", "committer_login": None}, True),
        ({"ignore_commits_by": {"users": ["bob"]}}, {"author_login": None, "committer_login": "bob"}, False),
        ({"ignore_commits_by": {}}, {"author_login": "bob"}, False),
    ],
)
def test_commits_of_some_can_be_ignored(approves, options, commit, expected):
    facts = {"commits": [{"oid": "c1"}, {"oid": "c2", **commit}], "reviews": [{"author": "bob"}]}
    assert approves(options, facts) is expected
