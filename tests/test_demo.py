"""What a newcomer runs first: `ghapp demo` and `ghapp sandbox`, and that nothing of either is left behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.slow
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc and ends children with their parent")

GHAPP = (sys.executable, "-m", "ghapp")
SHA = re.compile(r"[0-9a-f]{40}")


def elsewhere(folder: Path) -> dict[str, str]:
    """An environment whose temporary folder is ``folder``: every descendant inherits it, and can be found by it."""
    return {**os.environ, "TMPDIR": str(folder)}


def processes(folder: Path) -> dict[int, str]:
    """Process id → command line of everything that runs with a path below ``folder``, zombies apart."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            told = (entry / "cmdline").read_bytes() + b"\0" + (entry / "environ").read_bytes()
        except OSError:
            continue  # it ended while we looked
        if str(folder).encode() in told:
            found[int(entry.name)] = told.replace(b"\0", b" ").decode(errors="replace")[:200]
    return found


def gone(folder: Path, *, within: float) -> dict[int, str]:
    """What still runs after ``within`` seconds; empty as soon as nothing does."""
    until = time.monotonic() + within
    while (left := processes(folder)) and time.monotonic() < until:
        time.sleep(0.1)
    return left


# --- the demo ---------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Told:
    """A demo that has ended. ``left`` is what still ran when its process had gone."""

    status: int
    output: str
    errors: str
    left: dict[int, str]
    files: list[str]

    @property
    def result(self) -> dict[str, Any]:
        result: dict[str, Any] = json.loads(self.output)
        return result


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Told:
    folder = tmp_path_factory.mktemp("demo")
    done = subprocess.run(
        (*GHAPP, "demo", "--json"), env=elsewhere(folder), capture_output=True, text=True, timeout=400, check=False
    )
    left = processes(folder) if sys.platform == "linux" else {}
    return Told(done.returncode, done.stdout, done.stderr, left, [p.name for p in folder.iterdir()])


def test_the_demo_tells_its_whole_story_as_one_object(demo: Told) -> None:
    assert demo.status == 0, demo.errors
    result = demo.result
    assert SHA.fullmatch(result["source_commit"])
    assert result["release"].startswith(result["source_commit"][:7])
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", result["image_digest"])
    assert result["seconds"] > 0

    environments = result["environments"]
    assert [e["name"] for e in environments] == ["dev", "staging", "prod"]
    assert [e["deployment_state"] for e in environments] == ["success"] * 3
    assert all(SHA.fullmatch(e["merged_sha"]) and e["objects"] >= 3 for e in environments)
    assert len({e["pull_request"] for e in environments}) == 3

    assert result["blocked"]["check"].startswith("ghapp / guestbook / ")
    assert "aws-access-token" in result["blocked"]["reason"]

    rollback = result["rollback"]
    assert rollback["pull_request"] > max(e["pull_request"] for e in environments)
    assert rollback["release"] != result["release"]
    assert rollback["deployment_state"] == "success"


def test_the_demo_leaves_nothing_behind(demo: Told) -> None:
    assert demo.left == {}
    assert demo.files == []


# --- the sandbox ------------------------------------------------------------------------------------
@contextmanager
def sandbox(folder: Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A running ``ghapp sandbox --json`` and what it said."""
    log = folder.with_suffix(".log")
    with log.open("w") as errors:
        parent = subprocess.Popen(
            (*GHAPP, "sandbox", "--json"),
            env=elsewhere(folder),
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
    assert parent.stdout
    try:
        line = parent.stdout.readline()
        assert line, log.read_text()
        yield parent, json.loads(line)
    finally:
        parent.kill()
        parent.wait(20)
        parent.stdout.close()


@linux
def test_the_sandbox_says_where_everything_is_and_ctrl_c_ends_all_of_it(tmp_path: Path) -> None:
    folder = tmp_path / "sandbox"
    folder.mkdir()
    with sandbox(folder) as (parent, places):
        assert httpx.get(f"{places['server']}/readyz", timeout=10).json()["ready"]
        assert httpx.get(f"http://{places['registry']}/v2/", timeout=10).status_code == 200
        assert Path(places["kubeconfig"]).exists()
        for login in ("ada", "grace", "linus", "eve"):
            told = httpx.get(f"{places['api']}/user", headers={"Authorization": f"token {places['tokens'][login]}"})
            assert told.json()["login"] == login
        # The parent with the forge in it; Redis, registry, cluster, server, worker and agent.
        assert len(processes(folder)) >= 7

        parent.send_signal(signal.SIGINT)
        assert parent.wait(60) == 0
        assert parent.stdout and parent.stdout.read() == "", "one JSON object and nothing else"
        assert processes(folder) == {}
        assert list(folder.iterdir()) == []


@linux
def test_a_killed_sandbox_leaves_no_process(tmp_path: Path) -> None:
    folder = tmp_path / "sandbox"
    folder.mkdir()
    with sandbox(folder) as (parent, _):
        assert len(processes(folder)) >= 7
        parent.kill()
        parent.wait(20)
        assert gone(folder, within=40) == {}
