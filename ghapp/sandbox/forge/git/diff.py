"""Differences between two trees as GitHub lists them: one entry per file, with renames, counts and patches."""

from __future__ import annotations

import re
from pathlib import Path

from ghapp.sandbox.forge.git.objects import ZERO, FileChange
from ghapp.sandbox.forge.git.run import git

_STATUS = {"A": "added", "D": "removed", "M": "modified", "R": "renamed", "C": "copied", "T": "changed"}
_RENAMES = "-M50%"


def diff_files(path: Path, old: str, new: str) -> tuple[FileChange, ...]:
    """The files that differ between two tree-ishes, by name."""
    listing = git(path, "diff-tree", "-r", _RENAMES, "-l3000", "-z", "--raw", "--numstat", "--abbrev=40", old, new)
    raw, counts = _parse(listing.stdout)
    if not raw:
        return ()
    text = git(
        path, "-c", "core.quotePath=false", "diff-tree", "-r", _RENAMES, "-l3000", "-p", "--full-index", old, new
    )
    sections = re.split(rb"(?m)^(?=diff --git )", text.stdout)[1:]
    changes: list[FileChange] = []
    taken = 0
    for status, before, after, previous, filename in raw:
        width = 2 if status == "T" else 1
        hunks = b"".join(_hunks(section) for section in sections[taken : taken + width])
        taken += width
        additions, deletions = counts.get(filename, (0, 0))
        kind = "changed" if status == "M" and before == after else _STATUS[status]
        changes.append(
            FileChange(
                filename=filename,
                status=kind,
                sha=before if after == ZERO else after,
                additions=additions,
                deletions=deletions,
                patch=hunks.decode("utf-8", "replace").removesuffix("\n") or None,
                previous_filename=previous,
            )
        )
    return tuple(changes)


def diff_text(path: Path, old: str, new: str) -> str:
    """The whole difference as a unified diff (media type ``diff``)."""
    done = git(path, "-c", "core.quotePath=false", "diff-tree", "-r", _RENAMES, "-p", old, new)
    return done.text


def patch_text(path: Path, old: str, new: str) -> str:
    """The commits of ``old..new`` as mails (media type ``patch``)."""
    return git(path, "format-patch", "--stdout", f"{old}..{new}").text


def _hunks(section: bytes) -> bytes:
    found = re.search(rb"(?m)^@@ ", section)
    return section[found.start() :] if found else b""


def _parse(
    output: bytes,
) -> tuple[list[tuple[str, str, str, str | None, str]], dict[str, tuple[int, int]]]:
    """(raw entries, counts by new name) of ``diff-tree -z --raw --numstat``."""
    fields = output.decode("utf-8", "surrogateescape").split("\0")
    raw: list[tuple[str, str, str, str | None, str]] = []
    counts: dict[str, tuple[int, int]] = {}
    i = 0
    while i < len(fields) and fields[i]:
        if fields[i].startswith(":"):
            _, _, before, after, status = fields[i].split(" ")
            moved = status[0] in "RC"
            names = fields[i + 1 : i + 3] if moved else fields[i + 1 : i + 2]
            raw.append((status[0], before, after, names[0] if moved else None, names[-1]))
            i += 3 if moved else 2
        else:
            added, deleted, name = fields[i].split("\t", 2)
            if not name:
                name, i = fields[i + 2], i + 2
            counts[name] = (int(added) if added != "-" else 0, int(deleted) if deleted != "-" else 0)
            i += 1
    return raw, counts
