"""Unified diffs as rows that a page can colour. Reads nothing but the patch it is given."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ghapp.sandbox.forge.git.objects import FileChange

_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")
_KINDS: dict[str, Literal["add", "del", "same"]] = {"+": "add", "-": "del", " ": "same"}

ROWS_SHOWN = 1500  # of one file; beyond that a page says how many there are


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a diff; line numbers are None where the line is not."""

    kind: Literal["hunk", "add", "del", "same", "note"]
    old: int | None
    new: int | None
    text: str


@dataclass(frozen=True, slots=True)
class FileDiff:
    """One file's change with its rows; ``left_out`` counts those that are not shown."""

    change: FileChange
    rows: tuple[Row, ...]
    left_out: int


def file_diff(change: FileChange) -> FileDiff:
    rows = tuple(_rows(change.patch or ""))
    return FileDiff(change, rows[:ROWS_SHOWN], max(0, len(rows) - ROWS_SHOWN))


def _rows(patch: str) -> Iterator[Row]:
    old = new = 0
    for line in patch.split("\n") if patch else ():
        if hunk := _HUNK.match(line):
            old, new = int(hunk[1]), int(hunk[2])
            yield Row("hunk", None, None, line)
        elif kind := _KINDS.get(line[:1]):
            yield Row(kind, old if kind != "add" else None, new if kind != "del" else None, line[1:])
            old += kind != "add"
            new += kind != "del"
        else:
            yield Row("note", None, None, line.removeprefix("\\ "))
