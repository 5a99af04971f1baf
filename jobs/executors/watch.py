"""What a running task uses, as the kernel tells it: memory and number of its processes, disk in its folders."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from jobs.executors.interface import Task
from policies.quantity import format_memory

MARK = "GHAPP_TASK"  # the environment variable by which a task's processes are known without a sandbox
_PAGE = os.sysconf("SC_PAGE_SIZE")


def descendants(pid: int) -> set[int]:
    """``pid`` and every process below it that is alive now."""
    children: dict[int, list[int]] = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit() and (parent := _parent(entry.name)) is not None:
            children.setdefault(parent, []).append(int(entry.name))
    found, todo = set(), [pid]
    while todo:
        one = todo.pop()
        if one not in found:
            found.add(one)
            todo += children.get(one, ())
    return found


def marked(mark: str) -> set[int]:
    """Every process that was started with this mark in its environment, whoever its parent is now."""
    wanted = f"{MARK}={mark}".encode()
    found = set()
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                if wanted in Path("/proc", entry.name, "environ").read_bytes().split(b"\0"):
                    found.add(int(entry.name))
            except OSError:
                continue
    return found


def memory(pids: Iterable[int]) -> int:
    """Resident bytes of all these processes; shared pages count once for each, as ``ps`` shows them."""
    total = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/statm").read_bytes().split()
        except OSError:
            continue
        total += (int(fields[1]) - int(fields[2])) * _PAGE  # resident without file pages, which the kernel can drop
    return total


def disk(folder: Path, enough: int) -> int:
    """Bytes allocated below ``folder``; stops counting once ``enough`` is exceeded. Follows no links."""
    total, todo = 0, [str(folder)]
    while todo and total <= enough:
        try:
            entries = list(os.scandir(todo.pop()))
        except OSError:
            continue
        for entry in entries:
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            total += status.st_blocks * 512
            if stat.S_ISDIR(status.st_mode):
                todo.append(entry.path)
    return total


def too_much_disk(task: Task) -> str:
    """Why a task has to be killed for what lies in its folders; ``""`` while it need not."""
    most = task.limits.disk
    if most and sum(disk(folder, most) for folder in (task.workspace, task.scratch)) > most:
        return f"killed: it used more than its {format_memory(most)} of disk"
    return ""


def _parent(pid: str) -> int | None:
    try:
        text = Path("/proc", pid, "stat").read_bytes()
    except OSError:
        return None
    # The command name stands in brackets and may itself contain brackets and spaces.
    return int(text[text.rindex(b")") + 2 :].split()[1])
