"""The demo's story: one push travels to production, a bad one is stopped, and production goes back. Decides no layout.

Everything is seen from outside, as a user would: git, GitHub's API, the cluster's API. ghapp itself is asked nothing.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ghapp import names, process
from ghapp.render.kustomize import kubectl
from ghapp.sandbox.person import Person
from ghapp.sandbox.tree import ENVIRONMENTS, REPOSITORY, Places, Sandbox
from ghapp.status import Row, read_status

EXAMPLE = Path(__file__).parents[2] / "examples" / "guestbook"
APP = REPOSITORY
# Where the image that the example is built on comes from, when no registry of the world can be reached.
BASE_IMAGE = "library/python:3.13-slim"

# A key in the form that scanners look for, put together here so that no scanner stops at this file.
LEAKED_KEY = "AKIA" + "Z5QHX2JRWN7LKD4T"

Say = Callable[[str, str], None]  # (what, detail): one line of the story


class DemoError(RuntimeError):
    """The story did not go as it should; says at which point, and what was seen instead."""


@dataclass
class Result:
    """What ``ghapp demo --json`` prints, and the table is made of. ``seconds`` by environment are from the push."""

    source_commit: str = ""
    release: str = ""
    image_digest: str = ""
    environments: list[dict[str, Any]] = field(default_factory=list)
    blocked: dict[str, str] = field(default_factory=dict)
    rollback: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        return dict(vars(self))


class Story:
    """Tells itself on a sandbox that is up."""

    def __init__(self, sandbox: Sandbox, places: Places, say: Say, *, patience: float = 90) -> None:
        self.sandbox, self.places, self.say, self.patience = sandbox, places, say, patience
        self.repository = f"{places.organisation}/{APP}"
        self.ada, self.grace = (self._person(login) for login in ("ada", "grace"))
        self.work = Path(places.folder) / "work" / APP

    def tell(self) -> Result:
        started = time.monotonic()
        result = Result()
        self._begin()
        first = self._change("First version", None)
        self.say("push", f"ada pushes {first[:7]}, the first version")
        self._road(first, why="It is the first version.")
        second = self._change("Greet in a friendlier way", ("Guestbook (", "Welcome to our guestbook ("))
        self.say("push", f"ada pushes {second[:7]}, a friendlier greeting")
        times = self._road(second, why="Reads well.")
        self._fill(result, second, times)
        self._bad_commit(result)
        self._roll_back(result, first)
        result.seconds = round(time.monotonic() - started, 1)
        return result

    # --- the steps ----------------------------------------------------------------------------------
    def _begin(self) -> None:
        from ghapp.sandbox.base_image import push_base_image

        push_base_image(self.places.registry, BASE_IMAGE)
        self.sandbox.forge.create_repository(self.places.organisation, APP)
        self.work.parent.mkdir(parents=True, exist_ok=True)
        self.ada.start_work(self.work, EXAMPLE)
        config = self.work / names.CONFIG_FILE
        image = f"{{repository: {self.places.registry}/{APP}, args: {{BASE: {self.places.registry}/{BASE_IMAGE}}}, "
        config.write_text(config.read_text().replace("{repository: registry.example.com/guestbook, ", image))
        for file in self.work.glob("deploy/base/*.yaml"):
            file.write_text(file.read_text().replace("registry.example.com/guestbook", f"{self.places.registry}/{APP}"))
        self.say("repository", f"{self.places.forge}/{self.repository}")

    def _change(self, message: str, replace: tuple[str, str] | None) -> str:
        if replace:
            for file in self.work.glob("deploy/*/kustomization.yaml"):
                file.write_text(file.read_text().replace(*replace))
            source = self.work / "guestbook.py"
            source.write_text(source.read_text().replace("Thank you", "Thank you very much"))
        return self.ada.push(self.work, message)

    def _road(self, commit: str, *, why: str) -> dict[str, float]:
        """Follow a commit to production; seconds from the push until each environment was healthy."""
        started = time.monotonic()
        self._pipeline(commit)
        seconds = {}
        for environment in ENVIRONMENTS:
            if environment == ENVIRONMENTS[-1]:
                self._approve(commit, environment, why)
            row = self._deployed(commit, environment)
            seconds[environment] = round(time.monotonic() - started, 1)
            self.say(
                environment, f"release {row.deployed.release} is healthy, {seconds[environment]:.1f} s after the push"
            )
        return seconds

    def _pipeline(self, commit: str) -> None:
        told: dict[str, str] = {}

        def done() -> bool:
            runs = [r for r in self.ada.checks(commit) if r["name"].startswith(f"ghapp / {APP} / ")]
            for run in runs:
                state = run["conclusion"] or run["status"]
                if told.get(run["name"]) != state:
                    told[run["name"]] = state
                    if run["conclusion"]:
                        self.say(run["name"], f"{state}: {run['output']['title']}")
                if run["conclusion"] not in (None, "success", "neutral", "skipped"):
                    raise DemoError(
                        f"{run['name']}: {run['conclusion']}: {run['output']['summary']}\n{run['output']['text']}"
                    )
            return len(runs) >= 3 and all(r["conclusion"] for r in runs)

        self._wait(done, f"the checks of {commit[:7]} are complete")

    def _approve(self, commit: str, environment: str, why: str) -> None:
        pull = self._waiting(commit, environment)
        ready = self._check(pull["head"]["sha"], names.CHECK_READY)
        self.say(environment, f"#{pull['number']} waits: {ready['output']['title']}")
        self.grace.approve(int(pull["number"]), why)
        self.say(environment, f"grace approves #{pull['number']}")

    def _waiting(self, commit: str, environment: str) -> dict[str, Any]:
        """The promotion's pull request once nothing but the approval is missing."""
        found: list[dict[str, Any]] = []

        def waits() -> bool:
            found[:] = [
                p for p in self.ada.pulls(names.environment_branch(environment), "open") if commit in (p["body"] or "")
            ]
            if not found:
                return False
            runs = {r["name"]: r for r in self.ada.checks(found[0]["head"]["sha"])}
            gates = [
                r for n, r in runs.items() if n.startswith(names.gate_check("")) and n != names.gate_check("approval")
            ]
            ready = runs.get(names.CHECK_READY)
            return bool(ready and gates) and all(r["conclusion"] == "success" for r in gates) and _only_one(ready)

        self._wait(waits, f"the promotion of {commit[:7]} to {environment} waits for nothing but an approval")
        return found[0]

    def _deployed(self, commit: str, environment: str) -> Row:
        found: list[Row] = []

        def healthy() -> bool:
            found[:] = [
                r for r in self._status() if r.deployed.environment == environment and r.deployed.commit == commit
            ]
            return bool(found) and self._deployment_state(environment, found[0].commit.sha) == "success"

        self._wait(healthy, f"{commit[:7]} is healthy in {environment}")
        return found[0]

    def _bad_commit(self, result: Result) -> None:
        settings = self.work / "settings.py"
        settings.write_text(f'AWS_ACCESS_KEY_ID = "{LEAKED_KEY}"\n')
        bad = self.ada.push(self.work, "Store the entries in a bucket")
        self.say("push", f"ada pushes {bad[:7]} with an access key in it")
        found: list[dict[str, Any]] = []

        def stopped() -> bool:
            found[:] = [r for r in self.ada.checks(bad) if r["conclusion"] == "failure"]
            return bool(found)

        self._wait(stopped, f"{bad[:7]} is stopped by its scan")
        title = found[0]["output"]["title"]
        result.blocked = {"check": found[0]["name"], "reason": title, "commit": bad}
        self.say("stopped", f"{found[0]['name']}: {title}")
        settings.unlink()

    def _roll_back(self, result: Result, target: str) -> None:
        production = ENVIRONMENTS[-1]
        newest = self.ada.pulls(names.environment_branch(production))[0]
        self.grace.comment(int(newest["number"]), f"/rollback {production}")
        self.say(production, f"grace writes /rollback {production} on #{newest['number']}")
        row = self._deployed(target, production)
        pull = self.ada.pulls(names.environment_branch(production))[0]
        result.rollback = {
            "pull_request": pull["number"],
            "release": row.deployed.release,
            "merged_sha": row.commit.sha,
            "deployment_state": self._deployment_state(production, row.commit.sha),
        }
        self.say(production, f"release {row.deployed.release} is back, by #{pull['number']}")

    # --- looking ------------------------------------------------------------------------------------
    def _fill(self, result: Result, commit: str, seconds: dict[str, float]) -> None:
        rows = {r.deployed.environment: r for r in self._status()}
        result.source_commit = commit
        result.release = rows[ENVIRONMENTS[-1]].deployed.release
        result.image_digest = next(iter(rows[ENVIRONMENTS[-1]].deployed.images.values()))
        for environment in ENVIRONMENTS:
            row = rows[environment]
            merged = [
                p
                for p in self.ada.pulls(names.environment_branch(environment))
                if p["merge_commit_sha"] == row.commit.sha
            ]
            result.environments.append(
                {
                    "name": environment,
                    "pull_request": merged[0]["number"],
                    "url": merged[0]["html_url"],
                    "merged_sha": row.commit.sha,
                    "deployment_state": self._deployment_state(environment, row.commit.sha),
                    "objects": self._objects(environment),
                    "approved_by": row.approvers,
                    "seconds": seconds[environment],
                }
            )

    def _status(self) -> list[Row]:
        verify = (Path(self.places.folder) / "secrets" / "verify.pem").read_bytes()
        return [r for r in read_status(f"{self.places.forge}/{self.repository}.git", [verify]) if not r.problem]

    def _deployment_state(self, environment: str, sha: str) -> str:
        found = self.ada.get("deployments", environment=environment, sha=sha)
        statuses = self.ada.get(f"deployments/{found[-1]['id']}/statuses") if found else []
        return str(statuses[0]["state"]) if statuses else ""

    def _objects(self, environment: str) -> int:
        """What the cluster holds of the app."""
        kinds = "deployments,services,configmaps"
        namespace = f"{APP}-{environment}"
        argv = (kubectl(), "--kubeconfig", self.places.kubeconfig, "--namespace", namespace, "get", kinds)
        out = process.run((*argv, "--selector", f"ghapp.dev/app={APP}", "--output", "json")).text
        return len(json.loads(out)["items"])

    def _check(self, commit: str, name: str) -> dict[str, Any]:
        return next(r for r in self.ada.checks(commit) if r["name"] == name)

    def _wait(self, ready: Callable[[], bool], what: str) -> None:
        until = time.monotonic() + self.patience
        while not ready():
            if child := self.sandbox.failed():
                raise DemoError(f"while waiting until {what}, the {child.name} ended: {child.tail()}")
            if time.monotonic() > until:
                raise DemoError(f"after {self.patience:g} s it is still not so that {what}")
            time.sleep(0.1)

    def _person(self, login: str) -> Person:
        token = self.places.tokens[login]
        return Person(login, token, api=self.places.api, forge=self.places.forge, repository=self.repository)


def _only_one(ready: dict[str, Any] | None) -> bool:
    """Whether ``ghapp / ready`` says so too: it is written after the gates."""
    return ready is not None and str(ready["output"]["title"]).startswith("1 of ")
