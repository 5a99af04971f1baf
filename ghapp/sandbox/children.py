"""The sandbox's process tree: children that announce themselves, keep a log, and never outlive their parent."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from ghapp import process

_PR_SET_PDEATHSIG = 1


class ChildError(RuntimeError):
    """A part of the sandbox did not come up or went away; says which, and the end of what it printed."""


@dataclass
class Child:
    """One running part. ``env`` is what it was told; ``log`` is the file that holds everything it printed."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    popen: subprocess.Popen[bytes]
    log: Path

    @property
    def alive(self) -> bool:
        return self.popen.poll() is None

    def tail(self, lines: int = 15) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:]) if self.log.exists() else ""

    def stop(self, *, patience: float = 5) -> None:
        """Ask it to end; after ``patience`` seconds kill it and all that it started."""
        if self.alive:
            self.popen.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.popen.wait(patience)
        process.kill_group(self.popen)
        self.popen.wait()
        if self.popen.stdout:
            self.popen.stdout.close()

    def kill(self) -> None:
        """Kill it and all that it started, without asking."""
        process.kill_group(self.popen)
        self.popen.wait()

    def again(self) -> Child:
        """The same part anew, once this one has ended."""
        announces = self.popen.stdout is not None
        child = start(self.name, self.argv, logs=self.log.parent, env=self.env, announces=announces)
        if announces:
            hello(child)
        return child


def _die_with(parent: int) -> None:
    """In the child, before it runs: on Linux the kernel ends it when the parent dies, however the parent dies."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)


def start(
    name: str, argv: Sequence[str], *, logs: Path, env: Mapping[str, str] | None = None, announces: bool = False
) -> Child:
    """Start a part. With ``announces`` its first line on standard output is a JSON object, read by :func:`hello`."""
    logs.mkdir(parents=True, exist_ok=True)
    log = logs / f"{name}.log"
    parent = os.getpid()
    with log.open("ab") as out:
        popen = subprocess.Popen(
            list(argv),
            env=process.environment({"PYTHONUNBUFFERED": "1", **(env or {})}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if announces else out,
            stderr=out,
            start_new_session=True,
            preexec_fn=lambda: _die_with(parent),
        )
    return Child(name, tuple(argv), dict(env or {}), popen, log)


def hello(child: Child, *, timeout: float = 30) -> dict[str, Any]:
    """What a child announced. Raises :class:`ChildError` when it ends or says nothing in time."""
    stdout = child.popen.stdout
    if stdout is None:
        raise ChildError(f"the {child.name} was not started to announce anything")
    found: list[bytes] = []
    reader = threading.Thread(target=lambda: found.append(stdout.readline()), daemon=True)
    reader.start()
    reader.join(timeout)
    try:
        data = json.loads(found[0]) if found and found[0].strip() else None
    except ValueError:
        data = None
    if not isinstance(data, dict):
        raise ChildError(f"the {child.name} did not start: {child.tail() or 'it printed nothing'}")
    _drain(stdout, child.log)
    return data


def _drain(stdout: IO[bytes], log: Path) -> None:
    """Keep what it prints later, so that a full pipe never stops it."""

    def copy() -> None:
        with log.open("ab") as out:
            for line in stdout:
                out.write(line)
                out.flush()

    threading.Thread(target=copy, daemon=True).start()


def wait_until(ready: Callable[[], bool], child: Child, *, what: str, timeout: float = 30) -> None:
    """Poll until ``ready``. Raises :class:`ChildError` when the child ends first or time runs out."""
    gone = threading.Event()
    for _ in range(int(timeout / 0.05)):
        if ready():
            return
        if not child.alive:
            break
        gone.wait(0.05)
    raise ChildError(f"{what} is not there: {child.tail() or 'it printed nothing'}")
