"""The volumes of a Pod as folders of this machine, and the view of the file system that its containers get.

With bubblewrap, a container sees this machine read-only with its volumes mounted where they belong. Without it, the
paths of mounts are replaced by the folders' in its command and environment, which is the best that can be done.
"""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

from ghapp import process
from ghapp.sandbox.cluster.types import Object

_NAMESPACES = ("--die-with-parent", "--unshare-pid")
Lookup = Callable[[str, str], Object | None]
"""A ConfigMap or Secret of the Pod's namespace, by kind and name."""


class Missing(Exception):
    """Something that a Pod needs is not there; the sentence says what."""


@dataclass(frozen=True, slots=True)
class Mount:
    """A folder, or a file in it, at a path inside a container."""

    source: Path
    target: str
    read_only: bool

    @property
    def real_target(self) -> str:
        """The target with this machine's symlinks followed: ``/var/run`` is often ``/run``."""
        return os.path.realpath(self.target)


def lay_out(pod: Object, folder: Path, shared: Path, find: Lookup) -> dict[str, Path]:
    """Make a folder per volume, filled where the volume has content. ``shared`` holds those that outlive the Pod.

    Raises :class:`Missing`.
    """
    return {v["name"]: _lay_out(v, pod, folder / v["name"], shared, find) for v in pod["spec"].get("volumes") or ()}


def _lay_out(volume: Object, pod: Object, folder: Path, shared: Path, find: Lookup) -> Path:
    if path := (volume.get("hostPath") or {}).get("path"):
        return Path(path)
    if claim := (volume.get("persistentVolumeClaim") or {}).get("claimName"):
        folder = shared / pod["metadata"]["namespace"] / claim
    folder.mkdir(parents=True, exist_ok=True)
    sources = (volume.get("projected") or {}).get("sources") or [volume]
    for source in sources:
        for kind, key, name in (("ConfigMap", "configMap", "name"), ("Secret", "secret", "secretName")):
            given = source.get(key)
            if given is not None:
                _fill(folder, given, find(kind, given.get(name) or given.get("name", "")), kind)
    return folder


def _fill(folder: Path, given: Object, found: Object | None, kind: str) -> None:
    name = given.get("secretName") or given.get("name", "")
    if found is None:
        if given.get("optional"):
            return
        raise Missing(f'{kind.lower()} "{name}" not found')
    content = contents(found)
    items = given.get("items") or [{"key": key, "path": key} for key in content]
    for item in items:
        if item["key"] not in content:
            raise Missing(f'{kind.lower()} "{name}" has no key {item["key"]}')
        target = folder / item["path"]
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content[item["key"]])


def contents(source: Object) -> dict[str, bytes]:
    """The keys of a ConfigMap or Secret."""
    if source["kind"] == "Secret":
        return {k: base64.b64decode(v) for k, v in (source.get("data") or {}).items()}
    plain = {k: v.encode() for k, v in (source.get("data") or {}).items()}
    return {**plain, **{k: base64.b64decode(v) for k, v in (source.get("binaryData") or {}).items()}}


def mounts(container: Object, folders: dict[str, Path]) -> list[Mount]:
    """Where a container has which volume."""
    return [
        Mount(folders[m["name"]] / m.get("subPath", ""), m["mountPath"], bool(m.get("readOnly")))
        for m in container.get("volumeMounts") or ()
        if m["name"] in folders
    ]


def wrapped(argv: list[str], cwd: str, mounted: Iterable[Mount], scratch: Path) -> list[str]:
    """The command line that runs ``argv`` with its volumes in place."""
    places = list(mounted)
    command = ["bwrap", *_NAMESPACES, "--dev", "/dev", "--proc", "/proc"]
    targets = [PurePosixPath(m.real_target) for m in places]
    command += _visible(PurePosixPath("/"), targets, skip={"dev", "proc", "tmp"})
    command += ["--bind", str(scratch), "/tmp"]  # noqa: S108  # the container's own
    for mount in sorted(places, key=lambda m: m.real_target):
        if not mount.source.exists():
            mount.source.mkdir(parents=True)
        command += ["--ro-bind" if mount.read_only else "--bind", str(mount.source), mount.real_target]
    return [*command, "--chdir", cwd or "/", "--", *argv]


def _visible(folder: PurePosixPath, targets: list[PurePosixPath], skip: Iterable[str] = ()) -> list[str]:
    """Options that show the entries of ``folder``; folders on the way to a mount are made anew, so that a mount can
    stand where this machine has nothing."""
    options: list[str] = []
    for entry in sorted(Path(folder).iterdir()):
        here = folder / entry.name
        if entry.name in skip or here in targets:
            continue
        if entry.is_symlink():
            options += ["--symlink", str(entry.readlink()), str(here)]
        elif entry.is_dir() and any(here in t.parents for t in targets):
            options += ["--dir", str(here), *_visible(here, targets)]
        else:
            options += ["--ro-bind-try", str(entry), str(here)]
    return options


@cache
def can_wrap() -> bool:
    """Whether bubblewrap is installed and allowed to do its work here; containers often forbid it."""
    if shutil.which("bwrap") is None:
        return False
    tried = ["bwrap", *_NAMESPACES, "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "true"]
    return process.run(tried, check=False, timeout=10).status == 0


def replaced(text: str, mounted: Iterable[Mount]) -> str:
    """``text`` with the paths of mounts replaced by those of their folders."""
    for mount in sorted(mounted, key=lambda m: -len(m.target)):
        text = text.replace(mount.target, str(mount.source))
    return text
