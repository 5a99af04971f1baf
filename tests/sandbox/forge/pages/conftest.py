"""A forge with something to look at, and a real browser to look at it with."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from ghapp.sandbox.forge.forge import Forge
from ghapp.sandbox.forge.git.objects import Signature
from ghapp.sandbox.forge.model import CheckRun, PullRequest, User
from ghapp.sandbox.forge.operations import checks, pulls, refs
from ghapp.sandbox.forge.web.call import Body


class Scene:
    """``acme/guestbook`` with an open promotion into ``env/prod``; ada administers, bob writes, carol only reads."""

    def __init__(self, forge: Forge) -> None:
        self.forge, self.state = forge, forge.state
        self.ada, self.bob, self.carol = (
            forge.create_user(login, login.title(), f"{login}@example.com") for login in ("ada", "bob", "carol")
        )
        self.acme = forge.create_org("acme", "ada")
        self.repository = forge.create_repository("acme", "guestbook")
        forge.add_collaborator(self.repository, "bob", "write")
        self.app = forge.create_app("ghapp", {"checks": "write", "contents": "write"}, owner="acme")
        forge.install(self.app, "acme")
        self.heard: list[Any] = []
        self.state.listeners.append(self.heard.append)
        self.commit("main", {"README.md": "# Guestbook\n", "deploy/app.yaml": "replicas: 1\n"}, "Begin")
        self.commit("env/prod", {"deploy/app.yaml": "replicas: 1\n"}, "Deploy")
        self.commit("promote", {"deploy/app.yaml": "replicas: 2\n<b>bold</b>\n"}, "Promote v2", start="env/prod")
        self.pull = self.open("promote", "env/prod", "Promote v2 to prod", "Takes **two** replicas.")

    def commit(
        self, branch: str, files: dict[str, str], message: str, start: str = "main", by: User | None = None
    ) -> str:
        git, user = self.repository.git, by or self.bob
        tip = git.branch(branch) or git.branch(start)
        blobs = [("100644", git.write_object("blob", text.encode()), path) for path, text in files.items()]
        who = Signature(user.name or user.login, user.email or user.noreply_email, self.state.now())
        sha = git.write_commit(git.write_tree(blobs, base=tip), (tip,) if tip else (), who, who, message)
        with self.state.lock:
            refs.move(self.state, self.repository, f"refs/heads/{branch}", sha, user)
        return sha

    def open(self, head: str, base: str, title: str, body: str = "") -> PullRequest:
        with self.state.lock:
            return pulls.open_pull(
                self.state, self.repository, self.app.bot, head=head, base=base, title=title, body=body
            )

    def check(self, name: str, **fields: Any) -> CheckRun:
        """A check run on the promotion's head."""
        with self.state.lock:
            body = Body({"name": name, "head_sha": self.pull.head_sha, **fields})
            return checks.create(self.state, self.repository, self.app, body)

    def note(self, sha: str, text: str, ref: str = "refs/notes/ghapp") -> None:
        git = self.repository.git
        tree = git.write_tree([("100644", git.write_object("blob", text.encode()), sha)])
        who = Signature("ghapp", "ghapp@example.com", self.state.now())
        git.update_ref(ref, git.write_commit(tree, (), who, who, "Note"))

    # Asking -----------------------------------------------------------------------------------------------------------

    def get(self, path: str, **options: Any) -> requests.Response:
        return requests.get(self.forge.url + path, timeout=10, **options)

    def text(self, path: str) -> str:
        """A page that is there."""
        answer = self.get(path)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:500]}"
        return answer.text

    def press(self, path: str, headers: dict[str, str] | None = None, **fields: str) -> requests.Response:
        """Send a page's form as a browser does that runs no script."""
        sent = {"Origin": self.forge.url, "Sec-Fetch-Site": "same-origin", **(headers or {})}
        return requests.post(self.forge.url + path, data=fields, headers=sent, timeout=10, allow_redirects=False)


@pytest.fixture
def scene(forge: Forge) -> Scene:
    return Scene(forge)


class Browser:
    """Headless Chromium by WebDriver's HTTP protocol: https://www.w3.org/TR/webdriver2/"""

    def __init__(self, driver: str, profile: Path) -> None:
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
        flags += ["--disable-background-networking", "--disable-component-update", "--window-size=1240,1600"]
        options = {"args": [*flags, f"--user-data-dir={profile}"], "binary": shutil.which("chromium")}
        wanted = {"capabilities": {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options}}}
        made = requests.post(f"{driver}/session", json=wanted, timeout=60).json()["value"]
        self._session = f"{driver}/session/{made['sessionId']}"

    def _call(self, method: str, path: str, **body: Any) -> Any:
        answer = requests.request(method, self._session + path, json=body if method == "POST" else None, timeout=30)
        value = answer.json()["value"]
        assert answer.ok, f"{path}: {json.dumps(value)[:500]}"
        return value

    def open(self, url: str) -> None:
        self._call("POST", "/url", url=url)

    @property
    def url(self) -> str:
        return str(self._call("GET", "/url"))

    def find(self, selector: str) -> str:
        """The id of the one element that a CSS selector finds first; fails when there is none."""
        found = self._call("POST", "/element", using="css selector", value=selector)
        return str(next(iter(found.values())))

    def click(self, selector: str) -> None:
        self._call("POST", f"/element/{self.find(selector)}/click")

    def until(self, selector: str, text: str) -> None:
        """Wait for the page that a click leads to."""
        for _ in range(200):
            try:
                if text in self.text(selector):
                    return
            except AssertionError:
                pass  # between two pages
            time.sleep(0.05)
        raise AssertionError(f"{selector} never said {text!r}")

    def type(self, selector: str, text: str) -> None:
        self._call("POST", f"/element/{self.find(selector)}/value", text=text)

    def text(self, selector: str = "main") -> str:
        """What a person reads there."""
        return str(self._call("GET", f"/element/{self.find(selector)}/text"))

    def run(self, script: str) -> Any:
        return self._call("POST", "/execute/sync", script=script, args=[])

    def screenshot(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self._call("GET", "/screenshot")))

    def close(self) -> None:
        requests.delete(self._session, timeout=30)


@pytest.fixture(scope="session")
def chromedriver() -> Iterator[str]:
    """The address of a running chromedriver."""
    if not (shutil.which("chromedriver") and shutil.which("chromium")):
        pytest.skip("Chromium and its driver are not installed")
    process = subprocess.Popen(
        ["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if port := re.search(r"started successfully on port (\d+)", line):
            break
    else:
        raise RuntimeError("chromedriver did not start")
    yield f"http://127.0.0.1:{port[1]}"
    process.terminate()
    process.wait(10)
    process.stdout.close()


@pytest.fixture
def browser(chromedriver: str) -> Iterator[Browser]:
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as profile:
        opened = Browser(chromedriver, Path(profile))
        yield opened
        opened.close()
