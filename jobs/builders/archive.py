"""Layers: reproducible tar archives. The same files give the same bytes, whenever and wherever they are made."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a layer: where its bytes are, how it appears. A link has ``link`` and no bytes."""

    source: Path | None
    mode: int = 0o644
    owner: tuple[int, int] = (0, 0)
    link: str = ""
    folder: bool = False


@dataclass(frozen=True, slots=True)
class Layer:
    """A finished layer: its file, the digest of that file (compressed) and of its content (``diff_id``)."""

    path: Path
    digest: str
    diff_id: str
    size: int


def write(entries: Mapping[str, Entry], into: Path) -> Layer:
    """Write ``entries`` (path in the image, no leading ``/`` → entry) as one layer."""
    everything = dict(entries)
    for path in entries:
        for parent in list(Path(path).parents)[:-1]:
            everything.setdefault(str(parent), Entry(None, 0o755, folder=True))
    content = hashlib.sha256()
    with into.open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed:
        out = _Hashing(packed, content)
        with tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT) as tar:
            for path, entry in sorted(everything.items()):
                _add(tar, path, entry)
    digest = hashlib.sha256()
    with into.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return Layer(into, f"sha256:{digest.hexdigest()}", f"sha256:{content.hexdigest()}", into.stat().st_size)


def _add(tar: tarfile.TarFile, path: str, entry: Entry) -> None:
    info = tarfile.TarInfo(path)
    info.mode, (info.uid, info.gid), info.mtime = entry.mode, entry.owner, 0
    if entry.folder:
        info.type = tarfile.DIRTYPE
        tar.addfile(info)
    elif entry.link:
        info.type, info.linkname, info.mode = tarfile.SYMTYPE, entry.link, 0o777
        tar.addfile(info)
    elif entry.source is not None:
        info.size = entry.source.stat().st_size
        with entry.source.open("rb") as file:
            tar.addfile(info, file)


class _Hashing(io.RawIOBase):
    """Passes on what is written and hashes it."""

    def __init__(self, target: gzip.GzipFile, digest: hashlib._Hash) -> None:
        self._target, self._digest = target, digest

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._digest.update(data)
        return self._target.write(data)

    def writable(self) -> bool:
        return True
