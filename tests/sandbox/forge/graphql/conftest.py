"""A small forge that does not listen: people, an organisation, an app and a repository, asked through GraphQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ghapp.sandbox.forge.forge import Forge
from ghapp.sandbox.forge.git.objects import Signature
from ghapp.sandbox.forge.graphql.execution import execute
from ghapp.sandbox.forge.model import PullRequest, Repository, User
from ghapp.sandbox.forge.operations import pulls, refs, repositories
from ghapp.sandbox.forge.web.actor import Actor, identify
from ghapp.sandbox.forge.web.ratelimit import Bucket

PERMISSIONS = {
    "administration": "read",
    "checks": "write",
    "contents": "write",
    "deployments": "write",
    "issues": "write",
    "members": "read",
    "pull_requests": "write",
    "statuses": "write",
}


class World:
    """``acme`` owns ``guestbook`` (private); alice administers, bob writes, carol reads, mallory is a stranger."""

    def __init__(self, folder: Path) -> None:
        self.at = datetime(2026, 1, 5, 9, tzinfo=UTC)
        self.forge = Forge(folder, clock=lambda: self.at)
        self.state = self.forge.state
        self.state.web_url = "http://forge.test"
        self.events: list[tuple[str, str | None]] = []
        self.state.listeners.append(lambda event: self.events.append((event.name, event.action)))
        self.alice, self.bob, self.carol, self.mallory = (
            self.forge.create_user(login, login.title(), f"{login}@example.com")
            for login in ("alice", "bob", "carol", "mallory")
        )
        self.acme = self.forge.create_org("acme", self.alice, "Acme")
        self.acme.default_repository_permission = "read"
        self.forge.add_member(self.acme, self.carol)
        self.guestbook = self.repository("guestbook", private=True)
        self.forge.add_collaborator(self.guestbook, self.bob, "write")
        self.app = self.forge.create_app("ghapp", PERMISSIONS, owner=self.acme)
        self.installation = self.forge.install(self.app, self.acme)

    def pass_time(self, minutes: float = 1) -> None:
        self.at += timedelta(minutes=minutes)

    def repository(self, name: str, *, private: bool = False) -> Repository:
        return self.forge.create_repository(self.acme, name, private=private)

    def fork(self, owner: User) -> Repository:
        return repositories.fork(self.state, self.forge._store, self.guestbook, owner, "", owner)

    def commit(
        self,
        branch: str = "main",
        files: dict[str, str] | None = None,
        *,
        by: User | None = None,
        message: str = "Change something",
        repository: Repository | None = None,
        parents: tuple[str, ...] | None = None,
        signature: str | None = None,
        start: str = "main",
    ) -> str:
        """Push one commit on a branch, which begins at ``start`` if it is new."""
        self.pass_time()
        where = repository or self.guestbook
        tip = where.git.branch(branch) or where.git.branch(start)
        entries = [
            ("100644", where.git.write_object("blob", text.encode()), path)
            for path, text in (files or {"file": f"{self.at}\n"}).items()
        ]
        tree = where.git.write_tree(entries, base=tip)
        user = by or self.alice
        who = Signature(user.name or user.login, user.email or user.noreply_email, self.at)
        sha = where.git.write_commit(tree, parents or ((tip,) if tip else ()), who, who, message, signature)
        refs.move(self.state, where, f"refs/heads/{branch}", sha, user)
        return sha

    def commits(self, branch: str, count: int, by: User) -> list[str]:
        """Push many commits at once; returns their shas, oldest first."""
        git = self.guestbook.git
        tip = git.branch(branch)
        who = Signature(by.name or by.login, by.email or by.noreply_email, self.at)
        shas: list[str] = []
        parent = git.commit(tip or "")
        assert parent is not None
        for number in range(count):
            shas.append(git.write_commit(parent.tree, (shas[-1] if shas else parent.sha,), who, who, f"{number}"))
        refs.move(self.state, self.guestbook, f"refs/heads/{branch}", shas[-1], by)
        return shas

    def pull(
        self, head: str = "feature", *, by: User | None = None, title: str = "Sign in colours", **more: Any
    ) -> PullRequest:
        """A pull request from a branch (made with one commit if it is new) into main."""
        user = by or self.bob
        if self.guestbook.git.branch("main") is None:
            self.commit("main", {"README.md": "# Guestbook\n"}, message="Begin")
        if self.guestbook.git.branch(head) is None:
            self.commit(head, {"app.py": "print('hi')\n"}, by=user, message="Say hi")
        self.pass_time()
        return pulls.open_pull(self.state, self.guestbook, user, head=head, base="main", title=title, **more)

    # Asking -----------------------------------------------------------------------------------------------------------

    def as_app(self, **narrowed: Any) -> Actor:
        return identify(self.state, f"token {self.forge.installation_token(self.installation, **narrowed)}")

    @staticmethod
    def on_repository(selection: str) -> str:
        """A query for something of the guestbook."""
        return f'query {{ repository(owner: "acme", name: "guestbook") {{ {selection} }} }}'

    def on_pull(self, selection: str, number: int = 1) -> str:
        """A query for something of a pull request."""
        return self.on_repository(f"pullRequest(number: {number}) {{ {selection} }}")

    def ask(self, query: str, viewer: Actor | User | None = None, **variables: Any) -> dict[str, Any]:
        """The whole response; by default the app asks."""
        actor = Actor(user=viewer) if isinstance(viewer, User) else viewer or self.as_app()
        bucket = Bucket(5000, 10, self.at + timedelta(hours=1))
        return execute(self.state, actor, {"query": query, "variables": variables}, bucket).body

    def data(self, query: str, viewer: Actor | User | None = None, **variables: Any) -> dict[str, Any]:
        """The data of a response that has no errors."""
        response = self.ask(query, viewer, **variables)
        assert "errors" not in response, response["errors"]
        found: dict[str, Any] = response["data"]
        return found


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.forge.stop()
