"""Steps 2 to 6 as one question: what does the branch want now? Answered with as little reading as possible.

A commit that was wholly applied under the same settings is not fetched again; an app whose folder did not change is not
read again, unless something of it drifted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from ghapp.agent import desire, read, verify
from ghapp.agent.desire import App
from ghapp.agent.environment import Environment
from ghapp.agent.fetch import Source
from ghapp.agent.inventory import State
from ghapp.agent.kube.kinds import Kinds
from ghapp.agent.objects import Desired, Key
from ghapp.evidence.deployment import Deployment


@dataclass
class Wanted:
    """What a commit wants. ``trees`` are all its apps' folders; ``apps`` those that were read so far.

    ``same`` are apps that are as they were when they were last wholly applied.
    """

    sha: str
    trees: Mapping[str, str]
    same: frozenset[str]
    apps: dict[str, App] = field(default_factory=dict)
    releases: Mapping[str, Deployment] = field(default_factory=dict)


class Branch:
    """The branch of one environment. Remembers what it read, by folder tree."""

    def __init__(self, source: Source, kinds: Kinds, environment: Environment) -> None:
        self.source = source
        self._kinds = kinds
        self._environment = environment
        self._folders: dict[str, read.Folder] = {}
        self._brought = ""
        self._read: dict[str, App] = {}
        self._releases: dict[str, Deployment] = {}

    async def look(self, state: State) -> Wanted:
        """Fetch and verify; ``state`` is what the inventory says was applied last.

        Raises FetchError, Unverified.
        """
        known = state if state.settings == self._environment.settings() else State()
        sha = await self.source.head()
        if sha == known.sha:
            return Wanted(sha, known.trees, frozenset(known.trees), releases=self._releases)
        sha = await self._bring()
        held: dict[str, App] = {}
        if self._environment.verify == "commit":
            await verify.commit(self.source.git, sha, self._environment)
        if self._environment.verify == "release":
            good, bad = verify.releases(self.source.git, sha, self._folders, self._environment)
            self._releases = good
            held = {a: desire.held(a, self._folders[a].tree, f"{a}/", why) for a, why in bad.items()}
        trees = {app: folder.tree for app, folder in self._folders.items()}
        same = frozenset(app for app, tree in trees.items() if known.trees.get(app) == tree and app not in held)
        return Wanted(sha, trees, same, held, self._releases)

    async def load(self, wanted: Wanted, apps: Iterable[str]) -> None:
        """Read these apps into ``wanted``. Raises FetchError."""
        names = [app for app in apps if app not in wanted.apps]
        if names and self._brought != wanted.sha:
            # The commit was known and not fetched; it is the one that was verified when it was applied.
            await self._bring()
        missing = []
        for app in names:
            remembered = self._read.get(app)
            if remembered is not None and remembered.tree == wanted.trees[app] and not remembered.failures:
                wanted.apps[app] = remembered
            elif app in self._folders:
                missing.append(self._folders[app])
        loaded = await desire.load(self.source.git, missing, self._kinds, self._environment)
        self._read.update(loaded)
        wanted.apps.update(loaded)

    async def _bring(self) -> str:
        sha = await self.source.bring()
        chosen = self._environment.apps
        folders = read.folders(self.source.git, sha)
        self._folders = {a: f for a, f in folders.items() if not chosen or a in chosen}
        self._read = {a: r for a, r in self._read.items() if a in self._folders}
        self._brought = sha
        return sha

    def objects(self, keys: Collection[Key]) -> list[Desired]:
        """What the branch wants of these members, as far as it was read."""
        return [one for app in self._read.values() if not app.held for one in app.objects if one.key in keys]
