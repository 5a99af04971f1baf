"""What steps leave for people: files kept in the store under numbers, with their names and their retention."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from ghapp.config.model import Step
from jobs.pipeline.files import Outside, matching
from jobs.pipeline.result import StepResult
from jobs.pipeline.step import Site

MOST_FILES = 2_000  # of one run
MOST_BYTES = 4 * 2**30


@dataclass(frozen=True, slots=True)
class Kept:
    """One file in the store: the artifact it belongs to, its path there, size in bytes, until when it is kept (UTC)."""

    key: str
    artifact: str
    path: str
    size: int
    until: datetime | None


class Keeper:
    """Keeps the artifacts of one run."""

    def __init__(self, site: Site, now: datetime) -> None:
        self._site, self._now = site, now
        self.kept: list[Kept] = []
        self.problems: list[str] = []
        self._bytes = 0

    def keep(self, step: Step, result: StepResult) -> None:
        """Take what a step declares under ``artifacts`` and what its plugin made."""
        root = self._site.workspace
        for artifact in step.artifacts:
            try:
                files = matching(root, artifact.paths)
            except Outside as e:
                self.problems.append(str(e))
                continue
            if not files:
                self.problems.append(f"artifact {artifact.name}: no file fits {', '.join(artifact.paths)}")
            for path in files:
                size = (root / path).stat().st_size
                if self._room(size, artifact.name):
                    key = self._key()
                    self._site.store.put_file(key, root / path)
                    self.kept.append(Kept(key, artifact.name, path, size, self._now + artifact.retention))
        for name, data in result.ended.files.items():
            if self._room(len(data), name):
                key = self._key()
                self._site.store.put(key, data)
                self.kept.append(Kept(key, result.plugin or result.title, name, len(data), None))

    def _key(self) -> str:
        return f"runs/{self._site.order.run}/artifacts/{len(self.kept)}"

    def _room(self, size: int, name: str) -> bool:
        if len(self.kept) >= MOST_FILES or self._bytes + size > MOST_BYTES:
            self.problems.append(f"artifact {name}: more than {MOST_FILES} files or {MOST_BYTES} bytes in one run")
            return False
        self._bytes += size
        return True


def expired(kept: Iterable[Kept], now: datetime) -> Iterator[Kept]:
    """Those whose time is over."""
    return (one for one in kept if one.until is not None and one.until <= now)
