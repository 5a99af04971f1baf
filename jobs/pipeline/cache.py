"""What runs keep for later ones: folders of the checkout, named by content and by how far the code was trusted.

Runs that may release read and write their own cache; those of other branches and pull requests read that one too but
write another, so that nothing a branch does can reach a release. Code of strangers reads and writes nothing.
"""

from __future__ import annotations

import hashlib
import logging
import os
import tarfile
from pathlib import Path

from ghapp.config.model import Cache
from jobs.pipeline.files import Outside, matching
from jobs.pipeline.order import Order
from policies import globs

log = logging.getLogger(__name__)

MOST_BYTES = 10 * 2**30  # of all caches of a worker; beyond, the longest unused go
_MOST_ONE = 2 * 2**30


class Caches:
    """The caches of one run. ``folder`` is the worker's."""

    def __init__(self, folder: Path, order: Order, wishes: tuple[Cache, ...], workspace: Path) -> None:
        self._folder, self._order, self._workspace = folder, order, workspace
        self._wishes = wishes if order.trusted else ()
        # Named by what the commit says, before any step can have changed it.
        self._names = {wish.name: self._name(wish) for wish in self._wishes}

    def restore(self) -> list[str]:
        """Bring back what is there; returns the names of the caches that were found."""
        if self._order.ignore_cache:
            return []
        found = []
        for wish in self._wishes:
            entry = self._entry(wish)
            if entry is not None and self._unpack(entry):
                found.append(wish.name)
        return found

    def save(self) -> list[str]:
        """Keep what is not kept yet; returns the names of the caches that were written. Never raises."""
        written = []
        for wish in self._wishes:
            target = self._level(own=True) / self._names[wish.name]
            if (target.exists() and not self._order.ignore_cache) or not self._pack(wish, target):
                continue
            written.append(wish.name)
        if written:
            drop_oldest(self._folder, MOST_BYTES)
        return written

    # --- where ------------------------------------------------------------------------------------
    def _level(self, *, own: bool) -> Path:
        level = "release" if self._order.release or not own else "branch"
        return self._folder / str(self._order.repository) / self._order.app / level

    def _name(self, wish: Cache) -> str:
        digest = hashlib.sha256(repr((wish.paths, wish.key)).encode())
        for path in matching(self._workspace, wish.key) if wish.key else ():
            digest.update(path.encode("utf-8", "surrogateescape") + b"\0")
            digest.update(hashlib.sha256((self._workspace / path).read_bytes()).digest())
        return f"{wish.name}-{digest.hexdigest()[:32]}.tar"

    def _entry(self, wish: Cache) -> Path | None:
        """The cache of exactly this content: a branch's own, else the one of releases."""
        places = [self._level(own=True), self._level(own=False)]
        return next((p for place in places if (p := place / self._names[wish.name]).is_file()), None)

    # --- what -------------------------------------------------------------------------------------
    def _unpack(self, entry: Path) -> bool:
        try:
            with tarfile.open(entry) as tar:
                tar.extractall(self._workspace, filter="data")
            os.utime(entry)
        except (OSError, tarfile.TarError) as e:
            log.warning("the cache %s cannot be used and is dropped: %s", entry.name, e)
            entry.unlink(missing_ok=True)
            return False
        return True

    def _pack(self, wish: Cache, target: Path) -> bool:
        partial = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with tarfile.open(partial, "w") as tar:
                for path in _files(self._workspace, wish.paths):
                    tar.add(self._workspace / path, path, recursive=False)
            if partial.stat().st_size > _MOST_ONE:
                log.warning("the cache %s of %s is larger than %d bytes: not kept", wish.name, target.parent, _MOST_ONE)
                return False
            partial.replace(target)
        except (OSError, tarfile.TarError, Outside) as e:
            log.warning("the cache %s could not be kept: %s", wish.name, e)
            return False
        finally:
            partial.unlink(missing_ok=True)
        return True


def _files(root: Path, patterns: tuple[str, ...]) -> list[str]:
    """Files and links that patterns fit. A link that leads out is refused when it is unpacked."""
    links = [str(p.relative_to(root)) for p in root.rglob("*") if p.is_symlink()]
    wanted = tuple(form for p in patterns for form in (p.rstrip("/"), f"{p.rstrip('/')}/**"))
    return sorted({*matching(root, patterns), *(link for link in links if globs.matches_any(wanted, link))})


def drop_oldest(folder: Path, most: int) -> None:
    """Keep the most lately used entries that fit into ``most`` bytes."""
    entries = sorted((p for p in folder.rglob("*.tar") if p.is_file()), key=lambda p: -p.stat().st_mtime)
    total = 0
    for entry in entries:
        total += entry.stat().st_size
        if total > most:
            entry.unlink(missing_ok=True)
