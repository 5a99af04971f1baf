"""The command line: one JSON object, exit codes, plan, and what is missing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.conformance


def ghapp(place: Any, *arguments: str, namespace: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ghapp", "agent", "--repo", str(place.repository.path), "--branch", "env/prod"]
    command += ["--kubeconfig", str(place.kubeconfig), "--namespace", namespace or place.namespace]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)


def test_once_prints_one_json_object_and_exits_by_it(place: Any) -> None:
    sha = place.repository.commit({"shop/a.yaml": [place.cm("a"), place.cm("b")]})
    done = ghapp(place, "--once", "--json", "--verify", "none", "--no-wait")
    said = json.loads(done.stdout)
    assert (done.returncode, said["ok"], said["applied_sha"], said["objects"], said["errors"]) == (0, True, sha, 2, [])
    place.repository.commit({"shop/a.yaml": "a: [1"})
    done = ghapp(place, "--once", "--json", "--verify", "none")
    said = json.loads(done.stdout)
    assert (done.returncode, said["ok"], said["applied_sha"]) == (1, False, "")
    assert set(said["errors"][0]) == {"object", "message"}


def test_without_a_key_nothing_is_applied(place: Any) -> None:
    place.repository.commit({"shop/a.yaml": place.cm("a")})
    done = ghapp(place, "--once", "--json")
    assert done.returncode == 1
    assert "no key is trusted" in json.loads(done.stdout)["errors"][0]["message"]


def test_a_plan_is_printed_for_people(place: Any) -> None:
    place.repository.commit({"shop/a.yaml": place.cm("a", {"k": "v"})})
    done = ghapp(place, "--plan", "--verify", "none")
    assert done.returncode == 0
    assert "+  k: v" in done.stdout
    assert place.get("configmaps", "a") is None
    assert ghapp(place, "--once", "--verify", "none").returncode == 0
    assert "nothing would change" in ghapp(place, "--plan", "--verify", "none").stdout


def test_what_is_missing_or_wrong_is_said(place: Any, tmp_path: Path) -> None:
    bare = subprocess.run(
        [sys.executable, "-m", "ghapp", "agent", "--once"], capture_output=True, text=True, check=False
    )
    assert bare.returncode == 2
    assert "--repo is missing" in bare.stderr
    place.repository.commit({"shop/a.yaml": place.cm("a")})
    broken = tmp_path / "kubeconfig"
    broken.write_text("a: 1\n")
    done = ghapp(place, "--once", "--json", "--verify", "none", "--kubeconfig", str(broken))
    assert done.returncode == 1
    assert "has no context named" in json.loads(done.stdout)["errors"][0]["message"]
    done = ghapp(place, "--once", "--verify", "none", "--service-account", "kube-system:admin")
    assert done.returncode == 2
    assert "of the namespace itself" in done.stderr
