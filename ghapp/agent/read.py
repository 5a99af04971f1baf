"""Step 4, read: an app's manifests out of a commit, straight from git's object store; nothing is checked out.

Every ``*.yaml``, ``*.yml`` and ``*.json`` below ``<app>/`` is a manifest, except below names that begin with a dot.
Symbolic links are followed inside the app's own folder and nowhere else. A folder with a ``kustomization.yaml`` or a
``Chart.yaml`` is rendered, without the network.
"""

from __future__ import annotations

import posixpath
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ghapp.agent.yamlfile import Unreadable
from ghapp.git import Git, GitError

_MANIFESTS = (".yaml", ".yml", ".json")
_KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_LINK = "120000"


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the commit: its git mode and blob."""

    mode: str
    blob: str


@dataclass(frozen=True)
class Folder:
    """An app's folder: its git tree, and its files by path below the folder."""

    app: str
    tree: str
    entries: Mapping[str, Entry] = field(repr=False)

    @property
    def kustomized(self) -> bool:
        return any(name in self.entries for name in _KUSTOMIZATIONS)

    @property
    def charted(self) -> bool:
        return "Chart.yaml" in self.entries

    def manifests(self) -> list[str]:
        """The paths that hold manifests, sorted."""
        return sorted(p for p in self.entries if p.endswith(_MANIFESTS) and not _hidden(p))


@dataclass(frozen=True, slots=True)
class File:
    """One file to parse: its name for messages, its bytes, and the blob it is (empty for what was rendered)."""

    name: str
    content: bytes = field(repr=False)
    blob: str = ""


def _hidden(path: str) -> bool:
    return any(part.startswith(".") for part in path.split("/"))


def folders(git: Git, commit: str) -> dict[str, Folder]:
    """Every app of a commit by name: its top-level folders, except those whose names begin with a dot."""
    trees: dict[str, str] = {}
    for entry in _listing(git, commit):
        meta, _, name = entry.partition("\t")
        _, kind, sha = meta.split(" ")
        if kind == "tree" and not name.startswith("."):
            trees[name] = sha
    entries: dict[str, dict[str, Entry]] = {app: {} for app in trees}
    for entry in _listing(git, commit, "-r"):
        meta, _, path = entry.partition("\t")
        app, _, below = path.partition("/")
        mode, kind, sha = meta.split(" ")
        if kind == "blob" and app in entries and below:
            entries[app][below] = Entry(mode, sha)
    return {app: Folder(app, trees[app], entries[app]) for app in sorted(trees)}


def _listing(git: Git, commit: str, *options: str) -> list[str]:
    out = git.run("ls-tree", *options, "-z", "--full-tree", commit).stdout.decode("utf-8", "replace")
    return [entry for entry in out.split("\0") if entry]


def collect(git: Git, wanted: Sequence[Folder]) -> dict[str, list[File] | Unreadable]:
    """What there is to parse in each folder, or why it cannot be read; one git process for all plain files."""
    found: dict[str, list[File] | Unreadable] = {}
    named: list[tuple[str, str, str]] = []  # app, path, blob
    for folder in wanted:
        try:
            if folder.kustomized or folder.charted:
                found[folder.app] = [_rendered(git, folder)]
                continue
            paths = folder.manifests()
            named += [(folder.app, path, blob) for path, blob in zip(paths, _blobs(git, folder, paths), strict=True)]
            found[folder.app] = []
        except Unreadable as e:
            found[folder.app] = e
        except GitError as e:
            found[folder.app] = Unreadable(f"{folder.app}/ cannot be read from git: {e}")
    contents = git.read_all([blob for _, _, blob in named])
    for (app, path, blob), content in zip(named, contents, strict=True):
        files = found[app]
        if isinstance(files, list):
            files.append(File(f"{app}/{path}", content, blob))
    return found


def _blobs(git: Git, folder: Folder, paths: list[str]) -> list[str]:
    """The blob of each path, links followed."""
    found = []
    for path in paths:
        at = path
        for _ in range(8):
            entry = folder.entries[at]
            if entry.mode != _LINK:
                found.append(entry.blob)
                break
            at = _target(git, folder, at, entry)
        else:
            raise Unreadable(f"{folder.app}/{path} is a symbolic link in a circle; remove it")
    return found


def _target(git: Git, folder: Folder, path: str, link: Entry) -> str:
    aim = git.read_all([link.blob])[0].decode("utf-8", "replace")
    target = posixpath.normpath(posixpath.join(posixpath.dirname(path), aim))
    if aim.startswith("/") or target == ".." or target.startswith("../"):
        raise Unreadable(f"{folder.app}/{path} is a symbolic link that leaves {folder.app}/; put the file itself there")
    if target not in folder.entries:
        raise Unreadable(f"{folder.app}/{path} is a symbolic link to {target}, which is not a file of {folder.app}/")
    return target


def _rendered(git: Git, folder: Folder) -> File:
    """A kustomization or a chart, rendered by the real tool from a copy without links."""
    from ghapp.config.model import Helm
    from ghapp.render import helm, kustomize
    from ghapp.render.interface import Options, RenderError

    options = Options(environment="", app=folder.app)
    with tempfile.TemporaryDirectory(prefix="ghapp-render-") as scratch:
        root = Path(scratch) / folder.app
        paths = list(folder.entries)
        for path, content in zip(paths, git.read_all(_blobs(git, folder, paths)), strict=True):
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        try:
            if folder.kustomized:
                name, out = "kustomization", kustomize.render(Path(scratch), folder.app, options)
            else:
                name, out = "chart", helm.render(Path(scratch), Helm(chart=folder.app), options)
        except RenderError as e:
            raise Unreadable(str(e)) from None
    return File(f"{folder.app}/ ({name})", out)
