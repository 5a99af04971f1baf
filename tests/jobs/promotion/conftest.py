"""A repository on disk with an app, releases and environment branches, seen as a reconcile sees it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ghapp import names
from ghapp.evidence import notes
from ghapp.evidence.notes import Signer
from ghapp.evidence.release import Release
from ghapp.git import Git, Person
from ghapp.intents import FETCH as FETCH_INTENTS
from jobs.promotion.view import View, read_view

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
ADA = Person("ada", "ada@example.org")
CONFIG = """
version: 1
app: web
deploy:
  environments:
    - {name: dev, render: {plain: deploy}}
    - {name: prod, render: {plain: deploy}, after: [dev], approvals: 1}
"""


def deployment(image: str = "reg.example/web", name: str = "web", replicas: int = 1) -> str:
    return (
        f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\n"
        f"spec: {{replicas: {replicas}, template: {{spec: {{containers: [{{name: web, image: '{image}'}}]}}}}}}\n"
    )


@dataclass
class Place:
    """A remote and a mirror of it; ``commit`` and ``release`` write to the remote as people and pipelines do."""

    remote: Git
    mirror: Git
    signer: Signer
    clock: datetime = START
    files: dict[str, bytes] = field(default_factory=dict)

    def commit(self, files: dict[str, str], message: str = "change\n") -> str:
        self.clock += timedelta(minutes=1)
        self.files |= {path: text.encode() for path, text in files.items()}
        old = self.remote.resolve("refs/heads/main")
        gone = set(self.remote.files(old)) - set(self.files) if old else set()
        new = self.remote.write(
            parent=old, message=message, author=ADA, at=self.clock, files=self.files, remove=sorted(gone)
        )
        self.remote.run("update-ref", "refs/heads/main", new)
        return new

    def release(self, commit: str, *, app: str = "web", digest: str = "") -> Release:
        self.clock += timedelta(minutes=1)
        digest = digest or "sha256:" + commit[:8] * 8
        made = Release(app, commit, self.clock, {"reg.example/web": digest}, ref="refs/heads/main")
        notes.append(self.mirror, commit, [made.statement()], self.signer, self.clock)
        return made

    def view(self, client: Any = None) -> View:
        heads = "+refs/heads/*:refs/heads/*"
        self.mirror.fetch(heads, notes.FETCH, FETCH_INTENTS)
        return read_view(client, self.mirror, self.signer, "main")

    def merge(self, environment: str, head: str, trailers: str = "") -> str:
        """What GitHub's merge button does, by fast-forward."""
        self.clock += timedelta(minutes=1)
        self.mirror.run("push", "--quiet", "--force", self.mirror.url, f"{head}:refs/heads/env/{environment}")
        return head


@pytest.fixture
def place(tmp_path: Path) -> Place:
    remote = Git(tmp_path / "remote.git")
    remote.create()
    mirror = Git(tmp_path / "mirror.git", str(remote.directory))
    mirror.create()
    made = Place(remote, mirror, Signer(Ed25519PrivateKey.generate()))
    made.commit({names.CONFIG_FILE: CONFIG, "deploy/web.yaml": deployment()})
    return made
