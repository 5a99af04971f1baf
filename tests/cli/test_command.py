"""`ghapp promote | rollback | hold`: given on a terminal, carried out like any command in a comment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from jobs import subjects
from tests.jobs.road.conftest import Road, forge, road

__all__ = ["forge", "road"]  # fixtures


def ghapp(place: Road, *arguments: str, login: str = "linus", **env: str) -> tuple[int, Any, str]:
    """Exit status, the JSON it printed (or its text), and its errors."""
    given = {
        "PATH": os.environ["PATH"],
        "GHAPP_GITHUB_API_URL": place.forge.api_url,
        "GH_TOKEN": place.people[login].token,
        **env,
    }
    command = [sys.executable, "-m", "ghapp", *arguments, "--repo", place.full_name]
    done = subprocess.run(command, capture_output=True, text=True, env=given, timeout=60)
    try:
        return done.returncode, json.loads(done.stdout), done.stderr
    except ValueError:
        return done.returncode, done.stdout, done.stderr


def carry_out(place: Road, environment: str) -> None:
    """What the worker does when GitHub tells it of the newest comment."""
    number = place.pulls(environment, "all")[0]["number"]
    newest = place.people["ada"].get(f"issues/{number}/comments")[-1]
    place.reconcile(subjects.comment(place.id, int(newest["id"])))


def test_a_rollback_from_the_terminal(road: Road) -> None:
    first = road.release(road.push({"a": "1"}))
    road.deploy_everywhere("dev")
    road.release(road.push({"a": "2"}))
    road.deploy_everywhere("dev")
    status, said, _ = ghapp(road, "rollback", "dev", "--reason", "it burns", "--wait", "0", "--json")
    assert (status, said["command"], said["state"]) == (0, "/rollback dev it burns", "waiting")
    carry_out(road, "dev")
    assert road.runs("dev") == first.name
    assert road.view().decided("web", "dev").pin is not None


def test_a_hold_and_its_lift(road: Road) -> None:
    road.release(road.push({"a": "1"}))
    road.deploy_everywhere("dev")
    ghapp(road, "hold", "dev", "--wait", "0")
    carry_out(road, "dev")
    assert road.view().decided("web", "dev").hold is not None
    ghapp(road, "hold", "dev", "--lift", "--wait", "0")
    carry_out(road, "dev")
    assert road.view().decided("web", "dev").hold is None


def test_what_is_wrong_is_said_in_a_sentence(road: Road) -> None:
    status, _, errors = ghapp(road, "promote", "--to", "dev", "--wait", "0")
    assert status == 1 and "has no promotion to dev yet" in errors and "Traceback" not in errors
    status, _, errors = ghapp(road, "rollback", "dev", GH_TOKEN="nonsense")
    assert status == 1 and "is the token right" in errors
    status, _, errors = ghapp(road, "rollback", "dev", GHAPP_GITHUB_API_URL="http://127.0.0.1:1")
    assert status == 1 and "does not answer" in errors
    status, _, errors = ghapp(road, "rollback", "dev", GH_TOKEN="")
    assert status == 1 and "set GH_TOKEN" in errors
