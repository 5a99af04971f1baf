"""Branches and their protection as the API sets and shows it."""

from __future__ import annotations

from typing import Any

import pytest

BRANCH = "/repos/acme/app/branches/env%2Fprod"


@pytest.fixture
def ada(world: Any) -> Any:
    world.seed()
    world.branch("env/prod", {})
    return world.as_user("ada")


def test_branches_are_listed_and_shown(world: Any, ada: Any) -> None:
    world.forge.protect("acme/app", "env/*", required_checks=["ghapp / ready"])
    assert [(b["name"], b["protected"]) for b in ada.get("/repos/acme/app/branches").json()] == [
        ("env/prod", True),
        ("main", False),
    ]
    protected = ada.get("/repos/acme/app/branches", params={"protected": "true"}).json()
    assert [b["name"] for b in protected] == ["env/prod"]
    shown = ada.get(BRANCH).json()
    assert shown["protection"]["required_status_checks"]["contexts"] == ["ghapp / ready"]
    missing = ada.get("/repos/acme/app/branches/absent")
    assert (missing.status_code, missing.json()["message"]) == (404, "Branch not found")


def test_protection_is_set_shown_and_removed(world: Any, ada: Any) -> None:
    unprotected = ada.get(f"{BRANCH}/protection")
    assert (unprotected.status_code, unprotected.json()["message"]) == (404, "Branch not protected")
    body = {
        "required_status_checks": {
            "strict": True,
            "checks": [{"context": "ready", "app_id": world.app.id}, {"context": "any", "app_id": -1}],
        },
        "required_pull_request_reviews": {"required_approving_review_count": 2, "dismiss_stale_reviews": True},
        "restrictions": {"users": ["bob"], "teams": ["writeers"], "apps": ["robot"]},
        "enforce_admins": True,
        "required_linear_history": True,
    }
    made = ada.put(f"{BRANCH}/protection", json=body).json()
    assert made["required_status_checks"]["checks"] == [
        {"context": "ready", "app_id": world.app.id},
        {"context": "any", "app_id": None},
    ]
    assert made["required_pull_request_reviews"]["required_approving_review_count"] == 2
    assert [u["login"] for u in made["restrictions"]["users"]] == ["bob"]
    assert ada.get(f"{BRANCH}/protection").json()["enforce_admins"]["enabled"] is True
    assert ada.get(f"{BRANCH}/protection/required_status_checks").json()["strict"] is True
    assert ada.get(f"{BRANCH}/protection/required_status_checks/contexts").json() == ["ready", "any"]
    assert ada.get(f"{BRANCH}/protection/required_pull_request_reviews").json()["dismiss_stale_reviews"] is True
    assert [a["slug"] for a in ada.get(f"{BRANCH}/protection/restrictions").json()["apps"]] == ["robot"]
    assert ada.get(f"{BRANCH}/protection/enforce_admins").json()["enabled"] is True
    patched = ada.patch(f"{BRANCH}/protection/required_status_checks", json={"contexts": ["one"], "strict": False})
    assert (patched.json()["contexts"], patched.json()["strict"]) == (["one"], False)
    assert ada.delete(f"{BRANCH}/protection/required_status_checks").status_code == 204
    assert ada.get(f"{BRANCH}/protection/required_status_checks").status_code == 404
    assert world.as_user("bob").put(f"{BRANCH}/protection", json=body).status_code == 403
    assert ada.delete(f"{BRANCH}/protection").status_code == 204
    assert ada.get(f"{BRANCH}/protection").status_code == 404


def test_nulls_switch_parts_off(ada: Any) -> None:
    body = {
        "required_status_checks": None,
        "required_pull_request_reviews": None,
        "restrictions": None,
        "enforce_admins": None,
    }
    made = ada.put(f"{BRANCH}/protection", json=body).json()
    assert "required_status_checks" not in made
    assert made["enforce_admins"]["enabled"] is False


def test_rules_from_rulesets_are_none(ada: Any) -> None:
    assert ada.get("/repos/acme/app/rules/branches/main").json() == []
