"""What a repository says about its apps, releases and environments, read from Git in one fetch.

Everything here comes from the default branch, the environment branches, the notes and the intents; the only call to
GitHub's API is the one that names the default branch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, TypeVar

from ghapp import names
from ghapp.config import App, AppFile, AppList, Environment, parse, parse_app
from ghapp.evidence import deployment, dsse, notes
from ghapp.evidence.deployment import Deployment
from ghapp.evidence.notes import Signer
from ghapp.evidence.release import Rejection, Release, rejections, releases
from ghapp.evidence.statement import Statement
from ghapp.git import Commit, Git
from ghapp.github.client import RepositoryClient
from ghapp.intents import EVERY, Decision, Intent, Intents
from ghapp.intents import FETCH as FETCH_INTENTS
from ghapp.intents import read as read_intents
from jobs.mirrors import mirror
from jobs.reconcile import Context
from policies.yamltext import Problem, Problems

# How many of the newest notes and commits are looked at: what a reconcile reads must not grow with a repository's age.
NEWEST_NOTES = 400
NEWEST_COMMITS = 10_000

Found = TypeVar("Found")


@dataclass(frozen=True)
class Placed:
    """What is deployed of one app in one environment, and the commit on the environment branch that put it there."""

    deployment: Deployment
    commit: Commit


@dataclass(frozen=True)
class View:
    """One repository at one moment. ``heads`` maps a branch to its SHA; ``apps`` are those of the default branch."""

    client: RepositoryClient
    git: Git
    signer: Signer
    default_branch: str
    heads: Mapping[str, str]
    apps: Mapping[str, AppFile]
    problems: tuple[Problem, ...]
    notes: Mapping[str, Sequence[Statement]] = field(repr=False)
    intents: Intents
    # What was found out already; a view is of one moment, so it stays true.
    _known: dict[tuple[str, ...], Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def rejected(self) -> Mapping[tuple[str, str], Rejection]:
        return self._once(("rejected",), lambda: rejections(self.notes))

    def _once(self, what: tuple[str, ...], find: Callable[[], Found]) -> Found:
        if what not in self._known:
            self._known[what] = find()
        found: Found = self._known[what]
        return found

    def app(self, name: str) -> App | None:
        file = self.apps.get(name)
        return file.app if file else None

    def environment(self, app: str, name: str) -> Environment | None:
        declared = self.app(app)
        return declared.environment(name) if declared else None

    def releases(self, app: str) -> list[Release]:
        """An app's releases in the order of their source commits on the default branch, oldest first.

        Releases of other branches and of tags stand where their time puts them. Those of commits that the default
        branch no longer has (it was forced back) are not candidates any more and left out.
        """
        return self._once(("releases", app), lambda: self._releases(app))

    def _releases(self, app: str) -> list[Release]:
        known = [r for r in releases(self.notes) if r.app == app]
        head = self.heads.get(self.default_branch)
        if not known or head is None:
            return []
        order = _positions(self.git, head)
        default = f"refs/heads/{self.default_branch}"
        main = sorted((r for r in known if r.commit in order), key=lambda r: (order[r.commit], r.at))
        for other in (r for r in known if r.commit not in order and r.ref not in ("", default)):
            index = next((i for i, r in enumerate(main) if r.at > other.at), len(main))
            main.insert(index, other)
        return main

    def deployed(self, app: str, environment: str) -> Placed | None:
        """What the environment branch says, if the record is signed; ``None`` when nothing (trusted) is there."""
        return self._once(("deployed", app, environment), lambda: self._deployed(app, environment))

    def _deployed(self, app: str, environment: str) -> Placed | None:
        head = self.heads.get(names.environment_branch(environment))
        content = self.git.read(head, names.deployed_file(app)) if head else None
        if head is None or content is None:
            return None
        try:
            record = deployment.read(content, self.signer.trusted)
        except dsse.Untrusted:
            return None
        if (record.app, record.environment) != (app, environment):
            return None
        touched = self.git.commits("--first-parent", head, "--", app, names.deployed_file(app), limit=1)
        return Placed(record, touched[0]) if touched else None

    def history(self, app: str, environment: str, *, limit: int = 50) -> list[Commit]:
        """The commits that changed what is deployed, newest first."""
        head = self.heads.get(names.environment_branch(environment))
        if head is None:
            return []
        return self.git.commits("--first-parent", head, "--", names.deployed_file(app), limit=limit)

    def no_ops(self, app: str, environment: str) -> dict[str, str]:
        """Releases that render to what was already deployed: release → the release that was deployed then."""
        found = {}
        for statement in (s for statements in self.notes.values() for s in statements):
            p = statement.predicate
            if statement.kind == names.PREDICATE_NO_OP and (p.get("app"), p.get("environment")) == (app, environment):
                found[str(p.get("release"))] = str(p.get("same_as"))
        return found

    def since(self, older: str | None, newer: str, *, limit: int = 250) -> list[Commit]:
        """The source commits in ``newer`` that are not in ``older``, newest first."""
        return self.git.commits(newer, *(["--not", older] if older else []), limit=limit if older else 1)

    def decided(self, app: str, environment: str) -> Intent:
        return self.intents.get((environment, app), Intent())

    def stops(self, app: str, environment: str) -> list[Decision]:
        """Emergency stops that reach this (app, environment)."""
        places = [(e, a) for e in (environment, EVERY) for a in (app, EVERY)]
        return [i.stop for place in places if (i := self.intents.get(place)) and i.stop]


def look(context: Context, repository: int) -> View:
    """Read a repository afresh. Raises ``GitHubError`` or ``GitError`` when it cannot be read."""
    from ghapp.evidence.keys import signer

    client = context.github.for_repository(repository)
    default = str(client.get("")["default_branch"])
    git = mirror(context.settings.mirrors, client)
    with git.lock():
        git.fetch(
            f"+refs/heads/{default}*:refs/heads/{default}*",
            f"+refs/heads/{names.ENVIRONMENT_PREFIX}*:refs/heads/{names.ENVIRONMENT_PREFIX}*",
            f"+refs/heads/{names.PROMOTION_PREFIX}*:refs/heads/{names.PROMOTION_PREFIX}*",
            notes.FETCH,
            FETCH_INTENTS,
        )
    return read_view(client, git, signer(context.settings), default)


def read_view(client: RepositoryClient, git: Git, who: Signer, default: str) -> View:
    """The view of what a mirror holds now."""
    heads = {ref.removeprefix("refs/heads/"): sha for ref, sha in git.refs("refs/heads/").items()}
    apps, problems = read_apps(git, heads.get(default))
    return View(
        client=client,
        git=git,
        signer=who,
        default_branch=default,
        heads=heads,
        apps=apps,
        problems=tuple(problems),
        notes=notes.read_notes(git, who.trusted, limit=NEWEST_NOTES),
        intents=read_intents(git),
    )


def read_apps(git: Git, commit: str | None) -> tuple[dict[str, AppFile], list[Problem]]:
    """The apps that a commit declares, and all that is wrong in its files. No file: no app and no problem."""
    content = git.read(commit, names.CONFIG_FILE) if commit else None
    if commit is None or content is None:
        return {}, []
    try:
        root = parse(content, path=names.CONFIG_FILE)
    except Problems as e:
        return {}, list(e.problems)
    if isinstance(root, AppFile):
        return {root.app.app: root}, []
    return _members(git, commit, root)


def _members(git: Git, commit: str, root: AppList) -> tuple[dict[str, AppFile], list[Problem]]:
    apps: dict[str, AppFile] = {}
    problems: list[Problem] = []
    files = git.files(commit)
    for glob in root.globs:
        paths = sorted(p for p in files if fnmatchcase(p, glob) and p != root.path)
        if not paths:
            problems.append(Problem(root.path, 1, f"no file matches {glob!r}", "correct the glob under `apps`"))
        for path in paths:
            try:
                file = parse_app(git.read(commit, path) or b"", path=path)
            except Problems as e:
                problems += e.problems
                continue
            if (first := apps.get(file.app.app)) and first.path != path:
                problems.append(Problem(path, 1, f"the app {file.app.app!r} is also declared in {first.path}"))
            else:
                apps[file.app.app] = file
    return apps, problems


def _positions(git: Git, head: str) -> dict[str, int]:
    """Where the newest commits in the history of ``head`` stand, oldest lowest."""
    listed = git.text("rev-list", "--topo-order", f"--max-count={NEWEST_COMMITS}", head).splitlines()
    return {sha: -i for i, sha in enumerate(listed)}
