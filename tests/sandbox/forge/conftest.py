"""A forge for each test, clients for whoever asks it, and the published descriptions that all its answers must meet.

Every REST answer that a client here receives is checked against GitHub's OpenAPI description, and so is every webhook
that was delivered.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import jwt
import orjson
import pytest

from ghapp.sandbox.forge.forge import Forge
from ghapp.sandbox.forge.model import App, Delivery, Installation
from ghapp.sandbox.forge.web.application import API
from ghapp.sandbox.forge.web.errors import ApiError

REST, HOOKS = ("@octokit/openapi", "23.0.2"), ("@octokit/openapi-webhooks", "12.1.0")

# GitHub answers these wherever they arise, whether or not the description lists them for the endpoint.
GENERAL_ERRORS = {301, 307, 400, 401, 403, 404, 405, 409, 422, 429, 500, 502, 503}


# What GitHub sends all the same: no head repository once the fork is gone, and an event younger than that description.
UNDESCRIBED = re.compile(r"head/repo: None is not of type 'object'|.*app/events/\d+: 'merge_group' is not one of")


class Schemas:
    """JSON schemas out of an OpenAPI description, made when they are wanted: a whole one has tens of thousands."""

    def __init__(self, description: dict[str, Any]) -> None:
        self.description = description
        self._converted: dict[str, Any] = {}
        self._validators: dict[str, jsonschema.Draft7Validator] = {}

    def problems(self, key: str, schema: Any, value: Any) -> list[str]:
        """What is wrong with ``value``; ``key`` names the schema for the next time."""
        validator = self._validators.get(key)
        if validator is None:
            whole = {**self._convert(schema), "components": self._converted}
            validator = self._validators[key] = jsonschema.Draft7Validator(whole)
        causes = [jsonschema.exceptions.best_match([e]) for e in validator.iter_errors(value)]
        found = [f"{'/'.join(map(str, e.absolute_path))}: {e.message[:300]}" for e in causes if e is not None]
        return [problem for problem in found if not UNDESCRIBED.match(problem)]

    def _convert(self, schema: Any) -> Any:
        """OpenAPI's ``nullable`` as JSON schema has it; references are followed and kept."""
        if isinstance(schema, list):
            return [self._convert(item) for item in schema]
        if not isinstance(schema, dict):
            return schema
        if "$ref" in schema:
            return {"$ref": f"#/components/{self._component(schema['$ref'])}"}
        made = {name: self._convert(value) for name, value in schema.items() if name not in ("example", "examples")}
        if "oneOf" in made:
            made["anyOf"] = made.pop("oneOf")  # alternatives such as the kinds of errors overlap
        if [part.get("title") for part in made.get("allOf", ())] == ["Simple User", "Enterprise"]:
            made["anyOf"] = made.pop("allOf")  # nobody is both; elsewhere the description says it right
        if made.pop("nullable", False):
            made = {"anyOf": [made, {"type": "null"}]}
        return made

    def _component(self, reference: str) -> str:
        name = reference.rsplit("/", 1)[-1]
        if name not in self._converted:
            self._converted[name] = {}
            self._converted[name] = self._convert(self.description["components"]["schemas"][name])
        return name


class Description:
    """GitHub's description of its REST API and webhooks, against which answers and deliveries are judged."""

    def __init__(self, rest: Path, hooks: Path) -> None:
        name = Path("generated") / "api.github.com.json"
        self.rest = Schemas(orjson.loads((rest / name).read_bytes()))
        self.hooks = Schemas(orjson.loads((hooks / name).read_bytes()))
        self.paths = {_anonymous(path): methods for path, methods in self.rest.description["paths"].items()}

    def operation(self, method: str, template: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self.paths.get(_anonymous(template), {}).get(method.lower())
        return found

    def answer_problems(self, method: str, template: str, status: int, body: Any) -> list[str]:
        """What is wrong with an answer of an endpoint."""
        operation = self.operation(method, template)
        if operation is None:
            return [f"GitHub describes no {method} {template}"]
        described = operation["responses"].get(str(status))
        if described is None:
            if status not in GENERAL_ERRORS:
                return [f"GitHub describes no {status} for {method} {template}"]
            return self.rest.problems("basic-error", {"$ref": "#/components/schemas/basic-error"}, body)
        if "$ref" in described:
            described = self.rest.description["components"]["responses"][described["$ref"].rsplit("/", 1)[-1]]
        schema = described.get("content", {}).get("application/json", {}).get("schema")
        if schema is None:
            return []
        return self.rest.problems(f"{method} {template} {status}", schema, body)

    def delivery_problems(self, event: str, action: str | None, body: Any) -> list[str]:
        """What is wrong with a webhook's body."""
        name = event if action is None else f"{event}_{action}"
        if event == "repository_dispatch":
            name = "repository_dispatch_sample.collected"
        described = self.hooks.description["webhooks"].get(name.replace("_", "-"))
        if described is None:
            return [f"GitHub describes no event {event} {action}"]
        schema = described["post"]["requestBody"]["content"]["application/json"]["schema"]
        return self.hooks.problems(name, schema, body)


def _anonymous(template: str) -> str:
    return re.sub(r"\{\w+\}", "{}", template)


@pytest.fixture(scope="session")
def description(npm_package: Callable[[str, str], Path]) -> Description | None:
    """The published descriptions, or None where there is no npm to get them with."""
    return Description(npm_package(*REST), npm_package(*HOOKS)) if shutil.which("npm") else None


@pytest.fixture
def published_description(description: Description | None) -> Description:
    if description is None:
        pytest.skip("npm is not installed, so GitHub's published description cannot be fetched")
    return description


# Receiving webhooks ---------------------------------------------------------------------------------------------------


@dataclass
class Receiver:
    """An app's server: keeps what it is sent. ``status`` is what it answers, ``delay`` seconds it takes."""

    url: str = ""
    status: int = 202
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def events(self) -> list[tuple[str, str | None]]:
        """(event, action) in the order of arrival."""
        return [(h["x-github-event"], orjson.loads(body).get("action")) for h, body in self.received]

    def bodies(self, event: str, action: str | None = None) -> list[dict[str, Any]]:
        found = [(h["x-github-event"], orjson.loads(body)) for h, body in self.received]
        return [b for name, b in found if name == event and action in (None, b.get("action"))]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.received.append(({k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(kept.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    kept.url = f"http://127.0.0.1:{server.server_port}/hook"
    yield kept
    server.shutdown()
    server.server_close()


# The forge and those who ask it ---------------------------------------------------------------------------------------

EVERYTHING = {
    "actions": "read",
    "administration": "write",
    "checks": "write",
    "contents": "write",
    "deployments": "write",
    "issues": "write",
    "members": "write",
    "merge_queues": "read",
    "pull_requests": "write",
    "security_events": "write",
    "statuses": "write",
}
EVENTS = [
    "check_run",
    "check_suite",
    "create",
    "delete",
    "deployment",
    "deployment_status",
    "fork",
    "issue_comment",
    "issues",
    "member",
    "membership",
    "merge_group",
    "organization",
    "pull_request",
    "pull_request_review",
    "pull_request_review_comment",
    "push",
    "release",
    "repository",
    "repository_dispatch",
    "status",
    "team",
    "workflow_run",
]


class World:
    """``acme`` owns the private ``acme/app``; ada owns acme, bob may write, carol may read, mallory is a stranger."""

    def __init__(self, forge: Forge, description: Description | None, folder: Path) -> None:
        self.forge, self.description, self.folder = forge, description, folder
        self._clients: list[httpx.Client] = []
        for login in ("ada", "bob", "carol", "mallory"):
            forge.create_user(login, name=login.title(), email=f"{login}@example.com")
        forge.create_org("acme", admin="ada")
        self.repository = forge.create_repository("acme", "app", private=True)
        for login, permission in (("bob", "write"), ("carol", "read")):
            forge.add_member("acme", login)
            forge.create_team("acme", f"{permission}ers", [login], permission)
        self._app: tuple[App, Installation] | None = None

    # Clients ----------------------------------------------------------------------------------------------------------

    def client(self, authorization: str | None = None) -> httpx.Client:
        """A client all of whose answers are judged."""
        made = httpx.Client(
            base_url=self.forge.api_url,
            headers={"Authorization": authorization} if authorization else {},
            trust_env=False,
            verify=False,
            event_hooks={"response": [self._judge]},
        )
        self._clients.append(made)
        return made

    def as_user(self, login: str) -> httpx.Client:
        return self.client(f"token {self.forge.user_token(login)}")

    def as_app(self, app: App, **claims: Any) -> httpx.Client:
        now = int(self.forge.state.now().timestamp())
        payload = {"iat": now - 60, "exp": now + 540, "iss": str(app.id), **claims}
        return self.client(f"Bearer {jwt.encode(payload, app.private_key, 'RS256')}")

    def as_installation(self, installation: Installation, **narrowed: Any) -> httpx.Client:
        return self.client(f"Bearer {self.forge.installation_token(installation, **narrowed)}")

    @property
    def app(self) -> App:
        """An app with every permission and event, installed on all of acme."""
        return self.installed[0]

    @property
    def installation(self) -> Installation:
        return self.installed[1]

    @property
    def installed(self) -> tuple[App, Installation]:
        if self._app is None:
            app = self.forge.create_app("robot", EVERYTHING, EVENTS, webhook_secret="s3cret")
            self._app = app, self.forge.install(app, "acme")
        return self._app

    def _judge(self, response: httpx.Response) -> None:
        if self.description is None:
            return
        response.read()
        path = response.request.url.raw_path.decode().split("?")[0].removeprefix(API)
        try:
            found = self.forge.application.router.find(response.request.method, self.forge.application.by_name(path))
        except ApiError:
            return
        if found is None or response.status_code == 304:
            return
        is_json = response.headers.get("Content-Type", "").startswith("application/json")
        body = orjson.loads(response.content) if is_json and response.content else None
        if response.content and not is_json:
            return
        method, template = found[0].method, found[0].template
        problems = self.description.answer_problems(method, template, response.status_code, body)
        shown = json.dumps(body)[:1500]
        assert not problems, f"{method} {template} → {response.status_code}: {problems}\n{shown}"

    def judge_deliveries(self) -> list[Delivery]:
        """Wait for all deliveries and hold each against GitHub's description of its event."""
        assert self.forge.wait_for_deliveries()
        for delivery in self.forge.deliveries if self.description else ():
            body = orjson.loads(delivery.request_body)
            problems = self.description.delivery_problems(delivery.event, body.get("action"), body)
            assert not problems, f"{delivery.event} {delivery.action}: {problems}"
        return self.forge.deliveries

    def close(self) -> None:
        for client in self._clients:
            client.close()

    # Git --------------------------------------------------------------------------------------------------------------

    def git_url(self, token: str, full_name: str = "acme/app", user: str = "x-access-token") -> str:
        return f"{self.forge.url.replace('://', f'://{user}:{token}@')}/{full_name}.git"

    def git(self, *arguments: str, cwd: Path | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a real git client that has nobody's configuration."""
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_AUTHOR_NAME": "Bob",
            "GIT_AUTHOR_EMAIL": "bob@example.com",
            "GIT_COMMITTER_NAME": "Bob",
            "GIT_COMMITTER_EMAIL": "bob@example.com",
        }
        done = subprocess.run(["git", *arguments], cwd=cwd, env=env, capture_output=True, text=True, timeout=60)
        assert not check or done.returncode == 0, f"git {arguments}: {done.stdout}{done.stderr}"
        return done

    def clone(self, login: str = "bob", full_name: str = "acme/app") -> Path:
        """A working copy whose ``origin`` knows a token of ``login``."""
        path = Path(self.folder / f"work-{login}-{time.monotonic_ns()}")
        self.git("clone", "-q", self.git_url(self.forge.user_token(login), full_name), str(path))
        return path

    def commit(self, work: Path, files: dict[str, str | None], message: str = "Change") -> str:
        """Commit files (None deletes); returns the sha."""
        for name, text in files.items():
            file = work / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.unlink() if text is None else file.write_text(text)
        self.git("add", "-A", cwd=work)
        self.git("commit", "-q", "--allow-empty", "-m", message, cwd=work)
        return self.git("rev-parse", "HEAD", cwd=work).stdout.strip()

    def push(self, work: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self.git("push", "-q", "origin", *arguments, cwd=work, check=check)

    def seed(self, files: dict[str, str] | None = None, branch: str = "main", full_name: str = "acme/app") -> str:
        """A commit on a branch through the contents API, for tests that are not about git; its sha."""
        client = self.as_user("ada")
        sha = ""
        for path, text in (files or {"README.md": "# app\n"}).items():
            made = client.put(
                f"/repos/{full_name}/contents/{path}",
                json={"message": f"Add {path}", "content": _base64(text), "branch": branch},
            )
            assert made.status_code == 201, made.text
            sha = made.json()["commit"]["sha"]
        return sha

    def branch(self, name: str, files: dict[str, str], start: str = "main", full_name: str = "acme/app") -> str:
        """A branch off ``start`` with some files; its tip."""
        client = self.as_user("ada")
        tip = client.get(f"/repos/{full_name}/git/ref/heads/{start}").json()["object"]["sha"]
        client.post(f"/repos/{full_name}/git/refs", json={"ref": f"refs/heads/{name}", "sha": tip})
        for path, text in files.items():
            url = f"/repos/{full_name}/contents/{path}"
            old = client.get(url, params={"ref": name})
            body = {"message": f"Set {path}", "content": _base64(text), "branch": name}
            if old.status_code == 200:
                body["sha"] = old.json()["sha"]
            tip = client.put(url, json=body).json()["commit"]["sha"]
        return str(tip)

    def pull(self, head: str = "topic", base: str = "main", by: str = "bob", **fields: Any) -> dict[str, Any]:
        """A pull request from a branch, made with one file if it is new, by ``by``."""
        git = self.repository.git
        if git.branch(base) is None:
            self.seed(branch=base)
        if git.branch(head) is None:
            self.branch(head, {f"{head}.txt": "hi\n"}, start=base)
        made = self.as_user(by).post(
            "/repos/acme/app/pulls", json={"title": f"Bring {head}", "head": head, "base": base, **fields}
        )
        assert made.status_code == 201, made.text
        found: dict[str, Any] = made.json()
        return found


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.fixture
def forge(tmp_path: Path) -> Iterator[Forge]:
    with Forge(tmp_path / "forge") as running:
        yield running


@pytest.fixture
def world(forge: Forge, description: Description | None, tmp_path: Path) -> Iterator[World]:
    made = World(forge, description, tmp_path)
    yield made
    made.close()


@pytest.fixture
def heard(world: World, receiver: Receiver) -> Callable[[], Receiver]:
    """Install the app with a webhook; the returned call waits, judges all deliveries and gives what arrived."""
    assert world.app
    assert world.forge.wait_for_deliveries()
    world.app.webhook_url = receiver.url

    def arrived() -> Receiver:
        world.judge_deliveries()
        return receiver

    return arrived
