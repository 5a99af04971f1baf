"""The facts file: what it becomes, and how a broken one is refused."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ghapp.approvals.factsfile import BadFacts, parse
from policies.approval.facts import NEVER, Body, CheckRun, Commit, Signature

LEAST = {"repository": "acme/web"}
T = "2026-01-01T12:00:00Z"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_what_is_not_there_does_not_exist():
    facts = parse(LEAST)
    assert (facts.owner, facts.state, facts.author, facts.commits, facts.permissions) == ("acme", "open", None, (), {})
    assert facts.created_at == NEVER
    assert facts.body == Body("", None, NEVER)


def test_null_is_nothing_everywhere():
    nothing = dict.fromkeys(["author", "body", "labels", "commits", "files", "permissions", "org_members", "title"])
    assert parse(LEAST | nothing) == parse(LEAST)


def test_a_body_is_by_the_author_unless_it_says_otherwise():
    pull = LEAST | {"author": "alice", "created_at": T}
    assert parse(pull).body == Body("", "alice", NOON)
    assert parse(pull | {"body": {"text": "hi"}}).body == Body("hi", "alice", NOON)
    assert parse(pull | {"body": {"text": "hi", "author": None}}).body == Body("hi", None, NOON)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-01T12:00:00Z", NOON),
        ("2026-01-01T13:00:00+01:00", NOON),
        ("2026-01-01T12:00:00.000Z", NOON),
        ("2026-01-01T12:00:00", NOON),
    ],
)
def test_times(text, moment):
    assert parse(LEAST | {"created_at": text}).created_at == moment


@pytest.mark.parametrize(
    ("commit", "others"),
    [
        ({}, ()),
        ({"message": "x\n\nCo-authored-by: Bob <7+bob@users.noreply.github.com>"}, ("bob",)),
        (
            {"message": "x\n\nCo-Authored-By: Bot <1+b[bot]@users.noreply.github.com>\nco-authored-by: E <e@x>"},
            ("b[bot]", None),
        ),
        ({"message": "x\n\nCo-authored-by: Bob <bob@x>", "co_authors": ["bob"]}, ("bob",)),
        ({"message": "x\n\nCo-authored-by: Bob <bob@x>", "co_authors": None}, (None,)),
        ({"message": "no trailer: <bob@users.noreply.github.com>"}, ()),
    ],
)
def test_co_authors(commit, others):
    assert parse(LEAST | {"commits": [{"oid": "c", **commit}]}).commits == (Commit("c", co_authors=others),)


@pytest.mark.parametrize(
    ("written", "kind"),
    [("GpgSignature", "GpgSignature"), ("gpg", "GpgSignature"), ("ssh", "SshSignature"), ("odd", "odd")],
)
def test_kinds_of_signatures(written, kind):
    commit = {"oid": "c", "signature": {"valid": True, "signer": "a", "key_id": None, "type": written}}
    assert parse(LEAST | {"commits": [commit]}).commits[0].signature == Signature(True, "a", "", kind)


def test_a_running_check_has_no_conclusion():
    run = {"name": "ci", "conclusion": None, "status": "in_progress", "app_id": 1, "started_at": T}
    assert parse(LEAST | {"check_runs": [run]}).check_runs == (CheckRun("ci", ""),)


def test_keys_of_a_newer_version_are_let_through():
    assert parse(LEAST | {"merge_queue": {}}) == parse(LEAST)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "the facts are null; write one JSON object"),
        ([], "the facts are a list; write one JSON object"),
        ({}, "repository is ''; write owner/name"),
        ({"repository": "acme"}, "repository is 'acme'; write owner/name"),
        (LEAST | {"state": "half-open"}, "state is 'half-open'; write one of open, closed, merged"),
        (LEAST | {"fils": []}, "there is no key 'fils'; did you mean 'files'?"),
        (LEAST | {"commit": []}, "there is no key 'commit'; did you mean 'commits'?"),
        (LEAST | {"commits": {}}, "commits is an object; write a list"),
        (LEAST | {"commits": [None]}, "commits[0] is null; write an object"),
        (LEAST | {"commits": [{"oid": 5}]}, "commits[0].oid is 5; write text"),
        (LEAST | {"commits": [{"parents": ["a", None]}]}, "commits[0].parents is null; write a list of texts"),
        (
            LEAST | {"commits": [{"author_login": ["a"]}]},
            "commits[0].author_login is a list; write a login, or null for an account that is gone",
        ),
        (LEAST | {"commits": [{"signature": "x"}]}, "commits[0].signature is 'x'; write an object or null"),
        (LEAST | {"commits": [{"committed_via_web": 1}]}, "commits[0].committed_via_web is 1; write true or false"),
        (LEAST | {"files": [{"path": "a"}, {"additions": "5"}]}, "files[1].additions is '5'; write a whole number"),
        (LEAST | {"files": [{"additions": True}]}, "files[0].additions is true or false; write a whole number"),
        (
            LEAST | {"reviews": [{"submitted_at": "yesterday"}]},
            "reviews[0].submitted_at is 'yesterday'; write a time such as 2026-01-31T12:00:00Z",
        ),
        (LEAST | {"created_at": 5}, "created_at is 5; write a time such as 2026-01-31T12:00:00Z"),
        (
            LEAST | {"permissions": {"bob": "owner"}},
            "permissions.bob is 'owner'; write one of read, triage, write, maintain, admin",
        ),
        (LEAST | {"permissions": []}, "permissions is a list; write an object"),
        (LEAST | {"org_members": {"acme": "bob"}}, "org_members.acme is 'bob'; write a list of texts"),
        (LEAST | {"body": "text"}, "body is 'text'; write an object"),
        (
            LEAST | {"repositories": {"a/b": {"files": {"main": {"x": 1}}}}},
            "repositories.a/b.files.main.x is 1; write text",
        ),
    ],
)
def test_what_is_refused(data, message):
    with pytest.raises(BadFacts) as refused:
        parse(data)
    assert str(refused.value) == message
