"""Logs and artifacts in a directory, shared by server and workers where there are several machines."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from ghapp.store.interface import StoreError, checked

_CHUNK = 1 << 18


class DirectoryStore:
    """One file a key, below ``root``."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def append(self, key: str, data: bytes) -> None:
        path = self._path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("ab") as file:
                file.write(data)
        except OSError as e:
            raise _error(path, e) from None

    def put(self, key: str, data: bytes) -> None:
        path = self._path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".put-")
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            Path(temporary).replace(path)
        except OSError as e:
            raise _error(path, e) from None

    def put_file(self, key: str, path: Path) -> None:
        target = self._path(key)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target, follow_symlinks=False)
        except OSError as e:
            raise _error(target, e) from None

    def read(self, key: str, *, start: int = 0, most: int = -1) -> bytes | None:
        try:
            with self._path(key).open("rb") as file:
                file.seek(start)
                return file.read(most)
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None

    def chunks(self, key: str) -> Iterator[bytes]:
        try:
            file = self._path(key).open("rb")
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return
        with file:
            while chunk := file.read(_CHUNK):
                yield chunk

    def size(self, key: str) -> int | None:
        path = self._path(key)
        return path.stat().st_size if path.is_file() else None

    def keys(self, prefix: str) -> Iterator[str]:
        folder = self._root / (prefix if prefix.endswith("/") else prefix.rpartition("/")[0])
        found = sorted(self._files(folder))
        return (key for key in (str(path.relative_to(self._root)) for path in found) if key.startswith(prefix))

    def delete(self, prefix: str) -> None:
        path = self._path(prefix.rstrip("/"))
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)

    def expire(self, before: datetime) -> int:
        gone = 0
        for path in self._files(self._root):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < before.timestamp():
                    path.unlink()
                    gone += 1
                    for folder in path.relative_to(self._root).parents[:-1]:
                        with suppress(OSError):
                            (self._root / folder).rmdir()  # only once it is empty
        return gone

    def _files(self, folder: Path) -> Iterator[Path]:
        todo = [folder]
        while todo:
            with suppress(FileNotFoundError, NotADirectoryError), os.scandir(todo.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        todo.append(Path(entry.path))
                    elif not entry.name.startswith(".put-"):
                        yield Path(entry.path)

    def _path(self, key: str) -> Path:
        return self._root / checked(key)


def _error(path: Path, e: OSError) -> StoreError:
    return StoreError(f"the store cannot write {path}: {e.strerror}")
