"""People, organisations and teams."""

from __future__ import annotations

from typing import Any

TEAMS = "/orgs/acme/teams"


def test_people(world: Any) -> None:
    bob = world.as_user("bob")
    assert (bob.get("/user").json()["login"], bob.get("/users/ada").json()["name"]) == ("bob", "Ada")
    assert bob.get("/users/acme").json()["type"] == "Organization"
    assert bob.get("/users/nobody").status_code == 404
    assert [o["login"] for o in bob.get("/user/orgs").json()] == ["acme"]
    assert [o["login"] for o in bob.get("/users/ada/orgs").json()] == ["acme"]
    assert [i["app_slug"] for i in bob.get("/user/installations").json()["installations"]] == []
    assert world.installation.id
    assert [i["app_slug"] for i in bob.get("/user/installations").json()["installations"]] == ["robot"]
    assert bob.get(f"/user/{world.forge.user('ada').id}").json()["login"] == "ada"


def test_members(world: Any) -> None:
    ada = world.as_user("ada")
    assert ada.get("/orgs/acme").json()["login"] == "acme"
    assert ada.get("/orgs/ada").status_code == 404
    assert [u["login"] for u in ada.get("/orgs/acme/members").json()] == ["ada", "bob", "carol"]
    assert [u["login"] for u in ada.get("/orgs/acme/members", params={"role": "admin"}).json()] == ["ada"]
    assert ada.get("/orgs/acme/members/bob").status_code == 204
    assert ada.get("/orgs/acme/members/mallory").status_code == 404
    assert ada.get("/orgs/acme/memberships/bob").json()["role"] == "member"
    joined = ada.put("/orgs/acme/memberships/mallory", json={"role": "member"})
    assert (joined.status_code, joined.json()["state"]) == (200, "active")
    assert world.as_user("bob").put("/orgs/acme/memberships/bob", json={"role": "admin"}).status_code == 403
    assert ada.delete("/orgs/acme/memberships/mallory").status_code == 204
    assert ada.get("/orgs/acme/memberships/mallory").status_code == 404
    assert [i["id"] for i in ada.get("/orgs/acme/installations").json()["installations"]] == []


def test_teams(world: Any) -> None:
    ada = world.as_user("ada")
    made = ada.post(TEAMS, json={"name": "Site Reliability", "maintainers": ["bob"], "description": "x"})
    assert (made.status_code, made.json()["slug"], made.json()["members_count"]) == (201, "site-reliability", 1)
    one = f"{TEAMS}/site-reliability"
    shown = ada.get(one).json()
    assert shown["organization"]["login"] == "acme"
    assert ada.get(shown["url"]).json()["id"] == shown["id"]
    assert len(ada.get(shown["members_url"].removesuffix("{/member}")).json()) == 1
    assert ada.get("/organizations/1/team/1").status_code == 404
    assert ada.get(f"{TEAMS}/absent").status_code == 404
    assert "site-reliability" in [t["slug"] for t in ada.get(TEAMS).json()]
    assert ada.put(f"{one}/memberships/carol", json={"role": "maintainer"}).json()["role"] == "maintainer"
    assert [u["login"] for u in ada.get(f"{one}/members").json()] == ["bob", "carol"]
    assert ada.get(f"{one}/memberships/carol").json()["state"] == "active"
    assert ada.get(f"{one}/memberships/mallory").status_code == 404
    assert ada.delete(f"{one}/memberships/carol").status_code == 204
    assert ada.put(f"{one}/repos/acme/app", json={"permission": "maintain"}).status_code == 204
    assert ada.get(f"{one}/repos/acme/app").status_code == 204
    assert [r["role_name"] for r in ada.get(f"{one}/repos").json()] == ["maintain"]
    assert {t["slug"]: t["permission"] for t in ada.get("/repos/acme/app/teams").json()}[
        "site-reliability"
    ] == "maintain"
    assert [t["slug"] for t in world.as_user("bob").get("/user/teams").json()] == ["writeers", "site-reliability"]
    assert ada.delete(f"{one}/repos/acme/app").status_code == 204
    assert ada.delete(one).status_code == 204
    assert world.as_user("bob").post(TEAMS, json={"name": "x"}).status_code == 403


def test_a_team_below_belongs_to_the_one_above(world: Any) -> None:
    ada = world.as_user("ada")
    parent = ada.post(TEAMS, json={"name": "all"}).json()
    child = ada.post(TEAMS, json={"name": "some", "parent_team_id": parent["id"]}).json()
    assert child["parent"]["slug"] == "all"
    ada.put(f"{TEAMS}/some/memberships/carol", json={})
    assert [u["login"] for u in ada.get(f"{TEAMS}/all/members").json()] == ["carol"]
    assert ada.get(f"{TEAMS}/all/memberships/carol").json()["role"] == "member"
    assert [t["slug"] for t in ada.get(f"{TEAMS}/all/teams").json()] == ["some"]
    ada.put(f"{TEAMS}/all/repos/acme/app", json={"permission": "admin"})
    assert world.as_user("carol").get("/repos/acme/app").json()["permissions"]["admin"] is True


def test_a_team_with_a_permission_has_it_in_later_repositories_too(world: Any) -> None:
    world.forge.create_repository("acme", "later", private=True)
    assert world.as_user("carol").get("/repos/acme/later").json()["permissions"]["pull"] is True
    assert world.as_user("bob").get("/repos/acme/later").json()["permissions"]["push"] is True
