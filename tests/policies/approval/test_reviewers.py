"""Whom to ask for a review."""

from __future__ import annotations

import pytest

from policies.approval.reviewers import Selection, select

TEAM = {"count": 1, "teams": ["acme/sre"]}


def wants(requires, **request):
    return {"requires": requires, "options": {"request_review": {"enabled": True, **request}}}


@pytest.fixture
def ask(judged, facts):
    def selection(rules, about, **policy):
        return select(judged(rules, about, **policy), facts(**about))

    return selection


@pytest.mark.parametrize(
    ("written", "given", "users"),
    [
        (wants(TEAM, mode="all-users"), {}, ("bob", "carol")),
        (
            wants({"count": 1, "users": ["bob", "alice", "eve"]}, mode="all-users"),
            {},
            ("bob",),
        ),  # eve is no collaborator
        (wants({"count": 1, "organizations": ["acme"]}, mode="all-users"), {}, ("bob", "carol")),
        (wants({"count": 1, "permissions": ["maintain"]}, mode="all-users"), {}, ("dave",)),  # exactly this permission
        (wants({"count": 1, "permissions": ["admin", "maintain"]}, mode="all-users"), {}, ("bob", "dave")),
        (wants({"count": 1, "teams": ["other/t"], "users": ["bob"]}, mode="all-users"), {}, ("bob",)),
        (wants({"count": 1, "users": ["eve"]}, mode="all-users"), {}, ()),
        (wants(TEAM, mode="all-users"), {"draft": True}, ()),
        (wants(TEAM, mode="all-users"), {"reviews": [{"author": "bob"}]}, ()),  # approved already
        # Not who is asked, was taken off, or has reviewed this head.
        (wants(TEAM, mode="all-users"), {"requested_reviewers": ["bob"]}, ("carol",)),
        (wants(TEAM, mode="all-users"), {"removed_reviewers": ["carol"]}, ("bob",)),
        (wants(TEAM, mode="all-users"), {"reviews": [{"author": "bob", "state": "COMMENTED"}]}, ("carol",)),
        (
            wants(TEAM, mode="all-users"),
            {"reviews": [{"author": "bob", "state": "COMMENTED", "commit_oid": "c0"}]},
            ("bob", "carol"),
        ),
        ({"requires": TEAM, "options": {"request_review": {"mode": "all-users"}}}, {}, ()),  # not enabled
        ({"requires": TEAM}, {}, ()),
    ],
)
def test_users(ask, written, given, users):
    assert ask({"r": written}, given).users == users


def test_random_users_are_the_same_for_one_pull_request_and_spread_over_many(ask):
    crowd = [f"user{i}" for i in range(20)]
    facts = {"permissions": dict.fromkeys(crowd, "write")}
    rules = {"r": wants({"count": 2, "users": crowd})}
    chosen = [ask(rules, facts | {"number": n}).users for n in range(30)]
    assert all(len(users) == 2 for users in chosen)
    assert chosen == [ask(rules, facts | {"number": n}).users for n in range(30)]
    assert len({user for users in chosen for user in users}) > 15


def test_the_number_of_random_users(ask):
    crowd = ["bob", "carol", "dave"]
    assert len(ask({"r": wants({"count": 1, "users": crowd}, count=2)}, {}).users) == 2
    assert len(ask({"r": wants({"count": 1, "users": crowd}, count=9)}, {}).users) == 3
    assert len(ask({"r": wants({"count": 1, "users": crowd})}, {}).users) == 1


def test_somebody_leaving_disturbs_no_other_choice(ask):
    crowd = [f"user{i}" for i in range(20)]
    rules = {"r": wants({"count": 3, "users": crowd})}
    everybody = dict.fromkeys(crowd, "write")
    first = ask(rules, {"permissions": everybody}).users
    others = {login: level for login, level in everybody.items() if login in first or login == "user0"}
    assert set(first) >= set(ask(rules, {"permissions": others}).users) - {"user0"}


@pytest.mark.parametrize(
    ("requires", "given", "teams"),
    [
        (TEAM, {"team_permissions": {"acme/sre": "read", "acme/dev": "write"}}, ("acme/sre",)),
        (TEAM, {"team_permissions": {"acme/dev": "write"}}, ()),  # a team without access cannot be asked
        (
            {"count": 1, "permissions": ["write"]},
            {"team_permissions": {"acme/sre": "read", "acme/dev": "write"}},
            ("acme/dev",),
        ),
        (TEAM, {"team_permissions": {"acme/sre": "read"}, "requested_reviewers": ["acme/sre"]}, ()),
        (
            TEAM,
            {
                "team_permissions": {"acme/sre": "read"},
                "reviews": [{"author": "bob", "state": "COMMENTED", "on_behalf_of": ["sre"]}],
            },
            (),
        ),
    ],
)
def test_teams(ask, requires, given, teams):
    selection = ask({"r": wants(requires, mode="teams")}, given)
    assert (selection.users, selection.teams) == ((), teams)


def test_owners_of_everything_are_not_asked_where_permissions_are_granted_here(ask):
    facts = {"team_permissions": {"acme/dev": "admin"}, "direct_permissions": {"carol": "admin"}}
    assert ask({"r": wants({"count": 1, "permissions": ["admin"]}, mode="all-users")}, facts).users == ("carol", "dave")


def test_only_waiting_rules_ask(ask):
    rules = {
        "sre": wants(TEAM, mode="all-users"),
        "dev": wants({"count": 1, "teams": ["acme/dev"]}, mode="all-users"),
        "skipped": wants({"count": 1, "users": ["bob"]}, mode="all-users") | {"if": {"has_labels": ["x"]}},
    }
    assert ask(rules, {}).users == ("bob", "carol", "dave")
    assert ask(rules, {"reviews": [{"author": "bob"}]}).users == ("dave",)
    assert ask(rules, {"reviews": [{"author": "bob"}]}, approval=[{"or": ["sre", "dev"]}]) == Selection()


def test_a_mode_that_does_not_exist_is_said(ask):
    selection = ask({"r": wants(TEAM, mode="everyone")}, {})
    assert selection.users == ()
    assert selection.problems == ("r: request_review.mode is `everyone`; write one of all-users, random-users, teams",)
