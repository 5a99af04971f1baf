"""Fast reading of objects: one ``git cat-file --batch-command`` per repository, kept while it is in use.

A pool holds the most recently used ones, so that a forge with thousands of repositories keeps a handful of processes.
"""

from __future__ import annotations

import subprocess
import threading
from collections import OrderedDict
from pathlib import Path

from ghapp.sandbox.forge.git.run import git_environment


class ObjectReader:
    """Reads one repository's objects by any name that git understands."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            ["git", "cat-file", "--batch-command"],
            cwd=path,
            env=git_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _ask(self, command: str, name: str, contents: bool) -> tuple[str, str, int, bytes] | None:
        if not name or "\n" in name or "\0" in name:
            return None
        with self._lock:
            stdin, stdout = self._process.stdin, self._process.stdout
            if stdin is None or stdout is None:
                return None
            stdin.write(f"{command} {name}\n".encode())
            stdin.flush()
            header = stdout.readline().decode("utf-8", "replace").rstrip("\n")
            parts = header.rsplit(" ", 2)
            if len(parts) != 3 or not parts[2].isdigit():
                if not header:
                    raise BrokenPipeError("git cat-file ended")
                return None
            data = b""
            if contents:
                data = stdout.read(int(parts[2]))
                stdout.read(1)
        return parts[0], parts[1], int(parts[2]), data

    def info(self, name: str) -> tuple[str, str, int] | None:
        """(sha, type, size) of what ``name`` points at, or None."""
        found = self._ask("info", name, contents=False)
        return found[:3] if found else None

    def read(self, name: str) -> tuple[str, str, bytes] | None:
        """(sha, type, content) of what ``name`` points at, or None."""
        found = self._ask("contents", name, contents=True)
        return (found[0], found[1], found[3]) if found else None

    def close(self) -> None:
        with self._lock:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue


class ReaderPool:
    """The most recently used readers of all repositories of a forge."""

    def __init__(self, limit: int = 24) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._readers: OrderedDict[Path, ObjectReader] = OrderedDict()
        self._closed = False

    def reader(self, path: Path) -> ObjectReader:
        """The reader of a repository; ``OSError`` once the pool is closed."""
        with self._lock:
            if self._closed:
                raise OSError("the forge has stopped")
            reader = self._readers.pop(path, None) or ObjectReader(path)
            self._readers[path] = reader
            dropped = [self._readers.popitem(last=False)[1] for _ in range(len(self._readers) - self._limit)]
        for old in dropped:
            old.close()
        return reader

    def drop(self, path: Path) -> None:
        """Forget the reader of a repository that is moved or deleted."""
        with self._lock:
            reader = self._readers.pop(path, None)
        if reader:
            reader.close()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            readers, self._readers = list(self._readers.values()), OrderedDict()
        for reader in readers:
            reader.close()
