"""The one place that starts processes: no shell, no inherited secrets, always bounded, always reaped.

A process is killed with everything it started. What it printed is part of the error, so that nobody has to guess.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# What a child needs to find programs, its home and a locale. Everything else is passed on purpose.
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "XDG_RUNTIME_DIR")


@dataclass(frozen=True, slots=True)
class Completed:
    """A process that ended: its exit status, whole output and duration in seconds."""

    argv: tuple[str, ...]
    status: int
    stdout: bytes
    stderr: bytes
    seconds: float

    @property
    def text(self) -> str:
        return self.stdout.decode("utf-8", "replace")


class ProcessError(RuntimeError):
    """A process that failed, could not be started or ran out of time; says what ran and the end of what it printed."""

    def __init__(self, argv: Sequence[str], reason: str, completed: Completed | None = None) -> None:
        self.argv, self.reason, self.completed = tuple(argv), reason, completed
        said = (completed.stderr or completed.stdout).decode("utf-8", "replace").strip() if completed else ""
        super().__init__(f"{shlex.join(argv[:6])}: {reason}" + (f": {said[-2000:]}" if said else ""))


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The small environment that children get, plus ``extra``."""
    kept = {k: v for k in _INHERITED if (v := os.environ.get(k)) is not None}
    return {**kept, **(extra or {})}


def run(
    argv: Sequence[str],
    *,
    cwd: Path | str | None = None,
    env: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
    timeout: float = 300,
    check: bool = True,
) -> Completed:
    """Run ``argv`` to its end and return what it printed.

    ``env`` is added to :func:`environment`. Raises :class:`ProcessError` when the program is missing, exceeds
    ``timeout`` seconds, or (with ``check``) exits with anything but 0.
    """
    started = time.monotonic()
    try:
        process = subprocess.Popen(
            list(argv),
            cwd=cwd,
            env=environment(env),
            stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except FileNotFoundError as e:
        missing = (
            f"the folder {cwd} does not exist" if cwd and not Path(cwd).is_dir() else f"{argv[0]} is not installed"
        )
        raise ProcessError(argv, missing) from e
    except OSError as e:
        raise ProcessError(argv, f"cannot be started ({e.strerror})") from e
    try:
        stdout, stderr = process.communicate(stdin, timeout=timeout)
    except subprocess.TimeoutExpired:
        kill_group(process)
        stdout, stderr = process.communicate()
        done = Completed(tuple(argv), -signal.SIGKILL, stdout, stderr, time.monotonic() - started)
        raise ProcessError(argv, f"killed after {timeout:g} s", done) from None
    except BaseException:
        kill_group(process)
        process.wait()
        raise
    done = Completed(tuple(argv), process.returncode, stdout, stderr, time.monotonic() - started)
    if check and done.status != 0:
        raise ProcessError(argv, f"exit status {done.status}", done)
    return done


def start(argv: Sequence[str], *, env: Mapping[str, str], cwd: Path | str | None = None) -> subprocess.Popen[bytes]:
    """Start ``argv`` in a session of its own with exactly ``env``; what it prints, errors included, comes in one pipe.

    For long work whose output is read while it runs; the caller reaps it. Raises :class:`ProcessError`.
    """
    try:
        return subprocess.Popen(
            list(argv),
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as e:
        raise ProcessError(argv, f"cannot be started ({e.strerror})") from e


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a process that was started in a session of its own, and all that it started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        process.kill()
