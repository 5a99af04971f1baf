"""How a task is put into a bubblewrap sandbox: which folders it sees, as whom it runs, by which limits.

It sees the system's programs read-only, its checkout and its scratch folder; not the worker's files, environment,
processes or capabilities. As root the task runs as a user id of its own; without root, in a user namespace.
"""

from __future__ import annotations

import functools
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from ghapp import process
from jobs.executors.interface import WORKSPACE, Limits, Task

Mode = Literal["root", "user", "none"]
SCRATCH = "/scratch"
_FIRST_ID = 40_000  # ids 40000–59999, below the 65536 that a container usually maps

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/nix")
# Of /etc only what programs need to resolve names, trust certificates and find libraries: it may hold mounted secrets.
_ETC = (
    "alternatives", "ca-certificates", "ca-certificates.conf", "crypto-policies", "debian_version", "fonts", "group",
    "host.conf", "hosts", "java", "java-17-openjdk", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime",
    "login.defs", "magic", "mime.types", "nsswitch.conf", "os-release", "passwd", "pki", "profile", "protocols",
    "python3", "resolv.conf", "services", "shells", "ssl", "timezone",
)  # fmt: skip


def own_id() -> int:
    """The user id of this worker process's tasks; two workers at once have different ones."""
    return _FIRST_ID + os.getpid() % 20_000


@functools.cache
def mode() -> Mode:
    """How bubblewrap works here; ``none`` where it does not. Tried once a process."""
    if shutil.which("bwrap") is None or shutil.which("prlimit") is None:
        return "none"
    probe = ("true",)
    ways: tuple[Mode, ...] = ("root", "user") if os.geteuid() == 0 else ("user",)
    for way in ways:
        try:
            process.run((*_namespaces(way, network=True), *_system(), "--", *_as_whom(way), *probe), timeout=20)
        except process.ProcessError:
            continue
        return way
    return "none"


def command(task: Task) -> tuple[str, ...]:
    """The argument list that runs ``task`` in a sandbox; :func:`mode` must not be ``none``."""
    way = mode()
    directory = str(Path(WORKSPACE, task.directory))
    return (
        *_namespaces(way, network=task.network),
        *_system(),
        *("--bind", str(task.workspace), WORKSPACE),
        *("--bind", str(task.scratch), SCRATCH),
        *("--bind", str(task.scratch / "tmp"), "/tmp"),  # noqa: S108 - inside of the sandbox
        # After /tmp: the worker itself may be installed below it.
        *_readable(_tool_folders(task.readable)),
        *("--chdir", directory),
        "--",
        *limits(task.limits),
        *_as_whom(way),
        *task.argv,
    )


def limits(limit: Limits) -> tuple[str, ...]:
    """``prlimit`` and its options: bounds for one process, the sum being watched from outside."""
    return (
        "prlimit",
        "--core=0",
        f"--nproc={limit.processes}",
        *((f"--data={limit.memory}",) if limit.memory else ()),
        *((f"--fsize={limit.disk}",) if limit.disk else ()),
        "--",
    )


def path() -> str:
    """Where a task looks for programs: the system's first, then those beside the worker's own interpreter."""
    usual = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return f"{usual}:{Path(sys.prefix, 'bin')}"


def _namespaces(way: Mode, *, network: bool) -> tuple[str, ...]:
    own_user = ("--unshare-user", "--uid", "1000", "--gid", "1000", "--cap-drop", "ALL")
    own_root = ("--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--cap-add", "CAP_SETPCAP")
    return (
        "bwrap",
        *(own_root if way == "root" else own_user),
        *("--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try", "--hostname", "ghapp"),
        *(() if network else ("--unshare-net",)),
        *("--die-with-parent", "--new-session"),
    )


def _system() -> tuple[str, ...]:
    # bubblewrap makes the folders above a mount for their owner alone, who is not the task's user.
    arguments = ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/run", "--perms", "0755", "--dir", "/etc"]
    for folder in (*_SYSTEM, *(f"/etc/{name}" for name in _ETC)):
        if Path(folder).is_symlink() and folder in _SYSTEM:
            arguments += ["--symlink", str(Path(folder).readlink()), folder]
        else:
            arguments += ["--ro-bind-try", folder, folder]
    return tuple(arguments)


def _as_whom(way: Mode) -> tuple[str, ...]:
    if way != "root":
        return ()
    who = str(own_id())
    drop = ("--inh-caps=-all", "--bounding-set=-all", "--no-new-privs")
    return ("setpriv", f"--reuid={who}", f"--regid={who}", "--clear-groups", *drop)


def _readable(folders: Sequence[Path]) -> tuple[str, ...]:
    """Show these folders where they are; those above them are made passable, for bubblewrap would not."""
    above = sorted({parent for folder in folders for parent in folder.parents if parent != Path("/")})
    made = [part for parent in above for part in ("--perms", "0755", "--dir", str(parent))]
    return (*made, *(part for folder in folders for part in ("--ro-bind-try", str(folder), str(folder))))


def _tool_folders(readable: Sequence[Path]) -> list[Path]:
    """The worker's own interpreter and what the task asks for, parents before children, nothing twice."""
    own = (Path(sys.prefix), Path(sys.base_prefix))
    outside = {folder for folder in (*own, *readable) if not str(folder).startswith("/usr")}
    return sorted(outside)
