"""One person at the sandbox's forge: what a developer or approver does with git and GitHub's API, and nothing more."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from ghapp import process


class Person:
    """A user with a token. ``repository`` is ``owner/name``."""

    def __init__(self, login: str, token: str, *, api: str, forge: str, repository: str) -> None:
        self.login, self.token, self.forge, self.repository = login, token, forge, repository
        self._http = httpx.Client(
            base_url=f"{api}/repos/{repository}/",
            headers={"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"},
            timeout=30,
        )

    def close(self) -> None:
        self._http.close()

    def get(self, path: str, **params: Any) -> Any:
        return self._http.get(path, params=params).raise_for_status().json()

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        return self._http.post(path, json=dict(body)).raise_for_status().json()

    def patch(self, path: str, body: Mapping[str, Any]) -> Any:
        return self._http.patch(path, json=dict(body)).raise_for_status().json()

    def put(self, path: str, body: Mapping[str, Any]) -> Any:
        return self._http.put(path, json=dict(body)).raise_for_status().json()

    def approve(self, number: int, words: str = "") -> None:
        head = self.get(f"pulls/{number}")["head"]["sha"]
        self.post(f"pulls/{number}/reviews", {"event": "APPROVE", "body": words, "commit_id": head})

    def comment(self, number: int, words: str) -> None:
        self.post(f"issues/{number}/comments", {"body": words})

    def checks(self, commit: str) -> list[dict[str, Any]]:
        """The newest check run of each name on a commit."""
        found = self.get(f"commits/{commit}/check-runs", per_page=100)["check_runs"]
        newest: dict[str, dict[str, Any]] = {}
        for run in sorted(found, key=lambda r: int(r["id"])):
            newest[run["name"]] = run
        return list(newest.values())

    def pulls(self, base: str, state: str = "all") -> list[dict[str, Any]]:
        """Pull requests into a branch, newest first."""
        found: list[dict[str, Any]] = self.get("pulls", base=base, state=state, per_page=50)
        return sorted(found, key=lambda p: int(p["number"]), reverse=True)

    # --- git ----------------------------------------------------------------------------------------
    def start_work(self, folder: Path, template: Path) -> None:
        """Make a checkout that begins with a copy of ``template``."""
        shutil.copytree(template, folder)
        self.git(folder, "init", "--quiet", "--initial-branch=main")
        self.git(folder, "remote", "add", "origin", f"{self.forge}/{self.repository}.git")

    def push(self, folder: Path, message: str) -> str:
        """Commit everything and push it; returns the commit."""
        self.git(folder, "add", "--all")
        self.git(folder, "commit", "--quiet", "--message", message)
        self.git(folder, "push", "--quiet", "origin", "main")
        return self.git(folder, "rev-parse", "HEAD")

    def git(self, folder: Path, *arguments: str) -> str:
        basic = base64.b64encode(f"{self.login}:{self.token}".encode()).decode()
        email = f"{self.login}@users.noreply.github.com"
        env = {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"http.{self.forge}/.extraHeader",
            "GIT_CONFIG_VALUE_0": f"Authorization: Basic {basic}",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
            **{f"GIT_{role}_NAME": self.login for role in ("AUTHOR", "COMMITTER")},
            **{f"GIT_{role}_EMAIL": email for role in ("AUTHOR", "COMMITTER")},
        }
        return process.run(("git", "-C", str(folder), *arguments), env=env).text.strip()
