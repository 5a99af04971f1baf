"""An app as itself: JWTs, installations, tokens that are narrowed, expire, are revoked and suspended."""

from __future__ import annotations

from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa


def test_an_app_finds_itself_and_where_it_is_installed(world: Any) -> None:
    client = world.as_app(world.app)
    assert client.get("/app").json()["slug"] == "robot"
    listed = client.get("/app/installations").json()
    assert [(i["id"], i["account"]["login"], i["repository_selection"]) for i in listed] == [
        (world.installation.id, "acme", "all")
    ]
    for path in ("/repos/acme/app/installation", "/orgs/acme/installation"):
        assert client.get(path).json()["id"] == world.installation.id
    assert client.get("/users/bob/installation").status_code == 404
    assert client.get(f"/app/installations/{world.installation.id}").status_code == 200
    assert client.get("/apps/robot").json()["id"] == world.app.id


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"exp": 1}, "must be a numeric value representing the future time"),
        ({"exp": 9_999_999_999}, "too far in the future"),
        ({"iat": 9_999_999_999}, "'Issued at' claim"),
        ({"iss": "424242"}, "'Issuer' claim"),
    ],
)
def test_a_jwt_with_wrong_claims_is_refused(world: Any, claims: dict[str, Any], words: str) -> None:
    answer = world.as_app(world.app, **claims).get("/app")
    assert answer.status_code == 401
    assert words in answer.json()["message"]


def test_a_jwt_by_another_key_or_algorithm_is_refused(world: Any) -> None:
    now = int(world.forge.state.now().timestamp())
    claims = {"iat": now, "exp": now + 60, "iss": str(world.app.id)}
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    for forged in (jwt.encode(claims, other, "RS256"), jwt.encode(claims, "s" * 32, "HS256"), "a.b.c"):
        assert world.client(f"Bearer {forged}").get("/app").status_code == 401


def test_a_client_id_is_an_issuer_too(world: Any) -> None:
    assert world.as_app(world.app, iss=world.app.client_id).get("/app").status_code == 200


def test_a_token_works_until_it_expires(world: Any) -> None:
    answer = world.as_app(world.app).post(f"/app/installations/{world.installation.id}/access_tokens")
    assert answer.status_code == 201
    client = world.client(f"Bearer {answer.json()['token']}")
    assert client.get("/repos/acme/app").status_code == 200
    world.forge.advance(3599)
    assert client.get("/repos/acme/app").status_code == 200
    world.forge.advance(2)
    assert client.get("/repos/acme/app").status_code == 401


def test_a_token_can_be_narrowed_but_not_widened(world: Any) -> None:
    world.forge.create_repository("acme", "other", private=True)
    narrow = world.forge.create_app("narrow", {"contents": "read"})
    installation = world.forge.install(narrow, "acme")
    tokens = f"/app/installations/{installation.id}/access_tokens"
    client = world.as_app(narrow)
    answer = client.post(tokens, json={"repositories": ["app"], "permissions": {"contents": "read"}}).json()
    assert [r["full_name"] for r in answer["repositories"]] == ["acme/app"]
    narrowed = world.client(f"Bearer {answer['token']}")
    assert narrowed.get("/repos/acme/app").status_code == 200
    assert narrowed.get("/repos/acme/other").status_code == 404
    assert narrowed.get("/installation/repositories").json()["total_count"] == 1
    by_id = client.post(tokens, json={"repository_ids": [world.repository.id]}).json()
    assert [r["id"] for r in by_id["repositories"]] == [world.repository.id]
    for wider in ({"contents": "write"}, {"checks": "read"}, {"contents": "admin"}):
        assert client.post(tokens, json={"permissions": wider}).status_code == 422
    assert client.post(tokens, json={"repositories": ["absent"]}).status_code == 422


def test_a_revoked_token_is_worthless(world: Any) -> None:
    client = world.as_installation(world.installation)
    assert client.delete("/installation/token").status_code == 204
    assert client.get("/repos/acme/app").status_code == 401


def test_a_suspended_installation_is_locked_out_until_it_is_not(world: Any) -> None:
    itself, client = world.as_app(world.app), world.as_installation(world.installation)
    path = f"/app/installations/{world.installation.id}"
    assert itself.put(f"{path}/suspended").status_code == 204
    assert itself.get(path).json()["suspended_at"] is not None
    assert client.get("/repos/acme/app").status_code == 403
    assert itself.post(f"{path}/access_tokens").status_code == 403
    assert itself.delete(f"{path}/suspended").status_code == 204
    assert client.get("/repos/acme/app").status_code == 200


def test_an_uninstalled_app_is_gone(world: Any) -> None:
    itself, client = world.as_app(world.app), world.as_installation(world.installation)
    assert itself.delete(f"/app/installations/{world.installation.id}").status_code == 204
    assert client.get("/repos/acme/app").status_code == 401
    assert itself.get("/repos/acme/app/installation").status_code == 404


def test_only_selected_repositories_are_seen(world: Any) -> None:
    world.forge.create_repository("acme", "other", private=True)
    app = world.forge.create_app("picky", {"contents": "read"})
    installation = world.forge.install(app, "acme", ["app"])
    client = world.as_installation(installation)
    assert [r["name"] for r in client.get("/installation/repositories").json()["repositories"]] == ["app"]
    assert client.get("/repos/acme/other").status_code == 404
    assert world.as_app(app).get("/repos/acme/other/installation").status_code == 404


def test_one_app_does_not_see_anothers_installations(world: Any) -> None:
    other = world.forge.create_app("other", {"contents": "read"})
    client = world.as_app(other)
    assert client.get(f"/app/installations/{world.installation.id}").status_code == 404
    assert client.get("/app/installations").json() == []


def test_kinds_of_credentials_are_not_interchangeable(world: Any) -> None:
    assert world.as_user("ada").get("/app").status_code == 401
    assert world.as_installation(world.installation).get("/app").status_code == 401
    assert world.as_app(world.app).get("/repos/acme/app").status_code == 401
    assert world.as_user("ada").get("/installation/repositories").status_code == 403
    assert world.as_installation(world.installation).get("/user").status_code == 403


def test_the_hook_can_be_looked_at_and_changed(world: Any) -> None:
    client = world.as_app(world.app)
    assert client.get("/app/hook/config").json()["url"] == ""
    changed = client.patch("/app/hook/config", json={"url": "http://127.0.0.1:9/x", "secret": "new"}).json()
    assert changed["url"] == "http://127.0.0.1:9/x"
    assert changed["secret"] == "********"
    assert world.app.webhook_secret == "new"
