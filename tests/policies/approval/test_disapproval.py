"""Disapproval: by a condition, by a person, and its revocation."""

from __future__ import annotations

import pytest

REQUIRES = {"requires": {"users": ["bob", "carol"]}}


def review(login, state, minute):
    return {"author": login, "state": state, "submitted_at": minute}


def comment(login, body, minute):
    return {"author": login, "body": body, "created_at": minute}


NO = "CHANGES_REQUESTED"


@pytest.mark.parametrize(
    ("facts", "disapproved"),
    [
        ({}, False),
        ({"reviews": [review("bob", NO, 60)]}, True),
        ({"reviews": [review("dave", NO, 60)]}, False),
        ({"reviews": [review(None, NO, 60)]}, False),
        ({"comments": [comment("bob", ":-1:", 60)]}, True),
        ({"comments": [comment("bob", "no 👎", 60)]}, True),
        ({"reviews": [review("bob", "COMMENTED", 60) | {"body": ":-1:"}]}, True),
        # Revoked by oneself or by another who may; by nobody else.
        ({"reviews": [review("bob", NO, 60), review("bob", "APPROVED", 70)]}, False),
        ({"reviews": [review("bob", NO, 60), review("carol", "APPROVED", 70)]}, False),
        ({"reviews": [review("bob", NO, 60), review("dave", "APPROVED", 70)]}, True),
        ({"reviews": [review("bob", NO, 60)], "comments": [comment("carol", ":+1:", 70)]}, False),
        # The latest word counts, whoever spoke; in a tie the revocation.
        ({"reviews": [review("carol", "APPROVED", 50), review("bob", NO, 60)]}, True),
        ({"reviews": [review("bob", NO, 60), review("carol", "APPROVED", 60)]}, False),
        ({"reviews": [review("bob", NO, 60), review("carol", "APPROVED", 70), review("carol", NO, 80)]}, True),
        ({"reviews": [review("bob", NO, 60), review("bob", "DISMISSED", 70)]}, True),
        # The author and contributors may as well.
        ({"author": "bob", "reviews": [review("bob", NO, 60)]}, True),
        # A push or an edit ends no disapproval.
        ({"comments": [comment("bob", ":-1:", 60) | {"edited_at": 61}]}, True),
        ({"reviews": [review("bob", NO, 5)]}, True),
    ],
)
def test_people(judged, facts, disapproved):
    result = judged({"free": {}}, facts, disapproval=REQUIRES)
    assert (result.outcome == "disapproved") is disapproved
    assert result.outcome in ("disapproved", "approved")


@pytest.mark.parametrize("disapproval", [None, {}, {"requires": {}}, {"requires": {"users": []}}])
def test_nobody_may_unless_named(judged, disapproval):
    facts = {"reviews": [review("bob", NO, 60)]}
    assert judged({"free": {}}, facts, disapproval=disapproval).outcome == "approved"


@pytest.mark.parametrize(
    ("conditions", "disapproved"),
    [
        ({"title": {"matches": ["^fix"]}}, True),
        ({"title": {"matches": ["^BLOCKED"]}}, False),
        ({"title": {"matches": ["^BLOCKED"]}, "targets_branch": {"pattern": "main"}}, True),  # any of them
        ({"title": {"matches": ["^BLOCKED"]}, "targets_branch": {"pattern": "release"}}, False),
        ({}, False),
    ],
)
def test_conditions(judged, conditions, disapproved):
    result = judged({"free": {}}, {}, disapproval={"if": conditions})
    assert result.outcome == ("disapproved" if disapproved else "approved")


def test_a_condition_cannot_be_revoked(judged):
    facts = {"reviews": [review("bob", "APPROVED", 60)]}
    assert judged({"free": {}}, facts, disapproval={"if": {"has_labels": []}, **REQUIRES}).outcome == "disapproved"


def test_conditions_end_with_the_first_that_holds(judged):
    unreadable = {"has_author_in": {"teams": ["other/t"]}}
    first = {"if": {"targets_branch": {"pattern": "main"}, "changed_files": {"paths": ["x"]}, "title": {}}}
    assert judged({"free": {}}, {}, disapproval=first).outcome == "disapproved"
    assert judged({"free": {}}, {}, disapproval={"if": unreadable | first["if"]}).outcome == "error"
    before = {"if": unreadable | {"changed_files": {"paths": ["x"]}}}
    assert judged({"free": {}}, {"files": [{"path": "x"}]}, disapproval=before).outcome == "disapproved"


@pytest.mark.parametrize(
    ("methods", "facts", "disapproved"),
    [
        # A block that is given has no defaults.
        ({"disapprove": {}}, {"reviews": [review("bob", NO, 60)]}, False),
        ({"disapprove": {"github_review": True}}, {"reviews": [review("bob", NO, 60)]}, True),
        ({"disapprove": {"github_review": True}}, {"comments": [comment("bob", ":-1:", 60)]}, False),
        ({"disapprove": {"comments": ["nope"]}}, {"comments": [comment("bob", "nope", 60)]}, True),
        ({"disapprove": {"comment_patterns": ["^no"]}}, {"comments": [comment("bob", "nope", 60)]}, True),
        ({"disapprove": {"body_patterns": ["wip"]}}, {"author": "bob", "body": {"text": "wip"}}, True),
        ({"disapprove": {"github_review_comment_patterns": ["bad"]}}, {"reviews": [review("bob", NO, 60)]}, False),
        ({"disapprove": None}, {"reviews": [review("bob", NO, 60)]}, True),
        ({"revoke": {}}, {"reviews": [review("bob", NO, 60), review("bob", "APPROVED", 70)]}, True),
        (
            {"revoke": {"comments": ["ok now"]}},
            {"reviews": [review("bob", NO, 60)], "comments": [comment("bob", "ok now", 70)]},
            False,
        ),
    ],
)
def test_methods(judged, methods, facts, disapproved):
    disapproval = REQUIRES | {"options": {"methods": methods}}
    result = judged({"free": {}}, facts, disapproval=disapproval)
    assert (result.outcome == "disapproved") is disapproved


def test_whose_membership_cannot_be_read(judged):
    disapproval = {"requires": {"teams": ["other/t"]}}
    assert judged({"free": {}}, {}, disapproval=disapproval).outcome == "approved"
    facts = {"reviews": [review("bob", NO, 60)]}
    assert judged({"free": {}}, facts, disapproval=disapproval).outcome == "error"


def test_sentences(judged):
    def sentence(facts):
        return judged({"free": {}}, facts, disapproval=REQUIRES).children[1].sentence

    assert sentence({}) == "nobody has disapproved"
    no = [review("bob", NO, 60)]
    assert sentence({"reviews": no}) == "disapproved by @bob; any of @bob or @carol can revoke it"
    revoked = [*no, review("carol", "APPROVED", 70)]
    assert sentence({"reviews": revoked}) == "the disapproval by @bob was revoked by @carol"
