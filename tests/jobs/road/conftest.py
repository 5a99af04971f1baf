"""A whole road without workers: a forge, a repository, and reconciles run one after the other until all is quiet.

What an agent would report is reported by :meth:`Road.report`; what a pipeline would release, by :meth:`Road.release`.
The clock is the test's own.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ghapp import names
from ghapp.evidence import notes
from ghapp.evidence.keys import signer
from ghapp.evidence.release import Release
from ghapp.evidence.statement import Statement
from ghapp.git import Commit
from ghapp.github.app import GitHubApp
from ghapp.sandbox.forge.forge import Forge
from ghapp.sandbox.person import Person
from ghapp.settings import Settings, load
from jobs import subjects
from jobs.mirrors import mirror
from jobs.promotion.view import View, look
from jobs.reconcile import Context, reconciler
from jobs.subjects import Subject

ROOT = Path(__file__).parents[3]
MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {replicas: 1, template: {spec: {containers: [{name: web, image: reg.example/web}]}}}
"""
CONFIG = """\
version: 1
app: web
deploy:
  environments:
    - {name: dev, render: {plain: deploy}}
    - {name: staging, render: {plain: deploy}, after: [dev]}
    - {name: prod, render: {plain: deploy}, after: [staging], approvals: 1}
"""


class Wishes:
    """The queue as far as reconciles use it: what they wish to be looked at, and when."""

    def __init__(self) -> None:
        self.wanted: dict[Subject, None] = {}

    def enqueue(self, subject: Subject, **_: Any) -> None:
        self.wanted[subject] = None


@dataclass
class Road:
    """``now`` keeps up with the forge, and jumps when a test moves it; ``again`` is when a subject asked for a look."""

    forge: Forge
    settings: Settings
    github: GitHubApp
    people: dict[str, Person]
    full_name: str
    work: Path
    id: int
    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    wishes: Wishes = field(default_factory=Wishes)
    again: dict[Subject, datetime] = field(default_factory=dict)

    # --- what people do -----------------------------------------------------------------------------
    def push(self, files: dict[str, str | None], *, by: str = "ada", message: str = "change") -> str:
        """Commit to main (``None`` removes a file) and push."""
        for path, text in files.items():
            file = self.work / path
            if text is None:
                file.unlink()
            else:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
        return self.people[by].push(self.work, message)

    def say(self, environment: str, words: str, *, by: str = "linus") -> None:
        """Comment on the newest promotion of an environment, and have the comment looked at."""
        number = self.pulls(environment, "all")[0]["number"]
        made = self.people[by].post(f"issues/{number}/comments", {"body": words})
        self.reconcile(subjects.comment(self.id, int(made["id"])))

    def approve(self, environment: str, *, by: str = "grace") -> None:
        (pull,) = self.pulls(environment, "open")
        self.people[by].approve(pull["number"], "fine")

    # --- what pipelines and agents do ---------------------------------------------------------------
    def release(self, commit: str, digest: str = "", app: str = "web") -> Release:
        client = self.github.for_repository(self.id)
        git = mirror(self.settings.mirrors, client)
        image = {f"reg.example/{app}": digest or "sha256:" + commit[:8] * 8}
        made = Release(app, commit, self.now, image, ref="refs/heads/main")
        notes.append(git, commit, [made.statement()], signer(self.settings), self.now)
        return made

    def scan(self, commit: str, findings: list[dict[str, Any]], app: str = "web") -> None:
        """Evidence of a scan of the source, as a pipeline writes it."""
        predicate = {
            "app": app,
            "stage": "after",
            "plugin": "trivy",
            "version": "1.0.0",
            "scanner": "trivy",
            "target": "repository",
            "result": "success",
            "at": self.now.isoformat(),
            "findings": findings,
        }
        git = mirror(self.settings.mirrors, self.github.for_repository(self.id))
        statement = Statement(names.PREDICATE_SCAN, commit, predicate)
        notes.append(git, commit, [statement], signer(self.settings), self.now)

    def report(self, environment: str, state: str = "success", *, app: str = "web", words: str = "") -> None:
        """What the agent says about what is deployed now."""
        placed = self.view().deployed(app, environment)
        assert placed
        client = self.github.for_repository(self.id)
        found = client.get("deployments", environment=environment, sha=placed.commit.sha, task=f"deploy:{app}")
        client.post(f"deployments/{found[0]['id']}/statuses", {"state": state, "description": words})

    # --- reconciles ---------------------------------------------------------------------------------
    def reconcile(self, *wanted: Subject, most: int = 60) -> None:
        """Reconcile these (or every environment), and whatever they wish for, until nothing is wished for any more."""
        view = self.view()
        every = [
            subjects.environment(self.id, name, e.name)
            for name, file in view.apps.items()
            for e in file.app.deploy.environments
        ]
        for subject in wanted or every:
            self.wishes.enqueue(subject)
        for _ in range(most):
            if not self.wishes.wanted:
                return
            subject = next(iter(self.wishes.wanted))
            del self.wishes.wanted[subject]
            self.once(subject)
        raise AssertionError(f"still not quiet after {most} reconciles: {list(self.wishes.wanted)}")

    def once(self, subject: Subject) -> None:
        again = reconciler(subject.kind)(subject, self.context())
        self.again.pop(subject, None)
        if again and again.at <= self.now:
            self.wishes.enqueue(subject)
        elif again:
            self.again[subject] = again.at

    def context(self) -> Context:
        # The forge has a clock of its own; ours may be ahead of it, never behind.
        self.now = max(self.now, datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1))
        return Context(self.settings, self.github, self.wishes, self.now, self.settings.data_dir)  # type: ignore[arg-type]

    def deploy_everywhere(self, *environments: str) -> None:
        """Reconcile, and report each environment healthy as it is reached."""
        for environment in environments:
            self.reconcile()
            self.report(environment)
        self.reconcile()

    # --- looking ------------------------------------------------------------------------------------
    def view(self) -> View:
        return look(self.context(), self.id)

    def pulls(self, environment: str, state: str = "open", app: str = "web") -> list[dict[str, Any]]:
        found = self.people["ada"].pulls(names.environment_branch(environment), state)
        return [p for p in found if p["head"]["ref"] == names.promotion_branch(environment, app)]

    def runs(self, environment: str, app: str = "web") -> str | None:
        """The release that an environment runs."""
        placed = self.view().deployed(app, environment)
        return placed.deployment.release if placed else None

    def log(self, environment: str) -> list[Commit]:
        view = self.view()
        return view.git.commits("--first-parent", view.heads[names.environment_branch(environment)])

    def checks(self, environment: str) -> dict[str, dict[str, Any]]:
        (pull,) = self.pulls(environment)
        return {run["name"]: run for run in self.people["ada"].checks(pull["head"]["sha"])}

    def ready(self, environment: str) -> str:
        """The sentence of ``ghapp / ready``."""
        return str(self.checks(environment)[names.CHECK_READY]["output"]["title"])


@pytest.fixture(scope="session")
def forge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forge]:
    with Forge(tmp_path_factory.mktemp("forge")) as running:
        manifest = yaml.safe_load((ROOT / "app.yml").read_text())
        for login in ("ada", "grace", "linus", "eve"):
            running.create_user(login)
        running.create_org("acme")
        for login, permission in {"ada": "write", "grace": "maintain", "linus": "admin", "eve": "read"}.items():
            running.create_team("acme", f"{login}s", members=[login], permission=permission)
        app = running.create_app("ghapp", manifest["default_permissions"], manifest["default_events"])
        running.install(app, "acme")
        running.ghapp = app  # type: ignore[attr-defined]
        yield running


_numbers = itertools.count(1)


@pytest.fixture
def road(forge: Forge, tmp_path: Path) -> Iterator[Road]:
    """A repository of its own with the app ``web`` and one commit."""
    name = f"web-{next(_numbers)}"
    repository = forge.create_repository("acme", name)
    app = forge.ghapp  # type: ignore[attr-defined]
    key = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    settings = load(
        {
            "GHAPP_GITHUB_API_URL": forge.api_url,
            "GHAPP_GITHUB_GRAPHQL_URL": forge.graphql_url,
            "GHAPP_GITHUB_WEB_URL": forge.url,
            "GHAPP_APP_ID": str(app.id),
            "GHAPP_APP_SLUG": "ghapp",
            "GHAPP_PRIVATE_KEY": app.private_key,
            "GHAPP_SIGNING_KEY": key.decode(),
            "GHAPP_DATA_DIR": str(tmp_path / "data"),
            "GHAPP_GITHUB_WRITES_PER_MINUTE": "100000",
        }
    )
    people = {
        login: Person(login, forge.user_token(login), api=forge.api_url, forge=forge.url, repository=f"acme/{name}")
        for login in ("ada", "grace", "linus", "eve")
    }
    template = tmp_path / "template"
    template.mkdir()
    people["ada"].start_work(tmp_path / "work", template)
    made = Road(forge, settings, GitHubApp(settings), people, f"acme/{name}", tmp_path / "work", repository.id)
    made.push({names.CONFIG_FILE: CONFIG, "deploy/web.yaml": MANIFEST})
    yield made
    for person in people.values():
        person.close()
