"""Reading what code of strangers left in a folder: plain files inside of it, bounded, no link followed out."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from policies import globs

MOST = 256 * 2**20


class Outside(ValueError):
    """A path that leads out of the checkout; the message names it."""


def read_plain(path: Path, most: int = MOST) -> bytes | None:
    """The bytes of a regular file; ``None`` for nothing, a link, a device, a pipe, a folder. Raises ValueError above
    ``most`` bytes."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        data = file.read(most + 1)
    if len(data) > most:
        raise ValueError(f"{path.name} is larger than {most} bytes")
    return data


def inside(root: Path, relative: str) -> Path:
    """The path of ``relative`` below ``root`` with links resolved. Raises :class:`Outside` if it leads out."""
    try:
        real = (root / relative).resolve()
    except (OSError, RuntimeError, ValueError):
        raise Outside(f"{relative!r} cannot be resolved inside of the checkout") from None
    if relative.startswith("/") or "\0" in relative or not real.is_relative_to(root.resolve()):
        raise Outside(f"{relative!r} leads out of the checkout")
    return real


def plain_files(root: Path, under: str = "") -> Iterator[str]:
    """Every regular file below ``root``/``under``, relative to ``root``, sorted; links are not followed."""
    top = inside(root, under) if under else root.resolve()
    if top.is_file():
        yield str(top.relative_to(root.resolve()))
        return
    todo = [top]
    found: list[str] = []
    while todo:
        with os.scandir(todo.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    todo.append(Path(entry.path))
                elif entry.is_file(follow_symlinks=False):
                    found.append(str(Path(entry.path).relative_to(root.resolve())))
    yield from sorted(found)


def matching(root: Path, patterns: Sequence[str]) -> list[str]:
    """The plain files that globs (or names of folders) fit, relative to ``root``."""
    wanted = [form for p in patterns for form in (p.rstrip("/"), f"{p.rstrip('/')}/**")]
    return [path for path in plain_files(root) if globs.matches_any(wanted, path)]
